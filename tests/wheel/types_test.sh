#!/bin/sh
# types_test.sh PYTHON FOLDER: the types of the package in FOLDER, as pyright finds them in strict mode; exit
# status 77 says that they were not looked at.
if ! "$1" -c 'import pyright' 2>/dev/null || ! command -v node >/dev/null; then
  echo "SKIPPED: types of the Python package: $1 has not pyright, or there is no node."
  echo "         scripts/setup --peers installs them."
  exit 77
fi
exec "$1" -m pyright -p "$2" --pythonpath "$1"
