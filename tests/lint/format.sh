#!/bin/bash
# Every C file is as clang-format leaves it, but those that are frozen.
set -eu
find bench core daemon examples include plugins tests \( -name node_modules -o -name frozen \) -prune -o -name '*.[ch]' -print0 |
    xargs -0 clang-format --dry-run --Werror
