#!/bin/bash
# Compile the plugins of a version of the ABI, once and for all: on the day when it is released.
#
#   bash tests/abi/frozen/make-frozen.sh 1.0
#
# From VERSION/*.c and *.cc, against the headers of this tree, of which the plugin's are kept beside them.  What was
# frozen is never made again: a plugin of that day is somebody's who cannot compile it again.
set -eu
cd "$(dirname "$0")/${1:?usage: make-frozen.sh VERSION}"
[ "$(uname -m)" = x86_64 ] || { echo "make-frozen.sh: frozen plugins are of x86_64, this is $(uname -m)"; exit 1; }
[ ! -e SHA256SUMS ] || { echo "make-frozen.sh: $PWD is frozen; the next version has a folder of its own"; exit 1; }
version=$(sed -n 's/^#define GANTRY_ABI_M[A-Z]* \([0-9]*\)u$/\1/p' ../../../../include/gantry/plugin.h | paste -sd.)
[ "$version" = "$1" ] || { echo "make-frozen.sh: the headers are of ABI $version, not of $1"; exit 1; }
mkdir -p include/gantry
gcc -M -I ../../../../include -x c - <<<'#include <gantry/plugin.h>' | grep -o '[^ ]*/include/gantry/[a-z]*\.h' |
    xargs -I {} cp {} include/gantry/
printf '{ global: gantry_plugin_entry; local: *; };\n' >exports.tmp
# The baseline of x86-64, no paths, nothing that another machine's compiler would add by itself.
flags=(-O2 -march=x86-64 -fPIC -shared -fvisibility=hidden -fcf-protection=none -fno-stack-protector -U_FORTIFY_SOURCE
    -g0 -s -Wall -Wextra -Wpedantic -Werror -Wl,--version-script=exports.tmp -Wl,--build-id=none -Wl,--no-undefined
    -Wl,-z,relro,-z,now -I include)
gcc -std=c99 "${flags[@]}" -o gantry-everything.so everything.c
g++ -std=c++17 "${flags[@]}" -o gantry-cpp.so cpp.cc
rm exports.tmp
gcc --version | head -n 1 >COMPILER
sha256sum ./*.so ./*.c ./*.cc include/gantry/*.h COMPILER >SHA256SUMS
cat COMPILER SHA256SUMS
