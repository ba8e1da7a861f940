#!/bin/sh
# run.sh RUNS PROGRAM ARGUMENT...: a fuzz target with that many inputs, or $QUADGATE_FUZZ_TIMES as many.
runs=$(($1 * ${QUADGATE_FUZZ_TIMES:-1}))
program=$2
shift 2
exec "$program" -runs="$runs" "$@"
