#!/bin/sh
# run_pytest.sh PYTHON TESTS...: runs files or folders of tests with pytest; exit status 77 says that
# nothing of it was run. Tests that are marked as slow run where QUADGATE_SLOW is set.
python=$1
shift

if ! "$python" -c 'from importlib.util import find_spec
assert all(map(find_spec, ("torch", "h5py", "numpy", "pytest", "xdist")))' 2>/dev/null; then
  echo "SKIPPED: no comparison with PyTorch: $python has not torch, h5py, numpy, pytest and pytest-xdist."
  echo "         scripts/setup --peers installs them."
  exit 77
fi

marks=$([ -n "$QUADGATE_SLOW" ] || echo "not slow")
output=$("$python" -B -m pytest -p no:cacheprovider -rfEs -q --durations=8 -o "markers=slow" -m "$marks" "$@" 2>&1)
status=$?
printf '%s\n' "$output"
if [ "$status" -eq 0 ] && ! printf '%s\n' "$output" | tail -1 | grep -q passed; then
  exit 77 # every case was skipped
fi
exit "$status"
