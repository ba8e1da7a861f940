"""Forecasts whose series are standardized each by its own scale. Sweeps ways to evaluate and forecast, new
files, and refusals. The truth is scikit-learn's StandardScaler of each series' train rows, and torch
for forecasts in these units. Tolerance: 1e-5 of forecasts in units of their series' spread."""

import json
import os
import subprocess

import h5py
import numpy
import pandas
import pytest
import torch

from normalization_test import package
from series_scale import (
    COLUMNS,
    LEVELS,
    ROWS,
    TEST,
    expect_forecasts,
    expect_scaled,
    forecasts,
    future,
    original,
    prepare,
    prepare_scaled,
    scalers,
    table,
    trained,
)
from support import evaluate, quadgate, refusal


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """Table, data set and checkpoint."""
    folder = tmp_path_factory.mktemp("series")
    frame = table()
    data = prepare_scaled(folder, frame)
    return frame, data, trained(folder, data)


@pytest.mark.parametrize("kind", ["csv", "h5"])
def test_predictions_of_windows_are_torchs(tmp_path, run, kind):
    frame, data, checkpoint = run
    quadgate("predict", checkpoint, "--data", data, "--split", "test",
             "-o", tmp_path / f"out.{kind}")  # fmt: skip
    if kind == "h5":
        with h5py.File(tmp_path / "out.h5") as file:
            found = file["values"][()]
    else:
        found = pandas.read_csv(tmp_path / "out.csv").drop(columns="row").to_numpy()
    quadgate("predict", checkpoint, "--data", data, "--windows", "--split", "test",
             "-o", tmp_path / "windows.csv")  # fmt: skip
    of_windows = pandas.read_csv(tmp_path / "windows.csv")
    expected, truth, scale = [], [], []
    for name, its in frame.groupby("shop", sort=False):
        scaler, values = scalers(frame)[name], its[COLUMNS].to_numpy()
        x = scaler.transform(values)
        begins = range(ROWS - TEST - 12, ROWS - 14)
        outputs = forecasts(checkpoint, [x[begin : begin + 12] for begin in begins])
        expected += [*original(scaler, outputs)]
        truth += [values[begin + 12 : begin + 15, 0] for begin in begins]
        scale += [scaler.scale_[0]] * len(begins)
    expected, truth, scale = map(numpy.array, (expected, truth, scale))
    assert found.shape == expected.shape
    assert (abs(found - expected) / scale[:, None]).max() < 1e-5
    table = of_windows["prediction"].to_numpy().reshape(expected.shape)
    assert (abs(table - expected) / scale[:, None]).max() < 1e-5
    table = of_windows["truth"].to_numpy().reshape(expected.shape)
    assert (abs(table - truth) / scale[:, None]).max() < 1e-6
    found = evaluate(checkpoint, data)
    errors = (expected - truth).ravel()
    assert abs(found["mse"] / numpy.mean(((expected - truth) / scale[:, None]) ** 2) - 1) < 1e-4
    assert abs(found["mse_raw"] / numpy.mean(errors**2) - 1) < 1e-4
    assert abs(found["mae_raw"] / numpy.mean(abs(errors)) - 1) < 1e-4
    of_series = abs(expected - truth).reshape(len(LEVELS), -1).mean(1)
    for name, mae in zip(LEVELS, of_series, strict=True):
        assert abs(found["series"][name]["mae"] / mae - 1) < 1e-4
    last = numpy.concatenate([
        (its["sales"].to_numpy()[begin + 11] - its["sales"].to_numpy()[begin + 12 : begin + 15]) ** 2
        for _, its in frame.groupby("shop", sort=False) for begin in range(ROWS - TEST - 12, ROWS - 14)
    ])  # fmt: skip
    assert abs(found["baselines"]["last"]["mse"] / last.mean() - 1) < 1e-5


def test_the_future_of_a_new_file_is_in_units_of_its_series(tmp_path, run):
    """Series of the training have its scale, whatever their new rows are; another one its own."""
    frame, data, checkpoint = run
    new = table({"large": (1.1e6, 2e4), "new": (2e4, 300), "small": (9, 2)}, rows=40, first=ROWS)
    new.to_csv(tmp_path / "new.csv", index=False)
    known = scalers(frame)
    own = scalers(new, rows=40)
    expected = {"large": known["large"], "small": known["small"], "new": own["new"]}
    command = [os.environ["QUADGATE_BIN"], "predict", checkpoint, "--input", tmp_path / "new.csv",
               "-o", tmp_path / "out.csv"]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert f"{tmp_path}/new.csv: series that the model was not trained on: 1 (new): " in done.stderr
    expect_forecasts(tmp_path / "out.csv", future(checkpoint, new, expected), expected)
    quadgate("prepare", "--like", checkpoint, tmp_path / "new.csv", "-o", tmp_path / "like.h5")
    expect_scaled(tmp_path / "like.h5", new, expected)
    quadgate("predict", checkpoint, "--data", tmp_path / "like.h5", "-o", tmp_path / "again.csv")
    assert (tmp_path / "again.csv").read_bytes() == (tmp_path / "out.csv").read_bytes()
    quadgate("prepare", "--like", data, tmp_path / "new.csv", "-o", tmp_path / "like_data.h5")
    expect_scaled(tmp_path / "like_data.h5", new, expected)
    whole = json.loads(quadgate("evaluate", checkpoint, "--input", tmp_path / "new.csv", "--json"))
    again = evaluate(checkpoint, tmp_path / "like.h5", "train")
    assert whole["mse_raw"] == again["mse_raw"]


@pytest.mark.parametrize("scale", ["--standardize", "--standardize-series", None])
def test_data_of_another_scale_come_into_that_of_the_model(tmp_path, run, scale):
    frame, data, checkpoint = run
    new = table(dict(list(LEVELS.items())[1:]), rows=40, first=ROWS, seed=5)
    known = scalers(frame)
    other = prepare(tmp_path, new, *([scale] if scale else []), name="new")
    quadgate("predict", checkpoint, "--data", other, "-o", tmp_path / "out.csv")
    found = pandas.read_csv(tmp_path / "out.csv")
    # Values of one scale for all series are rounded to float32 in units of the widest.
    for name, values in future(checkpoint, new, known).items():
        of_series = found[found["series"] == name]["prediction"].to_numpy()
        tolerance = 1e-5 if scale == "--standardize-series" else 1e-3
        assert abs(of_series - values).max() < tolerance * known[name].scale_[0]
    if scale == "--standardize-series":
        return
    unknown = prepare(tmp_path, table({"large": (1, 1), "new": (2, 1)}, rows=40),
                      *([scale] if scale else []), name="unknown")  # fmt: skip
    line = refusal("predict", checkpoint, "--data", unknown, "-o", tmp_path / "no.csv")
    assert "unknown.h5: series 'new': the model knows no scale of it" in line


@pytest.mark.parametrize("scale", ["--standardize", None])
def test_data_whose_digits_another_scale_has_lost_are_refused(tmp_path, scale):
    levels = {"small": (10, 1e-3), "large": (1e6, 1e5)} if scale else {"large": (1e6, 1e-2)}
    frame = table(levels)
    checkpoint = trained(tmp_path, prepare_scaled(tmp_path, frame))
    other = prepare(tmp_path, frame, *([scale] if scale else []), name="other")
    line = refusal("predict", checkpoint, "--data", other, "-o", tmp_path / "no.csv")
    assert f"other.h5: series '{next(iter(levels))}': feature 'sales': expected values whose" in line
    assert "off by " in line and "prepare --like" in line
    quadgate("prepare", "--like", checkpoint, tmp_path / "other.csv", "-o", tmp_path / "like.h5")
    quadgate("predict", checkpoint, "--data", tmp_path / "like.h5", "-o", tmp_path / "out.csv")
    expected = future(checkpoint, frame, known := scalers(frame))
    expect_forecasts(tmp_path / "out.csv", expected, known)


def test_a_model_of_one_scale_takes_such_data(tmp_path, run):
    frame, data, _ = run
    one = prepare(tmp_path, frame, "--standardize", "--test-fraction", TEST / ROWS, name="one")
    checkpoint = trained(tmp_path, one)
    near = table({"a": (10, 1), "b": (12, 2)})
    plain = prepare(tmp_path, near, name="plain")
    by_series = prepare(tmp_path, near, "--standardize-series", name="by_series")
    found = [evaluate(checkpoint, path, "train")["mse_raw"] for path in (plain, by_series)]
    assert abs(found[0] / found[1] - 1) < 1e-5


@pytest.mark.parametrize("loss", ["gaussian", "pinball"])
def test_bands_and_steps_beyond_the_horizon_are_in_units_of_the_series(tmp_path, run, loss):
    frame, data, _ = run
    settings = {"loss": loss, **({"quantiles": [0.1, 0.5, 0.9]} if loss == "pinball" else {})}
    only = prepare_scaled(tmp_path, frame, "--columns", "sales", name="only")
    checkpoint = trained(tmp_path, only, **settings)
    each = 3 if loss == "pinball" else 2
    quadgate("predict", checkpoint, "--data", only, "--steps", 6, "-o", tmp_path / "out.csv")
    found = pandas.read_csv(tmp_path / "out.csv")
    for name, scaler in scalers(frame, columns=["sales"]).items():
        its = frame[frame["shop"] == name][["sales"]].to_numpy()
        window = scaler.transform(its)[-12:]
        points, spreads = [], []
        for _ in range(2):
            outputs = forecasts(checkpoint, [window], each, 1)[0].reshape(3, each)
            point = outputs[:, 1] if loss == "pinball" else outputs[:, 0]
            spread = outputs[:, 2] if loss == "pinball" else numpy.log1p(numpy.exp(outputs[:, 1]))
            window = numpy.concatenate([window, point[:, None]])[-12:]
            points += [*point]
            spreads += [*spread]
        rows = found[found["series"] == name]
        tolerance = 2e-5 * scaler.scale_[0]
        assert abs(rows["prediction"] - original(scaler, numpy.array(points))).max() < tolerance
        if loss == "pinball":
            upper = original(scaler, numpy.array(spreads))
            assert abs(rows["q0.9"] - upper).max() < tolerance
        else:
            scale = numpy.array(spreads) * scaler.scale_[0]
            assert abs(rows["scale"] - scale).max() < tolerance
    # The wide table of a split has the same units.
    quadgate("predict", checkpoint, "--data", only, "--split", "test", "-o", tmp_path / "w.csv")
    wide = pandas.read_csv(tmp_path / "w.csv").drop(columns="row").to_numpy()
    quadgate("predict", checkpoint, "--data", only, "--split", "test", "--windows",
             "-o", tmp_path / "long.csv")  # fmt: skip
    long = pandas.read_csv(tmp_path / "long.csv")
    column, name = (2, "q0.9") if loss == "pinball" else (1, "scale")
    expected = long[name].to_numpy().reshape(len(wide), 3)
    assert abs(wide[:, column::each] / expected - 1).max() < 1e-6


def test_folds_are_standardized_by_their_own_train_rows(tmp_path, run):
    frame, data, _ = run
    lines = [f'data = {{path = "{data}", input_len = 12, horizon = 3, targets = ["sales"]}}',
             "model = {hidden_size = 4}", "train = {epochs = 1}",
             f'output = {{dir = "{tmp_path}/folds"}}']  # fmt: skip
    (tmp_path / "run.toml").write_text("\n".join(lines) + "\n")
    quadgate("backtest", tmp_path / "run.toml", "--folds", 2, "--test-size", 20)
    for fold, rows in enumerate((ROWS - 40, ROWS - 20)):
        part = frame.groupby("shop").head(rows + 20)
        fold_data = tmp_path / "folds" / f"fold-{fold}" / "data.h5"
        # The values are those of the data set, rounded to float32 in units of the spread.
        expect_scaled(fold_data, part, scalers(part, rows=rows), tolerance=1e-8)


def test_scales_go_with_the_model(tmp_path, run):
    frame, data, checkpoint = run
    expected = evaluate(checkpoint, data)
    for name in ("model.pt", "model.safetensors", "model.h5", "model.onnx"):
        units = ["--standardized"] if name == "model.onnx" else []
        quadgate("export", checkpoint, "-o", tmp_path / name, *units)
        quadgate("import", tmp_path / name, "-o", tmp_path / "back.h5")
        assert evaluate(tmp_path / "back.h5", data) == expected
    for name in ("model.onnx", "model.weights.h5"):
        line = refusal("export", checkpoint, "-o", tmp_path / name)
        assert f"{name}: expected --standardized" in line and "3 series" in line
    quadgate("export", checkpoint, "-o", tmp_path / "model.weights.h5", "--standardized")
    loaded = package.load(checkpoint)
    values = {name: its[COLUMNS].to_numpy() for name, its in frame.groupby("shop")}
    names = ["large", "small"]
    x = torch.from_numpy(numpy.stack([values[name][:12] for name in names]))
    expected = [scalers(frame)[name].transform(values[name][:12]) for name in names]
    assert abs(loaded.standardize(x, names).numpy() - expected).max() < 1e-6
    with pytest.raises(ValueError, match="series: expected 2 names, one a row, found None"):
        loaded.standardize(x)


def test_refused_is_what_has_no_series(tmp_path, run):
    frame, data, checkpoint = run
    csv, out = tmp_path / "a.csv", tmp_path / "no.h5"
    frame[frame["shop"] == "mid"].to_csv(csv, index=False)
    line = refusal("prepare", "csv", csv, "--time", "hour", "--columns", "sales,price",
                   "--standardize-series", "-o", out)  # fmt: skip
    assert "a.csv: expected series with names" in line and "--group" in line
    refusal("prepare", "csv", csv, "--group", "shop", "--standardize-series", "--standardize",
            "-o", out)  # fmt: skip
    line = refusal("prepare", "--like", checkpoint, csv, "--standardize-series", "-o", out)
    assert "--standardize-series" in line
    (tmp_path / "a.ts").write_text("@classLabel true a b\n@data\n1,2:a\n3,4:b\n")
    line = refusal("prepare", "ts", tmp_path / "a.ts", "--standardize-series", "-o", out)
    assert "--standardize-series: expected series to forecast with names" in line
    with h5py.File(data) as file, h5py.File(out, "w") as nameless:
        for name in file.attrs:
            if not name.startswith("series_"):
                nameless.attrs[name] = file.attrs[name]
        for split in ("train", "test"):
            file.copy(split, nameless)
    line = refusal("evaluate", checkpoint, "--data", out)
    assert "no.h5: series: the model expects series with names" in line
    for change, said in {
        "series_mean": "series_std'", "series_names": "series_mean'", "nan": "series_mean'",
        "zero": "series_std'", "both": "series_mean'",
    }.items():  # fmt: skip
        broken = tmp_path / "broken.h5"
        broken.write_bytes(data.read_bytes())
        with h5py.File(broken, "r+") as file:
            if change in file.attrs:
                file.attrs[change] = file.attrs[change][:-1]
            if change in ("nan", "zero"):
                name = {"nan": "series_mean", "zero": "series_std"}[change]
                file.attrs[name] = file.attrs[name] * {"nan": numpy.nan, "zero": 0}[change]
            if change == "both":
                file.attrs["mean"] = file.attrs["std"] = [1.0, 1.0]
        assert said in refusal("inspect", broken), change


def test_beats_one_scale_on_unequal_levels(tmp_path):
    """Of series whose spreads differ a thousandfold, one scale shows a model the widest alone."""
    rng = numpy.random.default_rng(7)
    levels = {f"s{i}": (10.0 ** rng.uniform(0, 4), 10.0 ** rng.uniform(-1, 2)) for i in range(8)}
    frame = table(levels, rows=200)
    mase = {}
    for scale in ("--standardize", "--standardize-series"):
        (tmp_path / scale).mkdir()
        data = prepare(tmp_path / scale, frame, scale, "--test-fraction", 0.25)
        mase[scale] = evaluate(trained(tmp_path / scale, data, epochs=30), data)["mase"]
    assert mase["--standardize-series"] < 1 < mase["--standardize"]


def test_several_files_are_as_one(tmp_path, run):
    frame, data, checkpoint = run
    expected = evaluate(checkpoint, data)
    given = []
    for name, series in {"a": ["small", "mid"], "b": ["large"]}.items():
        path = prepare_scaled(tmp_path, frame[frame["shop"].isin(series)], name=name)
        given += ["--data", path]
    found = json.loads(quadgate("evaluate", checkpoint, *given, "--json"))
    assert found["mse_raw"] == expected["mse_raw"] and found["series"] == expected["series"]
    assert found["baselines"] == expected["baselines"]
    other = prepare_scaled(tmp_path, frame[frame["shop"] == "mid"].assign(price=1), name="other")
    run_file = tmp_path / "run.toml"
    run_file.write_text(
        f'data = {{path = ["{given[1]}", "{other}"], input_len = 12, horizon = 3}}\n'
        f'model = {{hidden_size = 2}}\ntrain = {{epochs = 1}}\noutput = {{dir = "{tmp_path}/r"}}\n'
    )
    line = refusal("train", run_file)
    assert "other.h5: attribute 'series_mean of mid': expected '-73." in line and "a.h5, found '1'" in line
