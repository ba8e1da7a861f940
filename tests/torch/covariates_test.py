"""Forecasts with columns that are static or known beforehand. Sweeps refusals and every way from a
table to a forecast. The truth is pandas for features, torch for forecasts. Tolerance: 1e-5 of
both in units of the series' spread."""

import h5py
import numpy
import pandas
import pytest
import torch

from covariates import calendar, stored
from normalization_test import package
from support import Model, evaluate, quadgate, refusal, state_dict, train

STORES = {"north": ("small", 40.0), "south": ("large", 300.0), "west": ("small", 75.0)}


def stores(rows, names=tuple(STORES), seed=5):
    """Sales that rise at once with a promotion, of stores in turns."""
    frames = []
    for i, name in enumerate(names):
        rng = numpy.random.default_rng(seed + i)
        promo = rng.integers(0, 2, rows).astype(float)
        kind, area = STORES[name]
        frames.append(pandas.DataFrame({
            "at": pandas.date_range("2024-01-01", periods=rows, freq="D"), "store": name,
            "sales": 10 + 5 * promo + 0.1 * rng.normal(size=rows), "promo": promo,
            "price": 2 + rng.random(rows), "kind": kind, "area": area}))  # fmt: skip
    return pandas.concat(frames).sort_values(["at", "store"]).reset_index(drop=True)


def test_static_columns_are_features_of_every_row(tmp_path):
    frame = stores(30)
    frame.loc[7, "kind"] = None  # a field that says nothing
    frame.to_csv(tmp_path / "a.csv", index=False)
    quadgate("prepare", "csv", tmp_path / "a.csv", "--group", "store", "--static", "kind,area",
             "--calendar", "weekday", "--standardize", "--test-fraction", 0.3, "-o",
             tmp_path / "a.h5")  # fmt: skip
    rows = stores(30).sort_values(["store", "at"], kind="stable").reset_index(drop=True)
    found = stored(tmp_path / "a.h5")
    assert list(found) == ["sales", "promo", "price", "kind=large", "kind=small", "area",
                           "weekday_sin", "weekday_cos"]  # fmt: skip
    dummies = pandas.get_dummies(rows["kind"], prefix="kind", prefix_sep="=").astype(float)
    expected = pandas.concat([rows[["sales", "promo", "price"]], dummies, rows["area"],
                              calendar(rows["at"], ["weekday"])], axis=1)  # fmt: skip
    assert abs(found - expected).to_numpy().max() < 1e-5 * 300
    with h5py.File(tmp_path / "a.h5") as file:
        mean, std = file.attrs["mean"], file.attrs["std"]
        assert file.attrs["format_version"] == 4
    past = rows[rows.groupby("store").cumcount() < 21]["area"]
    assert mean[5] == pytest.approx(past.mean()) and std[5] == pytest.approx(past.std(ddof=0))
    assert list(mean[3:5]) == [0, 0] and list(std[3:5]) == [1, 1]


def test_static_columns_of_another_table(tmp_path):
    """Classes and scale are those of the training data, in a table with fewer of them."""
    stores(40).to_csv(tmp_path / "old.csv", index=False)
    quadgate("prepare", "csv", tmp_path / "old.csv", "--group", "store", "--static", "kind,area",
             "--standardize", "-o", tmp_path / "old.h5")  # fmt: skip
    checkpoint = train(tmp_path, tmp_path / "old.h5", {"hidden_size": 6}, {"epochs": 2},
                       input_len=5, horizon=2)  # fmt: skip
    frame = stores(12, ["west"], seed=50)
    frame.to_csv(tmp_path / "new.csv", index=False)
    quadgate("predict", checkpoint, "--input", tmp_path / "new.csv", "--steps", 4, "-o",
             tmp_path / "out.h5")  # fmt: skip
    with h5py.File(tmp_path / "old.h5") as file:
        mean, std = file.attrs["mean"], file.attrs["std"]
    lstm = Model(6, 6, hidden_size=6)
    lstm.load_state_dict(state_dict(checkpoint))
    constants = (numpy.array([0, 1, 75.0]) - mean[3:]) / std[3:]
    values = (frame[["sales", "promo", "price"]].to_numpy() - mean[:3]) / std[:3]
    for _ in range(2):
        window = numpy.hstack([values[-5:], numpy.tile(constants, (5, 1))]).astype("f4")
        with torch.no_grad():
            outputs = lstm([torch.from_numpy(window)]).numpy().reshape(2, 3)
        values = numpy.vstack([values, outputs])
    with h5py.File(tmp_path / "out.h5") as file:
        found = (file["prediction"][0] - mean[:3]) / std[:3]
    assert abs(found - values[-4:]).max() < 1e-5

    frame.assign(kind="huge").to_csv(tmp_path / "new.csv", index=False)
    line = refusal("predict", checkpoint, "--input", tmp_path / "new.csv", "-o", tmp_path / "o.csv")
    assert "new.csv: series 'west': column 'kind': expected one of large, small, " in line
    assert line.endswith("found 'huge'")


def test_what_a_static_column_cannot_be(tmp_path):
    def of(table, *options):
        table.to_csv(tmp_path / "a.csv", index=False)
        return refusal("prepare", "csv", tmp_path / "a.csv", "--group", "store", *options, "-o",
                       tmp_path / "a.h5")  # fmt: skip

    frame = stores(20)
    changed = frame.copy()
    changed.loc[40, "area"] = 41.0
    assert ("a.csv:42: series 'south': column 'area': expected '300.0', as in a row before, found "
            "'41.0'") in of(changed, "--static", "kind,area")  # fmt: skip
    assert "--static: expected one of the columns at, store," in of(frame, "--static", "size")
    frame.loc[frame["store"] == "west", "kind"] = None
    assert "series 'west': column 'kind': expected a value, found none" in of(
        frame, "--static", "kind,area")  # fmt: skip


KEYS = {"hidden_size": 8}


def known_windows(rows, input_len, horizon, known):
    """Windows of rows [L, I]: features, and behind them the known columns a horizon on."""
    ahead = numpy.vstack([rows[horizon:, known], numpy.full((horizon, len(known)), numpy.nan)])
    joined = numpy.hstack([rows, ahead]).astype("f4")
    return numpy.stack([joined[i : i + input_len] for i in range(len(rows) - input_len)])


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    folder = tmp_path_factory.mktemp("shop")
    columns = ["at", "store", "promo", "sales", "price"]
    stores(200)[columns].to_csv(folder / "old.csv", index=False)
    quadgate("prepare", "csv", folder / "old.csv", "--group", "store", "--known", "promo,price",
             "--standardize", "--test-fraction", 0.3, "-o", folder / "old.h5")  # fmt: skip
    checkpoint = train(folder, folder / "old.h5", KEYS, {"epochs": 12, "lr": 0.02},
                       input_len=6, horizon=2)  # fmt: skip
    with h5py.File(folder / "old.h5") as file:
        assert file.attrs["format_version"] == 4
        return folder, checkpoint, file.attrs["mean"], file.attrs["std"]


def test_windows_hold_what_is_known(tmp_path, shop):
    folder, checkpoint, mean, std = shop
    quadgate("predict", checkpoint, "--data", folder / "old.h5", "--windows", "-o",
             tmp_path / "out.h5")  # fmt: skip
    lstm = Model(5, 2, hidden_size=8)
    lstm.load_state_dict(state_dict(checkpoint))
    inputs = []
    for _, group in stores(200).sort_values("store", kind="stable").groupby("store"):
        rows = (group[["promo", "sales", "price"]].to_numpy() - mean) / std
        inputs += list(known_windows(rows, 6, 2, [0, 2])[140 - 6 : 200 - 6 - 1])
    with torch.no_grad():
        expected = lstm([torch.from_numpy(x) for x in inputs]).numpy()
    with h5py.File(tmp_path / "out.h5") as file:
        found, truth = file["prediction"][..., 0], file["truth"][..., 0]
    assert abs((found - mean[1]) / std[1] - expected).max() < 1e-5
    # A promotion of the same day is half the spread: seen beforehand, little of it is left.
    assert numpy.mean((found - truth) ** 2) < 0.1 * truth.var()


def test_without_it_the_series_is_not_learned(tmp_path, shop):
    folder, *_ = shop
    quadgate("prepare", "csv", folder / "old.csv", "--group", "store", "--standardize",
             "--test-fraction", 0.3, "-o", tmp_path / "old.h5")  # fmt: skip
    checkpoint = train(tmp_path, tmp_path / "old.h5", KEYS, {"epochs": 12, "lr": 0.02},
                       input_len=6, horizon=2, targets=["sales"])  # fmt: skip
    assert evaluate(checkpoint, tmp_path / "old.h5")["mse"] > 0.8


def with_future(frame, rows):
    """The last rows of each series without sales."""
    frame = frame.copy()
    last = frame.groupby("store").cumcount(ascending=False) < rows
    frame.loc[last, "sales"] = numpy.nan
    return frame


@pytest.mark.parametrize("way", ["input", "data", "future", "future with targets"])
def test_the_future_is_of_rows_without_targets(tmp_path, shop, way):
    _, checkpoint, mean, std = shop
    frame = stores(30, ["west", "north"], seed=70)[["store", "sales", "at", "price", "promo"]]
    with_future(frame, 4).to_csv(tmp_path / "new.csv", index=False)
    given = ["--input", tmp_path / "new.csv"]
    if way == "data":
        quadgate("prepare", "--like", checkpoint, tmp_path / "new.csv", "-o", tmp_path / "new.h5")
        given = ["--data", tmp_path / "new.h5"]
    if way.startswith("future"):
        behind = frame.groupby("store").cumcount(ascending=False) < 4
        frame[~behind].to_csv(tmp_path / "new.csv", index=False)
        known = frame[behind].sort_values(["at", "store"])
        if way == "future":
            known = known[["promo", "price", "store", "at"]]
        known.to_csv(tmp_path / "known.csv", index=False, sep=";")
        given += ["--future", tmp_path / "known.csv"]
    quadgate("predict", checkpoint, *given, "-o", tmp_path / "out.csv")
    lstm = Model(5, 2, hidden_size=8)
    lstm.load_state_dict(state_dict(checkpoint))
    found = pandas.read_csv(tmp_path / "out.csv")
    for store, group in frame.groupby("store"):
        rows = (group[["promo", "sales", "price"]].to_numpy() - mean) / std
        with torch.no_grad():
            x = torch.from_numpy(known_windows(rows, 6, 2, [0, 2])[26 - 6])
            expected = lstm([x]).numpy()[0] * std[1] + mean[1]
        its = found[found["series"] == store]
        assert abs(its["prediction"] - expected).max() < 1e-5 * std[1]
        assert list(its["time"]) == [str(t)[:10] for t in group["at"].iloc[26:28]]


def test_nothing_else_of_the_future_is_seen(tmp_path, shop):
    """Rows behind the origin change: windows that end there stay, to the bit, but for known columns."""
    _, checkpoint, *_ = shop

    def forecast(frame):
        frame.to_csv(tmp_path / "new.csv", index=False)
        quadgate("predict", checkpoint, "--input", tmp_path / "new.csv", "--windows", "-o",
                 tmp_path / "out.h5")  # fmt: skip
        with h5py.File(tmp_path / "out.h5") as file:
            return {int(row[0]): values for row, values in zip(file["row"], file["prediction"])}

    frame = stores(30, ["west"], seed=80).drop(columns=["kind", "area"])
    before = forecast(frame)
    changed = frame.copy()
    changed.loc[20:, "sales"] *= 7
    after = forecast(changed)
    assert all((after[row] == before[row]).all() for row in range(6, 21))
    assert (after[21] != before[21]).all()
    changed = frame.copy()
    changed.loc[21, "promo"] = 1 - changed.loc[21, "promo"]
    after = forecast(changed)
    assert (after[20] != before[20]).all() and (after[19] == before[19]).all()


def test_a_future_that_is_not_known(tmp_path, shop):
    folder, checkpoint, *_ = shop
    frame = stores(30, ["west"], seed=80).drop(columns=["kind", "area"])

    def of(table, *options):
        table.to_csv(tmp_path / "new.csv", index=False)
        return refusal("predict", checkpoint, "--input", tmp_path / "new.csv", *options, "-o",
                       tmp_path / "o.csv")  # fmt: skip

    assert ("new.csv: series 'west': column 'promo': expected values in the 2 rows behind the last "
            "one, which are to be forecast, found 1 such rows") in of(with_future(frame, 1))  # fmt: skip
    gap = with_future(frame, 3)
    gap.loc[28, "price"] = numpy.nan
    assert "new.csv:30: column 'sales': expected a number, found ''" in of(gap)
    middle = frame.copy()
    middle.loc[10, "sales"] = numpy.nan
    assert "new.csv:12: column 'sales': expected a number, as rows with numbers follow" in of(middle)
    assert "--steps 3: expected at most 2, the horizon: what comes behind it needs columns" in of(
        with_future(frame, 5), "--steps", 3)  # fmt: skip
    past, future = frame[:28], frame[28:].drop(columns="sales")

    def behind(table):
        table.to_csv(tmp_path / "known.csv", index=False)
        return of(past, "--future", tmp_path / "known.csv")

    assert "found 1 such rows" in behind(future[:1])
    line = behind(future.assign(price=[numpy.nan, 1]))
    assert "known.csv:2: column 'price': expected a number, found ''" in line
    assert "known.csv: expected a column 'promo'" in behind(future.drop(columns="promo"))
    later = pandas.concat([future[1:], future[1:].assign(at=pandas.Timestamp("2024-01-31"))])
    for line, found, table in [(2, "2024-01-30", later), (2, "2024-01-28", frame[27:].drop(columns="sales")),
                               (3, "2024-01-31", later.assign(at=["2024-01-29", "2024-01-31"]))]:  # fmt: skip
        assert (f"known.csv:{line}: column 'at': expected 2024-01-{27 + line}, 1d behind the latest row "
                f"before it, found '{found}'") in behind(table)  # fmt: skip
    line = "known.csv:4: column 'store': expected a series that has rows in front of these, found 'moon'"
    assert line in behind(
        pandas.concat([future, future.assign(store="moon")]))  # fmt: skip
    assert "--future: expected --input" in refusal(
        "predict", checkpoint, "--data", folder / "old.h5", "--future", tmp_path / "known.csv",
        "-o", tmp_path / "o.csv")  # fmt: skip
    assert "--known: expected columns that are features, found 'store'" in refusal(
        "prepare", "csv", tmp_path / "new.csv", "--group", "store", "--known", "store", "-o",
        tmp_path / "x.h5")  # fmt: skip
    run_file = tmp_path / "run.toml"
    run_file.write_text(f'[data]\npath = "{folder}/old.h5"\ninput_len = 2\nhorizon = 3\n'
                        f'[model]\nhidden_size = 2\n[train]\nepochs = 1\n'
                        f'[output]\ndir = "{tmp_path}/run"\n')  # fmt: skip
    assert "input_len: expected at least the horizon, 3, with columns that are known" in refusal(
        "train", run_file)  # fmt: skip


def test_keras_reads_what_is_known(tmp_path, shop):
    """A model of the features and, behind them, the known columns a horizon on: raw values in and out."""
    keras = pytest.importorskip("keras", reason="NOT TESTED: no keras")
    folder, checkpoint, mean, std = shop
    quadgate("export", checkpoint, "-o", tmp_path / "m.weights.h5")
    layers = keras.layers
    model = keras.Sequential([keras.Input((None, 5)), layers.Normalization(), layers.LSTM(8),
                              layers.Dense(2), layers.Normalization(invert=True)])  # fmt: skip
    model.load_weights(tmp_path / "m.weights.h5")
    quadgate("predict", checkpoint, "--data", folder / "old.h5", "--windows", "-o", tmp_path / "out.h5")
    inputs = []
    for _, group in stores(200).sort_values("store", kind="stable").groupby("store"):
        rows = group[["promo", "sales", "price"]].to_numpy()
        inputs += list(known_windows(rows, 6, 2, [0, 2])[140 - 6 : 200 - 6 - 1])
    found = model.predict(numpy.stack(inputs), verbose=0)
    with h5py.File(tmp_path / "out.h5") as file:
        assert abs((found - file["prediction"][..., 0]) / std[1]).max() < 1e-5


def test_a_known_column_has_no_level(tmp_path, shop):
    folder, *_ = shop
    runtime = pytest.importorskip("onnxruntime", reason="NOT TESTED: no onnxruntime")
    checkpoint = train(tmp_path, folder / "old.h5", {**KEYS, "normalize": "instance"},
                       {"epochs": 1}, input_len=6, horizon=2)  # fmt: skip
    with h5py.File(checkpoint) as file:
        assert list(file["model"].attrs["without_level"]) == [0, 2, 3, 4]
    model = package.load(checkpoint)
    x = torch.randn(4, 6, 5)
    assert model.standardize(x).shape == x.shape
    quadgate("export", checkpoint, "--standardized", "-o", tmp_path / "model.onnx")
    session = runtime.InferenceSession(tmp_path / "model.onnx")
    (graph,) = session.run(None, {"x": x.numpy(), "lengths": numpy.full(4, 6, "i4")})
    with torch.no_grad():
        assert abs(graph - model(x).numpy()).max() < 1e-5
    quadgate("export", checkpoint, "-o", tmp_path / "raw.onnx")
    session = runtime.InferenceSession(tmp_path / "raw.onnx")
    mean, std = model.mean.numpy(), model.std.numpy()
    raw = {"x": (x.numpy() * std + mean).astype("f4"), "lengths": numpy.full(4, 6, "i4")}
    (found,) = session.run(None, raw)
    assert abs((found - mean[1]) / std[1] - graph).max() < 1e-4
