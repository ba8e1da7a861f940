#!/usr/bin/env bash
# utilsforecast 0.2.17, pandas 2.3.3, polars 2.1.0: most losses leave out a step whose actual value is missing. Four do
# not. scaled_crps multiplies the mean loss of the steps that are there by the number of all: with 1 of 4 missing it is
# 4/3 of what it is without that step. winkler_score counts the step as one inside of its interval, coverage as one
# outside, and calibration as one above the quantile, those two in a frame of pandas; of polars they leave it out. mape
# leaves actual zeros out in pandas (known: issue 86 of the repository) and is NaN for the whole series in polars.
# https://nixtlaverse.nixtla.io/utilsforecast/losses.html
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q utilsforecast==0.2.17 pandas==2.3.3 polars==2.1.0 pyarrow==26.0.1 numpy==2.4.6
cd "$folder"
venv/bin/python -W ignore - <<'PYTHON'
import numpy
import pandas
import polars
from utilsforecast import losses

forecast = {"m": [2.0, 3, 1, 6], "m-lo-80": [1.0, 2, 0, 4], "m-hi-80": [4.0, 5, 2, 7]}
past = pandas.DataFrame({"unique_id": "a", "ds": range(6), "y": [1.0, 3, 2, 5, 4, 6]})
quantiles = {"quantiles": numpy.array([0.1, 0.5, 0.9])}
of_quantiles = {"m": ["m-lo-80", "m", "m-hi-80"]}
all_losses = {
    "mae": (["m"], {}), "rmse": (["m"], {}), "smape": (["m"], {}), "nd": (["m"], {}), "mape": (["m"], {}),
    "winkler_score": (["m"], {"level": 80}), "mase": (["m"], {"seasonality": 1}), "mqloss": (of_quantiles, quantiles),
    "scaled_crps": (of_quantiles, quantiles), "coverage": (["m"], {"level": 80}), "calibration": ({"m": "m"}, {}),
}  # fmt: skip


def all_of(actual, steps=slice(None)):
    """Each loss in pandas and in polars, of these steps of the horizon."""
    frame = pandas.DataFrame({"unique_id": "a", "ds": range(6, 10), "y": actual, **forecast}).iloc[steps]
    found = {}
    for name, (models, options) in all_losses.items():
        found[name] = []
        for convert in (lambda frame: frame, polars.from_pandas):  # makes a null of NaN
            more = {"train_df": convert(past)} if name == "mase" else {}
            loss = getattr(losses, name)(convert(frame), models, **options, **more)
            found[name].append(round(float(loss["m"].to_numpy()[0]), 4))
    return found


without, missing = all_of([1, 2, 3, 4], [0, 1, 3]), all_of([1, 2, numpy.nan, 4])
zero = all_of([1, 2, 0, 4])["mape"]
for name in all_losses:
    print(f"{name}: {without[name][0]} without the step, with it missing [pandas, polars] {missing[name]}")
    assert without[name][0] == without[name][1]
print(f"mape with an actual zero: {zero[0]} in pandas, {zero[1]} in polars")
differ = {name: missing[name] for name in all_losses if missing[name] != without[name]}
assert differ == {
    "scaled_crps": [0.3683, 0.3683], "winkler_score": [2.75, 2.75], "coverage": [0.75, 1.0], "calibration": [0.75, 1.0]
}, differ  # fmt: skip
assert numpy.isclose(0.3683, 4 / 3 * without["scaled_crps"][0], atol=1e-4) and without["coverage"][0] == 1
assert without["winkler_score"][0] == 3  # the width of the interval that was missing is 2
assert zero[0] == without["mape"][0] and numpy.isnan(zero[1])
PYTHON
