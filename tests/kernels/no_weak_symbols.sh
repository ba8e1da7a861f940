#!/bin/sh
# no_weak_symbols.sh NM OBJECT...
#
# Fails if an object compiled for one ISA defines a weak or unique symbol (an inline function, a
# template): the linker may pick that copy for code that runs on every machine. Type information
# (_ZTI, _ZTS) is data without instructions; clang's function sanitizer adds it.
nm=$1
shift
[ $# -gt 0 ] || { echo "no objects given" >&2; exit 1; }
status=0
for object in "$@"; do
  symbols=$("$nm" "$object") || exit 1
  if ! echo "$symbols" | grep -q ' T '; then
    echo "$object: defines no function, expected a kernel" >&2
    status=1
  fi
  if echo "$symbols" | grep -v ' V _ZT[IS]' | grep ' [WVu] ' >&2; then
    echo "$object: defines the weak symbols above, expected none" >&2
    status=1
  fi
done
exit $status
