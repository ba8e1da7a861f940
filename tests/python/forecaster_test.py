# Sweeps: quadgate.sklearn.Forecaster on series of one and of several groups, with and without times, known,
# static and calendar columns, bands, missing values; beside the program on the table that pandas writes,
# scikit-learn's TimeSeriesSplit and r2_score, pandas' date_range, and the forecast that repeats the last
# value. No tolerance but 1e-9 relative on scores, which others sum in another order.

import json
import os
import pathlib
import pickle
import signal
import threading
from math import pi

import h5py
import numpy
import pandas
import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.metrics import r2_score
from sklearn.model_selection import GridSearchCV, TimeSeriesSplit

import quadgate
from quadgate.sklearn import Forecaster
from train_support import program, weights, write_run_file

RNG = numpy.random.default_rng(3)
HOURS = pandas.date_range("2024-02-27 05:00", periods=120, freq="h", name="when")
SINE = pandas.DataFrame({"a": 10 + numpy.sin(2 * pi * numpy.arange(120) / 12), "b": RNG.normal(size=120)}, HOURS)
QUICK = {"horizon": 3, "input_len": 12, "hidden_size": 6, "epochs": 2, "threads": 1}


def shops(rows=60):
    """Two series whose value follows promo, which is known."""
    frames = []
    for name, kind, level in (("west", "small", 10), ("east, #2", "large", 500)):
        promo = RNG.integers(0, 2, rows)
        frames.append(pandas.DataFrame({
            "shop": name, "day": pandas.date_range("2024-01-30", periods=rows), "kind": kind,
            "sales": level * (1 + promo + 0.01 * RNG.normal(size=rows)), "promo": promo}))  # fmt: skip
    return pandas.concat(frames, ignore_index=True)


SHOPS = shops()
OF_SHOPS = QUICK | {"time": "day", "group": "shop", "known": ["promo"], "static": ["kind"], "calendar": ["weekday"]}


def expect_same_weights(forecaster, tmp_path, checkpoint):
    forecaster.save(tmp_path / "ours.h5")
    ours, theirs = weights(tmp_path / "ours.h5"), weights(checkpoint)
    assert ours.keys() == theirs.keys() and all((ours[name] == theirs[name]).all() for name in ours)


CASES = {
    "index": (SINE, QUICK, ["--time", "when", "--standardize"], ""),
    "no times": (SINE.reset_index(drop=True), QUICK | {"validation_fraction": 0.2},
                 ["--standardize", "--valid-fraction", "0.2"], ""),
    "bands": (SINE, QUICK | {"targets": ["a"], "quantiles": [0.1, 0.5, 0.9], "standardize": False},
              ["--time", "when"], 'targets = ["a"]'),
    "shops": (SHOPS, OF_SHOPS, ["--time", "day", "--group", "shop", "--known", "promo", "--static", "kind",
                                "--calendar", "weekday", "--standardize-series"], ""),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_gives_what_the_program_gives_on_the_table(tmp_path, case):
    frame, settings, options, targets = CASES[case]
    bands = '\nloss = "pinball"\nquantiles = [0.1, 0.5, 0.9]' if case == "bands" else ""
    table, data = tmp_path / "table.csv", tmp_path / "data.h5"
    frame.to_csv(table, index=frame.index.name is not None)
    program("prepare", "csv", table, *options, "-o", data)
    run_file = write_run_file(tmp_path, data, f"input_len = 12\nhorizon = 3\n{targets}",
                              'hidden_size = 6\nnormalize = "last"', "epochs = 2" + bands)  # fmt: skip
    program("train", run_file, "--threads", 1)
    best = quadgate.Result(tmp_path / "program").best
    before = frame.copy()
    forecaster = Forecaster(**settings).fit(frame)
    assert frame.equals(before)
    expect_same_weights(forecaster, tmp_path, best)
    assert [told["epoch"] for told in forecaster.history_] == [1, 2]

    behind = []
    future = None
    if case == "shops":
        future = pandas.concat([SHOPS.groupby("shop", sort=False).tail(3).assign(promo=1)], ignore_index=True)
        future["day"] += pandas.Timedelta(days=3)
        future = future[["shop", "day", "promo"]]
        future.to_csv(tmp_path / "future.csv", index=False)
        behind = ["--future", tmp_path / "future.csv"]
    program("predict", best, "--input", table, *behind, "-o", tmp_path / "p.h5")
    told = forecaster.predict(frame, future=future)
    assert told.equals(forecaster.predict(future=future))
    if case == "shops":
        both = pandas.concat([frame, future], ignore_index=True)
        assert told.equals(forecaster.predict(both)) and told.equals(Forecaster(**settings).fit(both).predict())
    with h5py.File(tmp_path / "p.h5") as file:
        for i, name in enumerate(file.attrs["target_names"]):
            assert (told[name] == file["prediction"][:, :, i].ravel()).all()
            for band in file.attrs.get("band_names", []):
                assert (told[f"{name}_{band}"] == file[band][:, :, i].ravel()).all()
    if case == "no times":
        assert told.index.tolist() == [1, 2, 3] and told.columns.tolist() == ["a", "b"]
    elif case == "shops":
        assert told["shop"].tolist() == ["west"] * 3 + ["east, #2"] * 3
        assert told["day"].tolist() == future["day"].tolist() and told["day"].dtype == SHOPS["day"].dtype
    else:
        assert told.index.equals(pandas.date_range(HOURS[-1], periods=4, freq="h", name="when")[1:])
        assert told.index.dtype == HOURS.dtype


def test_a_series_is_a_frame_of_one_column():
    ours, frames = Forecaster(**QUICK).fit(SINE["a"]), Forecaster(**QUICK).fit(SINE[["a"]])
    pandas.testing.assert_frame_equal(ours.predict(), frames.predict())
    pandas.testing.assert_frame_equal(ours.predict(SINE["a"][:50]), frames.predict(SINE[["a"]][:50]))
    assert ours.score(SINE["a"]) == frames.score(SINE[["a"]])
    drawn = Forecaster(**QUICK, random_state=numpy.random.RandomState(7)).fit(SINE["a"]).predict()
    seed = numpy.random.RandomState(7).randint(2**31 - 1)
    pandas.testing.assert_frame_equal(drawn, Forecaster(**QUICK, random_state=seed).fit(SINE["a"]).predict())
    assert "valid_loss" not in Forecaster(**QUICK, validation_fraction=None).fit(SINE).history_[0]
    with pytest.raises(ValueError, match="^validation_fraction: expected a number from 0 to 1, found 2"):
        Forecaster(**QUICK, validation_fraction=2).fit(SINE)


@pytest.mark.parametrize("settings", [{}, {"test_size": 9, "gap": 2, "max_train_size": 50}])
def test_folds_are_those_of_time_series_split(tmp_path, settings):
    forecaster = Forecaster(**QUICK, targets=["a"], validation_fraction=0.25)
    folds = forecaster.backtest(SINE, folds=3, **settings)
    for fold, (train, test) in enumerate(TimeSeriesSplit(3, **settings).split(SINE)):
        for part, rows in (("train", train), ("test", test)):
            assert SINE[folds[part][fold]].equals(SINE.iloc[rows])
    options = [f"--{name.replace('_', '-')}={value}" for name, value in settings.items()]
    SINE.to_csv(tmp_path / "table.csv")
    program("prepare", "csv", tmp_path / "table.csv", "--time", "when", "--standardize",
            "--valid-fraction", "0.25", "-o", tmp_path / "data.h5")  # fmt: skip
    run_file = write_run_file(tmp_path, tmp_path / "data.h5", 'input_len = 12\nhorizon = 3\ntargets = ["a"]',
                              'hidden_size = 6\nnormalize = "last"', "epochs = 2")  # fmt: skip
    told = json.loads(program("backtest", run_file, "--folds", 3, "--threads", 1, *options, "--json"))
    for name in ("loss", "mse_raw", "mase", "skill", "count"):
        expected = [fold[name] for fold in told["folds"]]
        assert numpy.array_equal(folds[name].astype(float), numpy.array(expected, float), equal_nan=True)
    assert not hasattr(forecaster, "checkpoint_")


def test_folds_of_several_series(capfd):
    folds = Forecaster(**OF_SHOPS).backtest(SHOPS, folds=2)
    assert capfd.readouterr() == ("", "")
    (_, (train, test)) = TimeSeriesSplit(2).split(numpy.zeros(60))
    for part, rows in (("train", train), ("test", test)):
        assert folds[part][1] == dict.fromkeys(["west", "east, #2"], slice(rows[0], rows[-1] + 1))


def test_an_interrupt_ends_the_folds():
    handler = signal.signal(signal.SIGINT, signal.default_int_handler)
    threading.Timer(0.5, os.kill, (os.getpid(), signal.SIGINT)).start()
    with pytest.raises(KeyboardInterrupt):
        Forecaster(**QUICK | {"epochs": 5000}).backtest(SINE, jobs=2)
    signal.signal(signal.SIGINT, handler)
    children = [pathlib.Path(f"/proc/{child}/cmdline").read_bytes() for child in
                pathlib.Path("/proc/thread-self/children").read_text().split()]  # fmt: skip
    assert not [command for command in children if b"run-fold" in command]


def test_learns_what_repeating_the_last_value_does_not_tell():
    forecaster = Forecaster(3, 12, targets=["a"], hidden_size=8, epochs=30, lr=0.02).fit(SINE[:90])
    errors, naive = [], []
    for end in range(102, 118):
        truth = SINE["a"].to_numpy()[end : end + 3]
        told = forecaster.predict(SINE[:end])
        assert told.index.equals(SINE.index[end : end + 3])
        errors.append(((told["a"] - truth) ** 2).mean())
        naive.append(((SINE["a"].iloc[end - 1] - truth) ** 2).mean())
    assert numpy.mean(errors) < 0.1 * numpy.mean(naive)
    assert len(forecaster.fit(SINE[["a"]]).predict(steps=7)) == 7


def test_scores_all_windows():
    forecaster = Forecaster(**QUICK).fit(SINE[:90])
    forecaster_score = forecaster.score(SINE[80:])
    with forecaster._files() as (checkpoint, _):
        told = quadgate.predict(checkpoint, SINE[80:].reset_index(drop=True), windows=True)
    scores = [r2_score(told["truth"][:, :, i].ravel(), told["prediction"][:, :, i].ravel()) for i in (0, 1)]
    assert forecaster_score == pytest.approx(numpy.mean(scores), rel=1e-6)


def test_months_and_zones_go_on():
    months = pandas.DataFrame({"a": RNG.normal(size=48)}, pandas.date_range("2020-01-31", periods=48, freq="ME"))
    told = Forecaster(**QUICK).fit(months).predict(steps=5)
    assert told.index.tolist() == pandas.date_range("2024-01-31", periods=5, freq="ME").tolist()
    zone = SINE.tz_localize("Asia/Tokyo")
    told = Forecaster(**QUICK).fit(zone).predict()
    assert told.index.equals(pandas.date_range(zone.index[-1], periods=4, freq="h", name="when")[1:])


def test_missing_and_irregular_rows():
    holes = SINE.copy()
    holes.iloc[[20, 119], 0] = numpy.nan
    filled = Forecaster(**QUICK).fit(holes.ffill()).predict()
    assert len(Forecaster(**QUICK, missing="drop").fit(holes).predict()) == 3
    assert Forecaster(**QUICK, missing="forward").fit(holes).predict().equals(filled)
    gap = SINE.drop(SINE.index[[50, 51]])
    regular = Forecaster(**QUICK, resample="1h", missing="forward").fit(gap)
    filled = Forecaster(**QUICK).fit(gap.resample("1h").ffill())
    assert regular.predict().equals(filled.predict())
    assert regular.predict().equals(regular.predict(gap))


def test_clones_and_pickles():
    forecaster = Forecaster(**OF_SHOPS).fit(SHOPS)
    future = SHOPS.groupby("shop").tail(3).assign(day=lambda rows: rows["day"] + pandas.Timedelta(days=3))
    told = forecaster.predict(future=future)
    assert pickle.loads(pickle.dumps(forecaster)).predict(future=future).equals(told)
    other = clone(forecaster).set_params(run_file={"model.cell": "gru"})
    assert other.get_params() == forecaster.get_params() | {"run_file": {"model.cell": "gru"}}
    with pytest.raises(NotFittedError):
        other.predict()
    assert not other.fit(SHOPS).predict(future=future).equals(told)
    assert clone(forecaster).fit(SHOPS).predict(future=future).equals(told)
    assert type(forecaster.model()).__name__ == "Model"


def test_a_search_over_its_parameters():
    folds = TimeSeriesSplit(2, test_size=30)
    search = GridSearchCV(Forecaster(**QUICK), {"hidden_size": [3, 6]}, cv=folds).fit(SINE)
    train, test = list(folds.split(SINE))[1]
    alone = Forecaster(**QUICK).set_params(hidden_size=3).fit(SINE.iloc[train]).score(SINE.iloc[test])
    assert search.cv_results_["split1_test_score"][0] == alone
    assert search.predict(None).columns.tolist() == ["a", "b"]


def replaced(frame, row, column, value):
    frame = frame.copy()
    frame.iloc[row, frame.columns.get_loc(column)] = value
    return frame


TABLE = SINE.reset_index()
BAD = [
    ({}, SINE.to_numpy(), "X: expected a pandas frame, found ndarray"),
    ({}, SINE[:0], "X: expected rows, found none"),
    ({"time": "date"}, TABLE, "X: expected a column 'date', found when, a, b"),
    ({"group": "shop"}, TABLE, "X: expected a column 'shop', found when, a, b"),
    ({"time": "a"}, TABLE, "X: column 'a': expected dates .*, found float64"),
    ({}, SINE.set_index(SINE.index.to_period("h")), "X: expected an index of dates .*, found periods"),
    ({"targets": ["c"]}, SINE, "targets: expected some of the columns a, b, found 'c'"),
    ({"known": "b"}, SINE, "known: expected a list of columns, found 'b'"),
    ({"time": "when"}, TABLE.rename(columns={"b": "a"}), "X: expected each column once, found two called 'a'"),
    ({}, TABLE, "X: column 'when': expected numbers, found datetime64"),
    ({}, SINE.assign(b="x"), "X: column 'b': expected numbers, found str"),
    ({}, replaced(SINE, 7, "b", numpy.nan),
     r"X: column 'b': expected numbers, found nan in row 7 \(2024-02-27 12:00:00\)"),
    ({"missing": "forward"}, replaced(SINE, 7, "b", numpy.inf), "X: column 'b': expected numbers, found inf in row 7"),
    ({}, SINE.iloc[[0, 1, 3, 2, 4]], "X: expected rows in the order of time, found .* 07:00:00 behind .* 08:00:00"),
    ({}, SINE.iloc[[0, 1, 2, 2, 4]], "X: expected rows in the order of time, found .* 07:00:00 twice"),
    ({"time": "when"}, replaced(TABLE, 3, "when", pandas.NaT), "X: column 'when': expected dates, found none in row 3"),
    ({}, SINE.drop(SINE.index[[50, 51]]),
     "X: expected a row every 1h, found 2024-02-29 06:00:00 and 2024-02-29 09:00:00 next to each other"),
    (OF_SHOPS, SHOPS.drop(index=70), "X: expected a row every 1d, found 2024-02-08 .* and 2024-02-10 .* of series 'east"),
    (OF_SHOPS, replaced(SHOPS, 3, "shop", None), "X: column 'shop': expected names of series, found .* in row 3"),
    (OF_SHOPS, replaced(SHOPS, 3, "kind", "big"), "X: row 3: series 'west': column 'kind': expected"),
    ({"calendar": ["year"]}, SINE, "calendar: expected some of .*, found 'year'"),
    ({"calendar": ["hour"]}, SINE.reset_index(drop=True), r"calendar: expected times \(.*\), found none in X"),
    ({"horizon": 0}, SINE, "config: data.horizon: expected"),
    ({"normalize": "first"}, SINE, "config: model.normalize: expected"),
    ({"input_len": 200}, SINE, "X: dataset .* no 200 rows of input and 3 of targets fit"),
]  # fmt: skip


@pytest.mark.parametrize("settings, frame, message", BAD, ids=range(len(BAD)))
def test_wrong_input_is_named(settings, frame, message):
    with pytest.raises(ValueError, match="^" + message):
        Forecaster(**{**QUICK, **settings}).fit(frame)


def test_wrong_input_of_a_model_is_named():
    forecaster = Forecaster(**QUICK).fit(SINE)
    with pytest.raises(ValueError, match="^X: expected a column 'b', found when, a"):
        forecaster.predict(SINE[["a"]])
    with pytest.raises(ValueError, match="^X: expected only columns a, b, found 'c'"):
        forecaster.predict(SINE.assign(c=1))
    with pytest.raises(ValueError, match="^X: .*12.* 11"):
        forecaster.predict(SINE[:11])
    with pytest.raises(ValueError, match="^X: expected a row every 1h, .* found 2024-02-29 06:00 and"):
        forecaster.predict(SINE[:60].drop(SINE.index[[50, 51]]))
    with pytest.raises(ValueError, match="X: .*every 1h"):
        forecaster.predict(SINE[::2])
    with pytest.raises(ValueError, match="^future: expected"):
        forecaster.predict(future=SINE)
    shop = Forecaster(**OF_SHOPS).fit(SHOPS)
    with pytest.raises(ValueError, match="^X: .*'promo'"):
        shop.predict()
    with pytest.raises(ValueError, match="folds: expected 2 to"):
        forecaster.backtest(SINE, folds=1)
    with pytest.raises(ValueError, match="test_size: expected at least 3 rows"):
        forecaster.backtest(SINE, test_size=2)
