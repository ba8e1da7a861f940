#!/usr/bin/env bash
# aeon 1.6.0: load_from_ts_file reads a .ts file with "@timeStamps true", whose steps are pairs
# (time,value), without an error. It takes for values what looks like digits, a point and digits: a
# value without a fraction is left out, so that the steps behind it move up, a negative one loses its
# sign, one with an exponent loses that, and a fraction of a second in a time becomes a value.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q aeon==1.6.0
cd "$folder"
head='@problemName P\n@timeStamps true\n@missing false\n@univariate true\n@equalLength true\n@seriesLength 3\n@classLabel true a b\n@data\n'
times=("2020-01-01 00:00:00" "2020-01-01 00:00:01" "2020-01-01 00:00:02")
series() { printf '(%s,%s),(%s,%s),(%s,%s):a\n' "${times[0]}" "$1" "${times[1]}" "$2" "${times[2]}" "$3"; }
{ printf "$head"; series 1.5 2.5 3.5; } >plain.ts
{ printf "$head"; series 1.5 -2.5 3.5; } >negative.ts
{ printf "$head"; series 1.5 2 3.5; } >whole.ts
{ printf "$head"; series 1.5 2.5e3 3.5; } >exponent.ts
times[1]="2020-01-01 00:00:01.25"
{ printf "$head"; series 1.5 2.5 3.5; } >fraction.ts
venv/bin/python - <<'PYTHON'
from aeon.datasets import load_from_ts_file

found = {}
for name in ("plain", "negative", "whole", "exponent", "fraction"):
    try:
        x, y = load_from_ts_file(f"{name}.ts")
        found[name] = x[0].ravel().tolist()
    except Exception as error:
        found[name] = f"{type(error).__name__}: {error}"
    print(name, found[name])
expected = {
    "plain": [1.5, 2.5, 3.5],
    "negative": [1.5, 2.5, 3.5],  # 1.5, -2.5, 3.5 are in the file
    "whole": [1.5, 3.5],  # 1.5, 2, 3.5
    "exponent": [1.5, 2.5, 3.5],  # 1.5, 2500, 3.5
    "fraction": [1.5, 1.25, 2.5, 3.5],  # 1.5, 2.5, 3.5, the second at 00:00:01.25
}
assert found == expected, found
PYTHON
