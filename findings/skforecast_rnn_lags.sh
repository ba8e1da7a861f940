#!/usr/bin/env bash
# skforecast 0.26.0, keras 3.15.1 on torch 2.13.0: ForecasterRnn takes lags as a list, "only lags present in" it. Where
# one is left out of the list, it trains on others: lags=[1, 2, 3, 24] on 24, 23, 22 and 1, as those of the list are
# counted from the old end of the window, and create_train_X_y names them lag_24, lag_3, lag_2 and lag_1. fit ends well.
# predict then gives the network the whole window, of 24 steps in place of 4, and keras raises a ValueError. Lists
# without a gap are right, and ForecasterRecursive of the same library has the lags of the list.
# https://skforecast.org/latest/api/forecasterrnn.html
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q skforecast==0.26.0 keras==3.15.1 torch==2.13.0 numpy==2.4.6 pandas==2.3.3 \
    scikit-learn==1.9.1 matplotlib==3.11.2
cd "$folder"
KERAS_BACKEND=torch venv/bin/python -W ignore - 2>log <<'PYTHON' || { tail -5 log; exit 1; }
import contextlib
import io

import numpy
import pandas
from skforecast.deep_learning import ForecasterRnn, create_and_compile_model
from skforecast.recursive import ForecasterRecursive
from sklearn.linear_model import LinearRegression

# Each value is its day, so that the target less a value is that value's lag.
days = pandas.date_range("2020", periods=60, freq="D")
series = pandas.DataFrame({"y": numpy.arange(60.0)}, index=days)
trained_on = {(1, 2, 3): [3, 2, 1], (1, 3, 7): [7, 5, 1], (1, 2, 3, 24): [24, 23, 22, 1]}
for lags, expected in trained_on.items():
    lags = list(lags)
    with contextlib.redirect_stdout(io.StringIO()):
        network = create_and_compile_model(series=series, lags=lags, steps=1, recurrent_units=4, dense_units=None)
        forecaster = ForecasterRnn(
            network, levels="y", lags=lags, transformer_series=None, fit_kwargs={"epochs": 1, "verbose": 0}
        )
        forecaster.fit(series)
    x, _, y, names = forecaster.create_train_X_y(series)
    found = (y[:, :, 0] - x[:, :, 0]).astype(int)
    print(f"lags={lags}: trained on {found[0].tolist()}, named {names['X_train'][1]}")
    assert (found == expected).all()
    assert names["X_train"][1] == [f"lag_{lag}" for lag in reversed(lags)]

    x, y = ForecasterRecursive(LinearRegression(), lags=lags).create_train_X_y(series["y"])
    assert (y.to_numpy()[:, None] - x.to_numpy() == lags).all()

    try:
        forecaster.predict(steps=1)
        assert found[0].tolist() == lags[::-1]
    except ValueError as error:
        print(" ", error)
        assert found[0].tolist() != lags[::-1] and f"found shape=(1, {max(lags)})" in str(error)
PYTHON
