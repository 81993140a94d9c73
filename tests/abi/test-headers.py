#!/usr/bin/env python3
"""Each public header compiles alone and twice, in each language and by each compiler that is there, without a warning;
and so does a plugin's use of the macros.

usage: test-headers.py INCLUDE-FOLDER COMPILER...
A compiler of C++ has ++ in its name."""
import pathlib
import subprocess
import sys

include, compilers = pathlib.Path(sys.argv[1]), sys.argv[2:]
COMMON = ["-Wall", "-Wextra", "-Wpedantic", "-Wconversion", "-Wsign-conversion", "-Wshadow", "-Wundef", "-Wcast-qual",
          "-Wcast-align", "-Wredundant-decls", "-Werror"]
C = ["-Wstrict-prototypes", "-Wmissing-prototypes", "-Wbad-function-cast", "-Wc++-compat"]
CXX = ["-Wold-style-cast", "-Wextra-semi"]
C_STANDARDS, CXX_STANDARDS = ("c99", "c11", "c17", "c2x", "c23"), ("c++11", "c++14", "c++17", "c++20", "c++23")
# A compiler may be without the newest ones; it says so, and these alone may be left out.
MAY_LACK = ("c2x", "c23", "c++23")
# In C++ a function hides the struct of its name, of which g++ warns: two pairs in the headers of the libraries.
SAME_NAMES = ("client.h", "host.h")
# The macros are code of whoever uses them, so they too have to be clean.
USE = """
static const struct gantry_setting settings[] = {
    {static_cast_(uint32_t, sizeof(struct gantry_setting)), GANTRY_TYPE_SIZE, GANTRY_SCOPE_WORKLOAD, 0, "memory", "1GiB",
     NULL_, NULL_, "How much."}};
const char *key_of(const struct gantry_settings *s, uint32_t i);
const char *key_of(const struct gantry_settings *s, uint32_t i)
{
    const struct gantry_value *v = GANTRY_AT(struct gantry_value, s->values, s->stride, i);
    return GANTRY_HAS(v, struct gantry_value, item_count) ? v->key : settings[0].key;
}
"""
TABLE = {False: 'static const struct gantry_plugin mine = {GANTRY_PLUGIN_HEAD, .name = "mine", GANTRY_SETTINGS(settings)};\n',
         True: """static gantry_plugin table()
{
    gantry_plugin p{};
    p.size = sizeof p;
    p.abi_major = GANTRY_ABI_MAJOR;
    p.settings = settings;
    return p;
}
static const gantry_plugin mine = table();
"""}
CAST = {True: "#define static_cast_(type, x) static_cast<type>(x)\n#define NULL_ nullptr\n",
        False: "#define static_cast_(type, x) ((type)(x))\n#define NULL_ NULL\n"}


def compiles(compiler, standard, text, without=()):
    is_cxx = standard.startswith("c++")
    command = [compiler, f"-std={standard}", *COMMON, *(CXX if is_cxx else C), *without, "-fsyntax-only", "-I",
               str(include), "-x", "c++" if is_cxx else "c", "-"]
    done = subprocess.run(command, input=text, text=True, capture_output=True)
    return done.returncode == 0, done.stderr


def sources(standard):
    """What is compiled: its name, its text, and the warnings that are left out."""
    is_cxx = standard.startswith("c++")
    for header in sorted((include / "gantry").glob("*.h")):
        without = ["-Wno-shadow"] if is_cxx and header.name in SAME_NAMES else []
        yield header.name, f"#include <gantry/{header.name}>\n" * 2, without
    use = "#include <gantry/plugin.h>\n" + CAST[is_cxx] + USE
    use += TABLE[is_cxx] + "GANTRY_PLUGIN(mine)\n"
    # The table is meant to be incomplete: what is not there is zero.
    yield "a plugin's use of plugin.h", use, ["-Wno-missing-field-initializers"]


def main():
    failed, passed = 0, []
    for compiler in compilers:
        is_cxx = "++" in pathlib.Path(compiler).name
        for standard in CXX_STANDARDS if is_cxx else C_STANDARDS:
            known, problem = compiles(compiler, standard, "")
            if not known and standard in MAY_LACK and "-std=" in problem:
                continue
            passed.append(f"{pathlib.Path(compiler).name} {standard}")
            for name, text, without in sources(standard):
                clean, problem = compiles(compiler, standard, text, without)
                if not clean:
                    failed += 1
                    print(f"{name}, {compiler} -std={standard}:\n{problem}")
    print(f"{', '.join(passed)}: {failed} failures")
    sys.exit(failed != 0 or not passed)


main()
