#!/usr/bin/env bash
# aeon 1.6.0: load_from_tsf_file(..., return_type="pd_multiindex_hier") gives each value a time. Of the
# frequencies of the Monash archive's format it knows four. With "quarterly", "hourly", "half_hourly",
# "10_minutes" and "minutely" it raises KeyError. With "yearly", "monthly" and "weekly" the first value
# is not at the series' start_timestamp: that is moved forward to the next first of January, first of
# a month, or Sunday, and all later values with it. Without return_type, a missing value "?" is the
# string "NaN" in an array of objects.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q aeon==1.6.0
cd "$folder"
for frequency in yearly quarterly monthly weekly daily hourly half_hourly 10_minutes minutely; do
  cat >"$frequency.tsf" <<TSF
@relation r
@attribute series_name string
@attribute start_timestamp date
@frequency $frequency
@horizon 2
@missing true
@equallength false
@data
T1:2020-01-15 00-00-00:1.0,2.0,?,4.0
TSF
done
venv/bin/python - <<'PYTHON'
from aeon.datasets import load_from_tsf_file

first = {}
for name in ("yearly", "quarterly", "monthly", "weekly", "daily", "hourly", "half_hourly", "10_minutes", "minutely"):
    try:
        frame, _ = load_from_tsf_file(f"{name}.tsf", return_type="pd_multiindex_hier")
        first[name] = str(frame.index[0][-1].date())
    except Exception as error:
        first[name] = f"{type(error).__name__}: {error}"
    print(name, "starts at", first[name])
expected = {name: f"KeyError: '{name}'" for name in ("quarterly", "hourly", "half_hourly", "10_minutes", "minutely")}
expected |= {"yearly": "2021-01-01", "monthly": "2020-02-01", "weekly": "2020-01-19", "daily": "2020-01-15"}
assert first == expected, first

values = load_from_tsf_file("daily.tsf")[0].iloc[0, -1].tolist()
print("without return_type:", values)
assert values == [1.0, 2.0, "NaN", 4.0], values
PYTHON
