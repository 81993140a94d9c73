#!/bin/sh
# workload.sh - what the workloads of `gantry plugin test` run: it obeys the variable GANTRY_KIT, which holds
# commands separated by ";".  It needs a POSIX shell and head, sha256sum, sleep, stat and tr, such as busybox
# has.
#
#   lines N       prints "line 1" to "line N"
#   error TEXT    prints TEXT to standard error
#   long BYTES    prints one line of so many bytes
#   partial TEXT  prints TEXT without a line end
#   env NAME      prints NAME=SHA256 of the variable's value; NAME= when it is not set
#   file PATH     prints PATH=MODE SHA256 of the file; PATH= when it is not there
#   file_of NAME  the same of the file that the variable names: prints NAME=MODE SHA256
#   stubborn      ignores TERM from here on
#   wait          until TERM, which ends it with code 0 at once
#   sleep N       N seconds
#   exit CODE     ends with this code
#
# TERM ends it with code 0 at any time, until it is stubborn.
set -f
child=
trap '[ -z "$child" ] || kill "$child" 2>/dev/null; exit 0' TERM

print_lines() {
    line=0
    while [ "$line" -lt "$1" ]; do
        line=$((line + 1))
        echo "line $line"
    done
}

# A shell sees a signal only between two commands, or in `wait`.
pause() {
    sleep "$1" &
    child=$!
    wait "$child"
    child=
}

print_variable() {
    eval "present=\${$1+yes}"
    if [ "$present" ]; then
        eval "printf '%s' \"\${$1}\"" | sha256sum | while read -r sum _; do echo "$1=$sum"; done
    else
        echo "$1="
    fi
}

# $1: the path; $2: what it is called.
print_file() {
    if [ -e "$1" ]; then
        mode=$(stat -c %a "$1")
        sha256sum <"$1" | while read -r sum _; do echo "$2=$mode $sum"; done
    else
        echo "$2="
    fi
}

run() {
    case $1 in
    lines) print_lines "$2" ;;
    error) echo "$2" >&2 ;;
    long) head -c "$2" /dev/zero | tr '\0' x && echo ;;
    partial) printf '%s' "$2" ;;
    env) print_variable "$2" ;;
    file) print_file "$2" "$2" ;;
    file_of) eval "print_file \"\${$2-}\" $2" ;;
    stubborn) trap '' TERM ;;
    wait) while :; do pause 3600; done ;;
    sleep) pause "$2" ;;
    exit) exit "$2" ;;
    '') ;;
    *) echo "workload.sh: no command '$1' is known" >&2; exit 64 ;;
    esac
}

rest=$GANTRY_KIT\;
while [ "$rest" ]; do
    command=${rest%%;*}
    rest=${rest#*;}
    command=${command#"${command%%[! ]*}"}
    argument=
    case $command in *' '*) argument=${command#* } ;; esac
    run "${command%% *}" "$argument"
done
