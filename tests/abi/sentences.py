"""The sentences of the plugin ABI's headers, in their order."""
import pathlib
import re

HEADERS = ("plugin.h", "extensions.h", "workload.h", "http.h")
COMMENT = re.compile(r"/\*(.*?)\*/", re.S)


def paragraphs(comment):
    """A comment's text without its stars, one string a paragraph; an item of a list is one, too."""
    found, now = [], []
    for line in comment.splitlines():
        line = re.sub(r"^ *\*( |$)", "", line).rstrip()
        starts = re.match(r" *\d+\. | {2,}\S.* {3,}\S", line)
        if (not line or starts) and now:
            found.append(" ".join(now))
            now = []
        if line:
            now.append(" ".join(line.split()))
    return found + ([" ".join(now)] if now else [])


def split(paragraph):
    return [part.strip() for part in re.split(r"(?<=[^.\d]\.)\s+(?=[A-Z\"`*(])", paragraph) if part.strip()]


def sentences(include):
    """[(header, sentence)], each once in a header; rulers are none."""
    found = []
    for name in HEADERS:
        for match in COMMENT.finditer((pathlib.Path(include) / "gantry" / name).read_text()):
            if not match.group(1).strip().startswith("---"):
                found += [(name, part) for paragraph in paragraphs(match.group(1)) for part in split(paragraph)]
    return list(dict.fromkeys(found))
