#!/bin/bash
# Every C file is as clang-format leaves it.
set -eu
find bench core daemon examples include plugins tests -name node_modules -prune -o -name '*.[ch]' -print0 |
    xargs -0 clang-format --dry-run --Werror
