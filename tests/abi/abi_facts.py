"""What is fixed by the public headers, as lines of text: each struct's size, each field's place and type, each
constant, each function.  The compiler says the numbers, so that nothing is reckoned twice.

    struct gantry_pair: 16 bytes
    struct gantry_pair.key: at 0, 8 bytes, const char *
    constant GANTRY_STREAM_STDOUT: 1
    function gantry_version: const char *(void)"""
import pathlib
import re
import subprocess
import tempfile

# What a later version may change: numbers that count, and the versions.
FREE = re.compile(r"^constant (GANTRY_ABI_MINOR|GANTRY_VERSION_\w+|GANTRY_\w+_COUNT)$")
# Macros that are code, of which only the names are kept.
CODE = {"GANTRY_API", "GANTRY_MUST_CHECK", "GANTRY_PLUGIN_HEAD", "GANTRY_PLUGIN_EXTERN_"}


class Unreadable(Exception):
    """A header that does not compile, or that this script cannot read."""


def run(command, text=None):
    done = subprocess.run(command, input=text, text=True, capture_output=True)
    if done.returncode:
        raise Unreadable(f"{' '.join(map(str, command))}: {done.stderr.strip()}")
    return done.stdout


def closure(include, header):
    """A public header and those that it includes, what is included first."""
    text = (pathlib.Path(include) / "gantry" / header).read_text()
    found = [one for other in re.findall(r"^#include <gantry/(\w+\.h)>", text, flags=re.M) for one in closure(include, other)]
    return list(dict.fromkeys([*found, header]))


def includes(headers):
    return "".join(f"#include <gantry/{header}>\n" for header in headers)


def preprocessed(cc, include, headers):
    """The text of these headers, without what they include."""
    wanted, keep, lines = {str(pathlib.Path(include) / "gantry" / h) for h in headers}, False, []
    for line in run([*cc, "-E", "-I", str(include), "-"], includes(headers)).splitlines():
        marker = re.match(r'# \d+ "(.*?)"', line)
        if marker:
            keep = marker.group(1) in wanted
        elif keep:
            lines.append(line)
    text = "\n".join(lines)
    text = re.sub(r'extern "C"\s*\{', " ", text)
    while "__attribute__" in text:
        start = text.index("__attribute__")
        text = text[:start] + text[closing(text, text.index("(", start)) + 1:]
    return re.sub(r"\s+", " ", text)


def closing(text, at):
    """Where the bracket at this place is closed."""
    depth = 0
    for i in range(at, len(text)):
        depth += (text[i] in "({[") - (text[i] in ")}]")
        if depth == 0:
            return i
    raise Unreadable(f"a bracket is not closed: {text[at:at + 60]}")


def split(text, by):
    """Split outside of brackets."""
    parts, depth, start = [], 0, 0
    for i, c in enumerate(text):
        depth += (c in "({[") - (c in ")}]")
        if c == by and depth == 0:
            parts.append(text[start:i].strip())
            start = i + 1
    parts.append(text[start:].strip())
    return [part for part in parts if part]


def declarations(text):
    """The outermost ones; the body of a function is left out."""
    found, start, i = [], 0, 0
    while i < len(text):
        if text[i] == "{":
            end = closing(text, i)
            if "(" in text[start:i]:
                found.append(text[start:i].strip())
                start = end + 1
            i = end
        elif text[i] == ";":
            found.append(text[start:i].strip())
            start = i + 1
        i += 1
    return [d for d in found if d]


def plain_type(text):
    """A type as it is written, without the names of parameters."""
    text = re.sub(r"(?<=[\w*])(\s+|\s*\*\s*)(?!void\b|const\b)(\w+)(?=\s*[,)])",
                  lambda m: m.group(1) if m.group(1).strip() else "", text)
    text = re.sub(r"\(\*\w+\)", "(*)", text)
    text = re.sub(r"\s*\*\s*", " *", text)
    text = re.sub(r"\* \*", "**", text)
    return re.sub(r"\(\s+", "(", re.sub(r"\s+", " ", text)).replace("( *", "(*").strip()


def fields_of(body):
    """Name and type of each field, in order."""
    fields = []
    for field in split(body, ";"):
        pointer = re.match(r"[^(]*\(\*(\w+)\)", field)
        if pointer:
            fields.append((pointer.group(1), plain_type(field)))
            continue
        first, *others = split(field, ",")
        head = re.match(r"(.*?)(\w+)((?:\[[^]]*\])*)$", first)
        if not head:
            raise Unreadable(f"a field that this script cannot read: {field}")
        base = head.group(1).rstrip()
        fields.append((head.group(2), (re.sub(r"\s*\*", " *", base) + head.group(3)).replace("* *", "**")))
        for other in others:
            name = re.match(r"(\**)(\w+)((?:\[[^]]*\])*)$", other)
            if not name:
                raise Unreadable(f"a field that this script cannot read: {field}")
            kind = f"{base.rstrip('* ')} {name.group(1)}".rstrip()
            fields.append((name.group(2), kind + name.group(3)))
    return fields


def macros(cc, include, headers):
    """Of these headers: name and parameters, or None where it takes none."""
    own = set()
    for header in headers:
        own |= set(re.findall(r"^#define (GANTRY_\w+)", (pathlib.Path(include) / "gantry" / header).read_text(),
                              flags=re.M))
    text = run([*cc, "-E", "-dM", "-I", str(include), "-"], includes(headers))
    found = re.findall(r"^#define (GANTRY_\w+)(\([^)]*\))?(?: (.*))?$", text, flags=re.M)
    return sorted((name, params or None) for name, params, value in found if name in own and (params or value))


class Program:
    """Collects lines of a C program that prints facts."""

    def __init__(self):
        self.lines = []

    def add(self, key, formats, *values):
        arguments = "".join(", " + value for value in values)
        self.lines.append(f'    printf("{key}: {formats}\\n"{arguments});')

    def add_macro(self, name):
        self.lines.append(f"    SAY({name});")


def add_struct(program, name, body):
    whole = f"struct {name}"
    program.add(whole, "%zu bytes", f"sizeof({whole})")
    before = "0"
    for field, kind in fields_of(body):
        member = f"((({whole} *)0)->{field})"
        # A field that this script has overlooked would leave a hole before the next one.
        program.lines.append(f"    AFTER({before}, {whole}, {field});")
        before = f"offsetof({whole}, {field}) + sizeof {member}"
        program.add(f"{whole}.{field}", f"at %zu, %zu bytes, {kind}", f"offsetof({whole}, {field})", f"sizeof {member}")
    program.lines.append(f"    ENDS({before}, {whole});")


def add_declaration(program, text):
    aggregate = re.fullmatch(r"(struct|enum) (\w+)(?: \{(.*)\})?", text)
    function = re.fullmatch(r"(static inline )?([^()]*?)(\w+)\s*(\(.*\))", text)
    if aggregate and aggregate.group(1) == "struct":
        if aggregate.group(3) is None:
            program.add(f"opaque {text}", "declared")
        else:
            add_struct(program, aggregate.group(2), aggregate.group(3))
    elif aggregate:
        for one in split(aggregate.group(3), ","):
            name = one.split("=")[0].strip()
            program.add(f"constant {name}", "%lld", f"(long long){name}")
    elif function:
        kind = "inline" if function.group(1) else "function"
        program.add(f"{kind} {function.group(3)}", plain_type(function.group(2) + function.group(4)))
    elif text != "}":
        raise Unreadable(f"a declaration that this script cannot read: {text[:80]}")


PRELUDE = """#include <stdio.h>
#define AFTER(before, type, field) _Static_assert(offsetof(type, field) - (before) < \\
    _Alignof(__typeof__(((type *)0)->field)), "a field before " #field " of " #type " was not understood")
#define ENDS(before, type) _Static_assert(sizeof(type) - (before) < _Alignof(type), "the end of " #type)
#define SAY(x) say(#x, _Generic((x), char *: 1, default: 0), (const void *)(__UINTPTR_TYPE__)(x), \\
    _Generic((x), char *: 0, default: (x)))
static void say(const char *name, int is_text, const void *text, long long number)
{
    if (is_text)
        printf("constant %s: \\"%s\\"\\n", name, (const char *)text);
    else
        printf("constant %s: %lld\\n", name, number);
}
"""


def facts(cc, include, headers):
    """All facts of these headers: key -> what is so, in the order of the headers."""
    program = Program()
    for text in declarations(preprocessed(cc, include, headers)):
        add_declaration(program, text)
    for name, params in macros(cc, include, headers):
        if params or name in CODE:
            program.add(f"macro {name}{params or ''}".replace(", ", ","), "defined")
        else:
            program.add_macro(name)
    source = includes(headers) + PRELUDE + "int main(void)\n{\n" + "\n".join(program.lines) + "\n    return 0;\n}\n"
    with tempfile.TemporaryDirectory() as folder:
        out = pathlib.Path(folder) / "facts"
        run([*cc, "-std=gnu11", "-w", "-I", str(include), "-x", "c", "-", "-o", str(out)], source)
        return parse(run([str(out)]))


def parse(text):
    return dict(line.split(": ", 1) for line in text.splitlines() if line)


def render(lines):
    return "".join(f"{key}: {value}\n" for key, value in lines.items())


# ---- comparing ----------------------------------------------------------------------------------------------

def place(fact):
    at, size, kind = fact.split(", ", 2)
    return int(at.split()[1]), int(size.split()[0]), kind


def compare_struct(name, old, new):
    """What is broken in one struct, as one line, or None."""
    prefix = f"{name}."
    before = {key: place(fact) for key, fact in old.items() if key.startswith(prefix)}
    after = {key: place(fact) for key, fact in new.items() if key.startswith(prefix)}
    old_size, new_size = (int(facts_[name].split()[0]) for facts_ in (old, new))
    gone = [key for key in before if key not in after]
    early = [key for key in after if key not in before and after[key][0] < old_size]
    for key in early:
        if not gone:
            return (f"{name}: the new field '{key[len(prefix):]}' is at {after[key][0]}, inside of what others know "
                    f"({old_size} bytes); add it at the end")
    if gone:
        return (f"{name}: the field '{gone[0][len(prefix):]}' is gone; a released field keeps its place and name for "
                "ever")
    for key, (at, size, kind) in before.items():
        field = key[len(prefix):]
        if after[key][0] != at:
            return f"{name}: the field '{field}' has moved, from {at} to {after[key][0]}"
        if after[key][1] != size:
            return f"{name}: the field '{field}' has {after[key][1]} bytes, it had {size}"
        if after[key][2] != kind:
            return f"{name}: the field '{field}' was '{kind}', it is '{after[key][2]}'"
    if new_size < old_size:
        return f"{name}: it has {new_size} bytes, it had {old_size}"
    return None


def compare(old, new):
    """What a change of the headers does: the broken things, one line each, and the added ones."""
    broken = []
    for key, fact in old.items():
        kind = key.split(" ", 1)[0]
        if kind == "struct" and "." in key:
            continue
        if key not in new:
            broken.append(f"{key} is gone; what was released stays")
        elif kind == "struct":
            problem = compare_struct(key, old, new)
            if problem:
                broken.append(problem)
        elif fact != new[key] and not FREE.match(key):
            broken.append(f"{key} was {fact}, it is {new[key]}")
    # Where the struct itself is gone, its fields are not worth a line each.
    added = [key for key in new if key not in old]
    return broken, added
