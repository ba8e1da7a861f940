"""Forecasts with bands of what comes after the last row, and of the past, beside torch.nn and scipy.stats:
quantiles, scales and degrees of freedom in original units, with --steps beyond the horizon, long and wide,
as CSV, HDF5 and on stdout. Sweeps the losses and quantiles that were not trained for. Tolerance: 1e-6 of
quantiles from the scale and df that the program tells; 1e-5 of the values' spread beside torch in float32."""

import csv
import io
import os
import subprocess

import h5py
import numpy
import pandas
import pytest
import torch
from torch.nn.functional import softplus

from support import Model, evaluate, quadgate, state_dict, train

stats = pytest.importorskip("scipy.stats")

LOSSES = {
    "pinball": {"loss": "pinball", "quantiles": [0.05, 0.4, 0.9]},
    "gaussian": {"loss": "gaussian"},
    "student_t": {"loss": "student_t"},
}
BANDS = {"pinball": ["q0.05", "q0.4", "q0.9"], "gaussian": ["scale", "q0.1", "q0.5", "q0.9"],
         "student_t": ["scale", "df", "q0.1", "q0.5", "q0.9"]}  # fmt: skip
NAMES = ["load", "temp"]
INPUT, HORIZON = 12, 3


def run(*arguments):
    """What the program writes to stdout and stderr, and its exit code."""
    command = [os.environ["QUADGATE_BIN"], *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True)
    return done.stdout, done.stderr, done.returncode


def table(path, rows, seed):
    rng = numpy.random.default_rng(seed)
    walk = numpy.cumsum(rng.normal(size=(rows, 2)), axis=0) * [1, 30] + [10, 1e5]
    frame = pandas.DataFrame(walk, columns=NAMES)
    frame.insert(0, "at", pandas.date_range("2020-01-01", periods=rows, freq="h"))
    frame.to_csv(path, index=False)
    return walk


class Forecaster:
    def __init__(self, folder, kind):
        self.kind, self.folder = kind, folder
        past = table(folder / "old.csv", 120, 1)[:96]
        self.mean, self.std = past.mean(0), past.std(0)
        quadgate("prepare", "csv", folder / "old.csv", "--standardize", "--test-fraction", 0.2,
                 "-o", folder / "old.h5")  # fmt: skip
        self.checkpoint = train(folder, folder / "old.h5", {"hidden_size": 8},
                                {"epochs": 3, "lr": 0.02, **LOSSES[kind]}, input_len=INPUT,
                                horizon=HORIZON, targets=["temp", "load"])  # fmt: skip
        weights = state_dict(self.checkpoint)
        self.lstm = Model(2, len(weights["head.bias"]), hidden_size=8)
        self.lstm.load_state_dict(weights)

    def forecast(self, past, steps):
        """Predictions [steps, 2] and bands [steps, 2, bands] in original units, temp then load."""
        rows = list(((past - self.mean) / self.std).astype(numpy.float32))
        outputs = []
        for _ in range(-(-steps // HORIZON)):
            with torch.no_grad():
                out = self.lstm([torch.from_numpy(numpy.stack(rows[-INPUT:]))])
            outputs += list(out.reshape(HORIZON, 2, -1))
            point = {"pinball": 1}.get(self.kind, 0)
            rows += [step[:, point].flip(0).numpy() for step in outputs[-HORIZON:]]
        o = torch.stack(outputs[:steps]).double().numpy()
        mean, std = self.mean[::-1, None], self.std[::-1, None]
        if self.kind == "pinball":
            values = o * std + mean
            return values[:, :, 1], values
        loc = (o[:, :, :1] * std + mean)[:, :, 0]
        scale = (softplus(torch.from_numpy(o[:, :, 1])).numpy() + 1e-6) * self.std[::-1]
        if self.kind == "gaussian":
            return loc, numpy.stack([scale, *quantiles(loc, scale, None, (0.1, 0.5, 0.9))], -1)
        df = softplus(torch.from_numpy(o[:, :, 2])).numpy() + 2
        bands = [scale, df, *quantiles(loc, scale, df, (0.1, 0.5, 0.9))]
        return loc, numpy.stack(bands, -1)


def quantiles(loc, scale, df, levels):
    if df is None:
        return [stats.norm.ppf(level, loc, scale) for level in levels]
    return [stats.t.ppf(level, df, loc, scale) for level in levels]


@pytest.fixture(scope="module", params=LOSSES)
def forecaster(request, tmp_path_factory):
    return Forecaster(tmp_path_factory.mktemp(request.param), request.param)


def close(found, expected, std):
    """std by target; df, of the t, has no unit."""
    return numpy.abs(found - expected).max(0) / std


@pytest.mark.parametrize("steps", [2, 3, 8])
@pytest.mark.parametrize("form", ["long", "wide", "h5", "stdout"])
def test_the_future_has_bands(tmp_path, forecaster, steps, form):
    past = table(tmp_path / "new.csv", 40, 2)
    expected, bands = forecaster.forecast(past, steps)
    names = BANDS[forecaster.kind]
    out = tmp_path / ("out.h5" if form == "h5" else "out.csv")
    text, notes, code = run(
        "predict", forecaster.checkpoint, "--input", tmp_path / "new.csv", "--steps", steps,
        "-o", "-" if form == "stdout" else out, *(["--wide"] if form == "wide" else []))  # fmt: skip
    assert code == 0, notes
    if form == "h5":
        with h5py.File(out) as file:
            assert list(file.attrs["band_names"]) == names
            found = file["prediction"][0]
            its = numpy.stack([file[name][0] for name in names], -1)
    else:
        frame = pandas.read_csv(io.StringIO(text) if form == "stdout" else out)
        if form == "wide":
            columns = [f"{target}_{name}" for target in ("temp", "load") for name in names]
            assert list(frame.columns) == ["series", "time", "step", "temp", "load", *columns]
            found, its = frame[["temp", "load"]].to_numpy(), frame[columns].to_numpy()
        else:
            columns = ["series", "time", "target", "step", "prediction", "truth", *names]
            assert list(frame.columns) == columns
            found, its = frame["prediction"].to_numpy(), frame[names].to_numpy()
    its = its.reshape(steps, 2, len(names))
    std = forecaster.std[::-1]
    assert (numpy.abs(found.reshape(steps, 2) - expected) / std).max() < 1e-5
    units = numpy.stack([std if name != "df" else [1, 1] for name in names], -1)
    assert (numpy.abs(its - bands) / units).max() < 1e-5
    point = "q0.4" if forecaster.kind == "pinball" else "mean"
    recursion = f"steps 4 to {steps} go on from the model's own point forecasts ({point})"
    assert (recursion in notes) == (steps > HORIZON)


def test_windows_of_the_past_cover_as_evaluate_tells(tmp_path, forecaster):
    out = tmp_path / "out.csv"
    quadgate("predict", forecaster.checkpoint, "--data", forecaster.folder / "old.h5", "--windows",
             "-o", out)  # fmt: skip
    frame = pandas.read_csv(out)
    metrics = evaluate(forecaster.checkpoint, forecaster.folder / "old.h5")
    for name in BANDS[forecaster.kind]:
        if name.startswith("q"):
            share = (frame["truth"] <= frame[name]).mean()
            assert metrics[f"coverage_{name}"] == pytest.approx(share, abs=1e-9)
    if forecaster.kind == "pinball":
        return
    df = frame["df"] if "df" in frame else None
    for level in (0.1, 0.5, 0.9):
        expected = quantiles(frame["prediction"], frame["scale"], df, [level])[0]
        assert numpy.abs((frame[f"q{level}"] - expected) / frame["scale"]).max() < 1e-6


def test_quantiles_by_choice(tmp_path, forecaster):
    arguments = ["predict", forecaster.checkpoint, "--data", forecaster.folder / "old.h5", "-o", "-"]
    kind = forecaster.kind
    levels = [0.05, 0.9] if kind == "pinball" else [1e-4, 0.025, 0.2, 0.975, 0.99999]
    text, _, _ = run(*arguments, "--quantiles", ",".join(map(str, levels)))
    frame = pandas.read_csv(io.StringIO(text))
    assert [name for name in frame if name.startswith("q")] == [f"q{level:g}" for level in levels]
    if kind != "pinball":
        df = frame["df"] if "df" in frame else None
        for level in levels:
            expected = quantiles(frame["prediction"], frame["scale"], df, [level])[0]
            away = numpy.abs(expected - frame["prediction"]) / frame["scale"]  # df and scale are of 8 digits
            error = numpy.abs(frame[f"q{level:g}"] - expected) / frame["scale"]
            assert (error < 1e-6 * numpy.maximum(away, 1)).all()
    for choice, problem in {
        "0.9,0.1": "--quantiles: expected rising numbers above 0 and below 1, found 0.1",
        "0.5,1": "--quantiles: expected rising numbers above 0 and below 1, found 1",
        "0.05,0.5": "--quantiles: expected some of 0.05, 0.4, 0.9, which the model was trained for, "
                    "found 0.5" if kind == "pinball" else None,
    }.items():  # fmt: skip
        _, error, code = run(*arguments, "--quantiles", choice)
        assert (code, error) == ((2, f"quadgate: error: {problem}\n") if problem else (0, ""))


def test_models_of_points_have_none(tmp_path):
    table(tmp_path / "old.csv", 60, 1)
    quadgate("prepare", "csv", tmp_path / "old.csv", "-o", tmp_path / "old.h5")
    checkpoint = train(tmp_path, tmp_path / "old.h5", {"hidden_size": 2}, {"epochs": 1},
                       input_len=INPUT, horizon=HORIZON)  # fmt: skip
    arguments = ["predict", checkpoint, "--data", tmp_path / "old.h5", "-o", "-"]
    text, notes, code = run(*arguments)
    assert (code, notes, len(list(csv.reader(io.StringIO(text)))[0])) == (0, "", 6)
    _, error, code = run(*arguments, "--quantiles", 0.5)
    assert (code, error) == (2, "quadgate: error: --quantiles: expected a model with the loss pinball, "
                                "gaussian or student_t, found mse\n")  # fmt: skip
