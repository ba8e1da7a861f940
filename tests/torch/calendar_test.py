"""Forecasts with features of the calendar. Sweeps ways of writing times, steps, refusals,
and every way from a table to a forecast. The truth is pandas for features, torch for forecasts.
Tolerance: 1e-6 of features, 1e-5 of forecasts in units of the series' spread."""

import json

import h5py
import numpy
import pandas
import pytest
import torch

from covariates import PARTS, calendar, stored
from formats_test import expect_same_model
from normalization_test import package
from support import Model, evaluate, quadgate, refusal, state_dict, train


def series(rows, start="2023-12-20 20:00", freq="h", seed=3):
    rng = numpy.random.default_rng(seed)
    at = pandas.date_range(start, periods=rows, freq=freq)
    load = 100 + 20 * numpy.sin(2 * numpy.pi * at.hour / 24) + rng.normal(size=rows)
    return pandas.DataFrame({"at": at, "load": load, "temp": rng.normal(size=rows).cumsum()})


@pytest.mark.parametrize("written", ["dates", "days first", "seconds", "milliseconds"])
@pytest.mark.parametrize("freq", ["7min", "h", "D", "MS"])
def test_calendar_features_are_pandas(tmp_path, written, freq):
    frame = series(200, freq=freq, start="2019-11-03 00:00")
    at = frame["at"]
    seconds = at.astype("datetime64[s]").astype("int64")
    frame["at"] = {"dates": at, "days first": at.dt.strftime("%d/%m/%Y %H:%M"),
                   "seconds": seconds, "milliseconds": 1000 * seconds}[written]  # fmt: skip
    frame.to_csv(tmp_path / "a.csv", index=False)
    quadgate("prepare", "csv", tmp_path / "a.csv", "--time", "at", "--calendar", ",".join(PARTS),
             "--date-order" if written == "days first" else "--standardize",
             *(["day-first"] if written == "days first" else []), "-o", tmp_path / "a.h5")  # fmt: skip
    found, expected = stored(tmp_path / "a.h5"), calendar(at, PARTS)
    assert list(found) == ["load", "temp", *expected]
    assert abs(found[list(expected)] - expected).to_numpy().max() < 1e-6
    with h5py.File(tmp_path / "a.h5") as file:
        assert file.attrs["format_version"] == 4
        assert list(file.attrs["source_calendar"]) == list(PARTS)


def test_calendar_features_go_with_their_rows(tmp_path):
    """Rows of two series in turns, resampled, with a gap that is filled."""
    frames = [series(60, seed=s).assign(site=f"s{s}") for s in (1, 2)]
    frame = pandas.concat(frames).drop(index=[20, 21]).sort_values("at", kind="stable")
    frame.to_csv(tmp_path / "a.csv", index=False)
    quadgate("prepare", "csv", tmp_path / "a.csv", "--group", "site", "--resample", "2h",
             "--missing", "forward", "--calendar", "hour,weekday", "-o", tmp_path / "a.h5")  # fmt: skip
    at = frames[0].set_index("at")["load"].resample("2h").mean().index
    expected = calendar(list(at) * 2, ["hour", "weekday"])
    assert abs(stored(tmp_path / "a.h5")[list(expected)] - expected).to_numpy().max() < 1e-6


@pytest.fixture(scope="module")
def clock(tmp_path_factory):
    """A model that reads hour and weekday, and what torch needs to be it."""
    folder = tmp_path_factory.mktemp("clock")
    frame = series(400)
    frame.to_csv(folder / "old.csv", index=False)
    quadgate("prepare", "csv", folder / "old.csv", "--calendar", "hour,weekday", "--standardize",
             "--test-fraction", 0.25, "-o", folder / "old.h5")  # fmt: skip
    checkpoint = train(folder, folder / "old.h5", {"hidden_size": 8}, {"epochs": 3, "lr": 0.02},
                       input_len=12, horizon=3)  # fmt: skip
    lstm = Model(6, 6, hidden_size=8)
    lstm.load_state_dict(state_dict(checkpoint))
    past = frame[["load", "temp"]].to_numpy()[:300]
    return checkpoint, folder / "old.h5", lstm, past.mean(0), past.std(0)


@pytest.mark.parametrize("steps", [3, 11])
@pytest.mark.parametrize("way", ["input", "data"])
def test_the_future_has_its_own_hours(tmp_path, clock, steps, way):
    checkpoint, _, lstm, mean, std = clock
    frame = series(40, start="2024-06-30 13:00", seed=9)
    new, out = tmp_path / "new.csv", tmp_path / "out.csv"
    frame.to_csv(new, index=False)
    given = ["--input", new]
    if way == "data":
        quadgate("prepare", "--like", checkpoint, new, "-o", tmp_path / "new.h5")
        given = ["--data", tmp_path / "new.h5"]
    quadgate("predict", checkpoint, *given, "--steps", steps, "-o", out)
    at = pandas.date_range(frame["at"][0], periods=40 + steps + 3, freq="h")
    hours = calendar(at, ["hour", "weekday"]).to_numpy()
    values = (frame[["load", "temp"]].to_numpy() - mean) / std
    for _ in range(0, steps, 3):
        end = len(values)
        window = numpy.hstack([values, hours[:end]])[end - 12 :].astype("f4")
        with torch.no_grad():
            outputs = lstm([torch.from_numpy(window)]).numpy().reshape(3, 2)
        values = numpy.vstack([values, outputs])
    found = pandas.read_csv(out).pivot(index="step", columns="target", values="prediction")
    expected = values[40 : 40 + steps] * std + mean
    assert abs(found[["load", "temp"]].to_numpy() - expected).max() < 1e-5 * std.max() * steps
    assert list(pandas.read_csv(out)["time"].unique()) == [str(t) for t in at[40 : 40 + steps]]


def test_evaluate_reads_a_table_as_its_data(tmp_path, clock):
    checkpoint, data, *_ = clock
    frame = series(400)
    frame.iloc[300 - 12 :].to_csv(tmp_path / "rest.csv", index=False)
    rest = quadgate("evaluate", checkpoint, "--input", tmp_path / "rest.csv", "--json")
    assert json.loads(rest)["mse"] == pytest.approx(evaluate(checkpoint, data)["mse"], rel=1e-6)


@pytest.mark.parametrize("normalize", ["last", "instance"])
def test_hours_have_no_level(tmp_path, clock, normalize):
    """Each way out computes the same: what is left of the hour is not its difference to the last."""
    _, data, *_ = clock
    checkpoint = train(tmp_path, data, {"hidden_size": 6, "normalize": normalize},
                       {"epochs": 1, "lr": 0.02}, input_len=12, horizon=3)  # fmt: skip
    with h5py.File(data) as file:
        x = file["train/x"][: 300 + 12 + 2]
    windows = torch.from_numpy(numpy.stack([x[i : i + 12] for i in range(288, 303)]))
    quadgate("predict", checkpoint, "--data", data, "--windows", "-o", tmp_path / "out.h5")
    with h5py.File(tmp_path / "out.h5") as file:
        found = file["prediction"][:15]
    with h5py.File(data) as file:
        mean, std = file.attrs["mean"][:2], file.attrs["std"][:2]
    model = package.load(checkpoint)
    with torch.no_grad():
        outputs = model(windows).numpy().reshape(-1, 3, 2)
        shifted = model(windows + torch.tensor([0, 0, 0.5, 0.5, 0, 0])).numpy().reshape(-1, 3, 2)
    assert abs(found - (outputs * std + mean)).max() < 1e-5 * std.max()
    assert abs(shifted - outputs).max() > 1e-3
    quadgate("export", checkpoint, "--standardized", "-o", tmp_path / "model.onnx")
    quadgate("import", tmp_path / "model.onnx", "-o", tmp_path / "back.h5")
    expect_same_model(tmp_path / "back.h5", checkpoint)
    runtime = pytest.importorskip("onnxruntime", reason="NOT TESTED: no onnxruntime")
    session = runtime.InferenceSession(tmp_path / "model.onnx")
    (graph,) = session.run(None, {"x": windows.numpy(), "lengths": numpy.full(15, 12, "i4")})
    assert abs(graph.reshape(-1, 3, 2) - outputs).max() < 1e-5


def test_what_the_calendar_cannot_be(tmp_path, clock):
    checkpoint, data, *_ = clock
    frame = series(40)
    frame.to_csv(tmp_path / "a.csv", index=False)
    out = ["-o", tmp_path / "a.h5"]

    def of(table, *options, calendar="hour"):
        table.to_csv(tmp_path / "b.csv", index=False)
        return refusal("prepare", "csv", tmp_path / "b.csv", "--calendar", calendar, *options, *out)

    assert "expected some of minute, hour," in of(frame, calendar="hour,century")
    assert "found 'hour,hour'" in of(frame, calendar="hour,hour")
    assert "column of times for --calendar (--time names it)" in of(frame[["load", "temp"]])
    assert "--calendar: expected times, found numbers in column 'load'" in of(
        frame[["load", "temp"]], "--time", "load")  # fmt: skip
    assert "b.csv:7: column 'at': expected a time (dates), as in the first rows, found 'x'" in of(
        frame.assign(at=frame["at"].astype(str).where(frame.index != 5, "x")))  # fmt: skip
    assert "column 'hour_sin': expected none of that name" in of(frame.assign(hour_sin=1.0))
    assert "--calendar: expected none beside --like" in refusal(
        "prepare", "csv", "--like", data, tmp_path / "a.csv", "--calendar", "hour", *out)  # fmt: skip
    frame[["load", "temp"]].to_csv(tmp_path / "b.csv", index=False)
    assert "b.csv: expected a column 'at'" in refusal(
        "predict", checkpoint, "--input", tmp_path / "b.csv", "-o", tmp_path / "o.csv")  # fmt: skip
    run_file = tmp_path / "run.toml"
    run_file.write_text(f'[data]\npath = "{data}"\ninput_len = 4\nhorizon = 1\n'
                        'targets = ["load", "hour_cos"]\n[model]\nhidden_size = 2\n'
                        f'[train]\nepochs = 1\n[output]\ndir = "{tmp_path}/run"\n')  # fmt: skip
    assert "expected columns that are not known beforehand, found 'hour_cos'" in refusal(
        "train", run_file)  # fmt: skip
