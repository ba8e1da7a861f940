"""Data sets whose series are standardized each by its own scale. Sweeps what a table may have beside its
series. The truth is scikit-learn's StandardScaler of each series' train rows. Tolerance: 1e-6 of
values in units of their series' spread."""

import os
import subprocess

import h5py
import numpy
import pandas
import pytest
from sklearn.preprocessing import StandardScaler

from series_scale import COLUMNS, LEVELS, ROWS, TEST, expect_scaled, prepare, prepare_scaled, scalers, table
from support import quadgate


@pytest.mark.parametrize("missing", [None, "mean", "forward"])
def test_scales_are_scikit_learns(tmp_path, missing):
    """Also of a series that does not vary, one of few rows, and one far from zero."""
    frame = table({**LEVELS, "still": (7, 0), "far": (1e9, 1)})
    frame = frame[(frame["shop"] != "mid") | (frame["hour"] > 90)]
    written = frame.copy()
    if missing:
        holes = written.index[(written["shop"] == "large") & (written["hour"] % 17 == 5)]
        written.loc[holes, "sales"] = numpy.nan
    options = ["--missing", missing] if missing else []
    data = prepare_scaled(tmp_path, written, *options)
    expected = {}
    for name, its in written.groupby("shop", sort=False):
        if missing == "forward":
            its = its.ffill()
        rows = len(its) - round(TEST / ROWS * len(its))
        expected[name] = StandardScaler().fit(its[COLUMNS].to_numpy()[:rows])
        filled = expected[name].mean_[0] if missing == "mean" else None
        written.loc[its.index, "sales"] = its["sales"] if filled is None else its["sales"].fillna(filled)
    expect_scaled(data, written, expected)


def test_a_series_that_varies_by_rounding_alone_is_constant(tmp_path):
    """Means of 3 to 7 equal values, as --resample makes them."""
    starts = [(hour, part) for hour in range(60) for part in range(3 + hour % 5)]
    at = [pandas.Timestamp("2024-01-01") + pandas.Timedelta(hours=h, minutes=7 * p)
          for h, p in starts]  # fmt: skip
    frame = pandas.DataFrame({"hour": at, "shop": "flat", "sales": 0.1})
    frame.loc[frame["hour"] >= pandas.Timestamp("2024-01-03"), "sales"] = 0.2
    data = prepare(tmp_path, frame, "--resample", "1h", "--standardize-series", "--test-from",
                   "2024-01-03")  # fmt: skip
    means = frame.set_index("hour")["sales"].resample("1h").mean().to_frame()
    scaler = StandardScaler().fit(numpy.array([sum([0.1] * n) / n for n in range(3, 8)] * 9)[:, None])
    assert scaler.var_[0] > 0 and scaler.scale_[0] == 1
    with h5py.File(data) as file:
        assert list(file.attrs["series_std"]) == [1]
        assert abs(file["test/x"][48:, 0] - (means["sales"][48:] - 0.1)).max() < 1e-6


def test_features_that_are_added_have_one_scale(tmp_path):
    frame = table().assign(area=lambda f: f["shop"].map({"small": 1, "mid": 2, "large": 6}),
                           kind=lambda f: f["shop"].eq("mid").map({True: "m", False: "o"}))  # fmt: skip
    frame["hour"] = pandas.Timestamp("2024-01-01") + pandas.to_timedelta(frame["hour"], unit="h")
    data = prepare_scaled(tmp_path, frame, "--static", "area,kind", "--calendar", "hour",
                          "--known", "price")  # fmt: skip
    mean, std, features = expect_scaled(data, frame, scalers(frame))
    for name, expected in {"area": (3, numpy.std([1, 2, 6])), "kind=m": (0, 1),
                           "hour_sin": (0, 1)}.items():  # fmt: skip
        column = features.index(name)
        assert abs(mean[:, column] - expected[0]).max() < 1e-12
        assert abs(std[:, column] - expected[1]).max() < 1e-12
    with h5py.File(data) as file:
        area = file["train/x"][:, features.index("area")]
        assert len(set(numpy.round(area, 6))) == 3  # what tells series apart stays


def test_a_series_without_train_rows_is_told(tmp_path):
    frame = table()
    late = frame[(frame["shop"] != "mid") | (frame["hour"] >= 95)]
    late.to_csv(tmp_path / "a.csv", index=False)
    command = [os.environ["QUADGATE_BIN"], "prepare", "csv", tmp_path / "a.csv", "--time", "hour",
               "--group", "shop", "--standardize-series", "--test-from", "90",
               "-o", tmp_path / "a.h5"]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "series without train rows: 1 (mid): standardized by their own rows" in done.stderr
    expected = {**scalers(late, rows=90), "mid": scalers(late, rows=25)["mid"]}
    expect_scaled(tmp_path / "a.h5", late, expected)


def test_series_of_tsf(tmp_path):
    rng = numpy.random.default_rng(3)
    series = {f"T{i}": 10.0**i + rng.normal(size=60 + i) for i in range(3)}
    lines = ["@attribute series_name string", "@frequency daily", "@missing false", "@data"]
    lines += [f"{name}:{','.join(map(repr, map(float, its)))}" for name, its in series.items()]
    (tmp_path / "a.tsf").write_text("\n".join(lines) + "\n")
    quadgate("prepare", "ts", tmp_path / "a.tsf", "--standardize-series", "-o", tmp_path / "a.h5")
    with h5py.File(tmp_path / "a.h5") as file:
        assert list(file.attrs["series_names"]) == list(series)
        for i, its in enumerate(series.values()):
            assert abs(file.attrs["series_mean"][i] / its.mean() - 1) < 1e-13
            assert abs(file.attrs["series_std"][i] / its.std() - 1) < 1e-10
