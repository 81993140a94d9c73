"""Reading the project's manuals: sections, tables, blocks of code."""
import pathlib
import re
import subprocess

ROOT = pathlib.Path(__file__).resolve().parents[2]


def text(path):
    return (ROOT / path).read_text(encoding="utf-8")


def run(*command, status=0, **more):
    done = subprocess.run([str(word) for word in command], text=True, capture_output=True, timeout=200, **more)
    assert done.returncode == status, f"{command}: {done.returncode}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def chapters(page):
    """[(heading without its marks, text up to the next heading)]; what stands in code is no heading."""
    found, fenced = [("", "")], False
    for line in page.split("\n"):
        fenced ^= line.startswith("```")
        heading = re.match(r"#+ (.*)", line) if not fenced else None
        if heading:
            found.append((heading.group(1), ""))
        else:
            found[-1] = (found[-1][0], found[-1][1] + line + "\n")
    return found


def rows(chapter):
    """The rows of the tables of a chapter, as {heading of the column: cell}."""
    found, columns = [], None
    for line in chapter.split("\n"):
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")] if line.startswith("|") else None
        if not cells:
            columns = None
        elif columns is None:
            columns = cells
        elif not all(re.fullmatch(r"-+", cell) for cell in cells):
            found.append(dict(zip(columns, cells)))
    return found


def words(cell):
    """What stands between backticks."""
    return re.findall(r"`([^`]+)`", cell)
