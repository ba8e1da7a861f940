# Sweeps one and two targets, one and three series, standardized or not, a given season and a found
# one: what evaluate tells of a forecast and its baselines, against numpy's definitions of MASE
# (Hyndman and Koehler 2006), sMAPE, R2 and skill, on predictions of the program and series of the
# source. Tolerance: 1e-6 relative, of float32 values in the data set.

import csv
import json
import os
import subprocess

import h5py
import numpy
import pytest

from support import evaluate, quadgate, shared_data, train

INPUT_LEN, HORIZON, SEASON = 20, 9, 7


def write_series(path, groups, targets):
    """Columns of other sizes, a season in each, and a trend that differs from group to group."""
    rng = numpy.random.default_rng(11)
    series = []
    with open(path, "w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["group", "load", "wind"])
        for group in range(groups):
            rows = numpy.arange(160 + 20 * group)[:, None]
            season = numpy.sin(2 * numpy.pi * (rows / SEASON + numpy.array([0, 0.3])))
            values = season + 0.02 * group * rows + 0.3 * rng.normal(size=(len(rows), 2))
            values = (values * [3, 500] + [10, -2000]).astype(numpy.float32).astype(float)
            series.append(values[:, :targets])
            writer.writerows([f"g{group}", *map(repr, row.tolist())] for row in values)
    return series


def windows(series, begin, end):
    """Inputs and targets of the windows whose targets lie in rows begin to end."""
    firsts = range(max(begin - INPUT_LEN, 0), end - INPUT_LEN - HORIZON + 1)
    inputs = [series[first : first + INPUT_LEN] for first in firsts]
    truths = [series[first + INPUT_LEN : first + INPUT_LEN + HORIZON] for first in firsts]
    return numpy.stack(inputs), numpy.stack(truths)


def baseline(name, inputs, mean, season):
    if name == "mean":
        return numpy.broadcast_to(mean, (len(inputs), HORIZON, len(mean)))
    step = numpy.arange(HORIZON) % season if name == "seasonal" else numpy.zeros(HORIZON, int)
    return inputs[:, INPUT_LEN - (season if name == "seasonal" else 1) + step]


def errors(predicted, truth, scale):
    """Of arrays of one target, with the scale of each value."""
    error = predicted - truth
    return {
        "mse": numpy.square(error).mean(),
        "mae": numpy.abs(error).mean(),
        "mase": (numpy.abs(error) / scale).mean(),
        "smape": (2 * numpy.abs(error) / (numpy.abs(predicted) + numpy.abs(truth))).mean(),
        "r2": 1 - numpy.square(error).sum() / numpy.square(truth - truth.mean()).sum(),
    }


def expect_same(found, expected):
    for name, value in expected.items():
        assert found[name] == pytest.approx(value, rel=1e-6, abs=1e-9), name


@pytest.mark.parametrize("given", [None, 5, 1])
@pytest.mark.parametrize("groups, targets, standardize", [(1, 1, True), (1, 2, False), (3, 2, True)])
def test_errors_are_numpys(tmp_path, groups, targets, standardize, given):
    names = ["load", "wind"][:targets]
    series = write_series(tmp_path / "series.csv", groups, targets)
    data = tmp_path / "series.h5"
    quadgate("prepare", "csv", tmp_path / "series.csv", "--columns", "load,wind", "--test-fraction",
             0.3, *(["--standardize"] if standardize else []),
             *(["--group", "group"] if groups > 1 else []), "-o", data)  # fmt: skip
    window = {"input_len": INPUT_LEN, "horizon": HORIZON, "targets": names}
    checkpoint = train(tmp_path, data, {"hidden_size": 6}, {"epochs": 2, "lr": 0.01}, **window)
    quadgate("predict", checkpoint, "--data", data, "--split", "test", "-o", tmp_path / "out.h5")
    with h5py.File(tmp_path / "out.h5") as file:
        predicted = file["values"][()].reshape(-1, HORIZON, targets)
    option = [] if given is None else ["--season", given]
    found = json.loads(quadgate("evaluate", checkpoint, "--data", data, "--json", *option))
    season = given or SEASON
    assert found["season"] == season

    forecasts, truths, scales, of_series = {}, [], [], []
    for number, values in enumerate(series):
        border = round(len(values) * 0.7)
        past = values[:border]
        scale = numpy.abs(past[season:] - past[:-season]).mean(0)
        inputs, truth = windows(values, border, len(values))
        for name in ["last", "seasonal", "mean"]:
            forecast = baseline(name, inputs, past.mean(0), season)
            forecasts.setdefault(name, []).append(forecast)
        truths.append(truth)
        scales.append(numpy.broadcast_to(scale, truth.shape))
        of_series.append(numpy.full(len(truth), number))
    truths, scales, of_series = map(numpy.concatenate, (truths, scales, of_series))
    forecasts = {name: numpy.concatenate(parts) for name, parts in forecasts.items()}
    if season == 1:
        del forecasts["seasonal"]
    assert len(predicted) == len(truths) == found["count"]

    def expected(rows, steps, target):
        """The model's errors on a part, and its skill."""
        part = numpy.ix_(rows, steps, [target])
        least = min(numpy.square(forecast[part] - truths[part]).mean()
                    for forecast in forecasts.values())  # fmt: skip
        model = errors(predicted[part], truths[part], scales[part])
        return {**model, "skill": 1 - model["mse"] / least}

    everything, steps = numpy.arange(len(truths)), numpy.arange(HORIZON)
    model = [expected(everything, steps, target) for target in range(targets)]
    for target, name in enumerate(names):
        expect_same(found["targets"][name], model[target])
        rows = found["baselines"] if targets == 1 else found["baselines"][name]
        assert set(rows) == set(forecasts)
        for kind, forecast in forecasts.items():
            part = (..., target)
            expect_same(rows[kind], errors(forecast[part], truths[part], scales[part]))
        for step in steps:
            row = found["steps"][str(step + 1)]
            expect_same(row if targets == 1 else row[name], expected(everything, [step], target))
        for number in range(groups) if groups > 1 else []:
            part = numpy.flatnonzero(of_series == number)
            row = found["series"][f"g{number}"][name]
            expect_same(row, expected(part, steps, target))
    for key in ["mse", "mae"]:
        raw = [of_target[key] for of_target in model]
        expected_raw = raw[0] if targets == 1 else dict(zip(names, raw))
        assert found[f"{key}_raw"] == pytest.approx(expected_raw, rel=1e-6)
    for key in ["mase", "smape", "r2", "skill"]:
        value = numpy.mean([of_target[key] for of_target in model])
        assert found[key] == pytest.approx(value, rel=1e-6, abs=1e-9)


@pytest.mark.parametrize("given", [None, SEASON])
def test_rows_of_a_raw_file_are_not_those_of_training(tmp_path, given):
    """They tell no mean, scale or season, by which they would be measured themselves."""
    values = write_series(tmp_path / "series.csv", 1, 1)[0]
    quadgate("prepare", "csv", tmp_path / "series.csv", "--columns", "load", "-o", tmp_path / "old.h5")
    checkpoint = train(tmp_path, tmp_path / "old.h5", {"hidden_size": 4}, {"epochs": 1},
                       input_len=INPUT_LEN, horizon=HORIZON)  # fmt: skip
    option = [] if given is None else ["--season", given]
    found = json.loads(quadgate("evaluate", checkpoint, "--input", tmp_path / "series.csv", "--json", *option))
    assert (found["season"], found["mase"]) == (given, None)
    inputs, truth = windows(values, 0, len(values))
    kinds = ["last", "seasonal"] if given else ["last"]
    mse = {name: numpy.square(baseline(name, inputs, None, given) - truth).mean() for name in kinds}
    assert {name: row["mse"] for name, row in found["baselines"].items()} == pytest.approx(mse, rel=1e-6)
    assert found["skill"] == pytest.approx(1 - found["mse_raw"] / min(mse.values()), rel=1e-6)


def test_the_load_of_a_transformer_has_a_day_of_24_hours(tmp_path):
    source = shared_data("ETTh1.csv")
    if source is None:
        pytest.skip("there is no ETTh1.csv in ../shared/data")
    data = tmp_path / "etth1.h5"
    quadgate("prepare", "csv", source, "--valid-fraction", 0.2, "--test-fraction", 0.2,
             "--standardize", "-o", data)  # fmt: skip
    window = {"input_len": 96, "horizon": 24, "targets": ["OT"], "stride": 24}
    checkpoint = train(tmp_path, data, {"hidden_size": 4}, {"epochs": 1}, **window)
    found = evaluate(checkpoint, data)
    assert found["season"] == 24
    assert found["skill"] < 1 - found["mse_raw"] / found["baselines"]["mean"]["mse"]


def test_a_model_that_is_worse_than_its_baseline_is_called_so(tmp_path):
    rng = numpy.random.default_rng(2)
    values = numpy.cumsum(rng.normal(size=300))
    (tmp_path / "walk.csv").write_text("walk\n" + "\n".join(map(str, values)) + "\n")
    quadgate("prepare", "csv", tmp_path / "walk.csv", "--valid-fraction", 0.3, "--standardize",
             "-o", tmp_path / "walk.h5")  # fmt: skip
    past = values[:210]
    inputs, truth = windows(values[:, None], 210, 300)
    error = (inputs[:, -1:] - truth) / past.std()
    run_file = tmp_path / "run.toml"
    run_file.write_text(f"""[data]
path = "{tmp_path}/walk.h5"
input_len = {INPUT_LEN}
horizon = {HORIZON}
[model]
hidden_size = 4
[train]
epochs = 1
lr = 0.0
[output]
dir = "{tmp_path}/run"
""")
    command = [os.environ["QUADGATE_BIN"], "train", str(run_file)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    valid = json.loads((tmp_path / "run" / "metrics.jsonl").read_text())["valid_loss"]
    loss = numpy.square(error).mean()
    assert done.stderr.splitlines()[-1] == (
        f"checkpoint: {tmp_path}/run/checkpoint.h5; best.h5 is of epoch 1, worse than its baseline: "
        f"a valid loss of {valid:.4f}, but {loss:.4f} by repeating the last value"
    )


def test_what_cannot_be_told_is_said(tmp_path):
    write_series(tmp_path / "series.csv", 1, 1)
    quadgate("prepare", "csv", tmp_path / "series.csv", "--columns", "load", "--test-fraction", 0.3,
             "-o", tmp_path / "series.h5")  # fmt: skip
    window = {"input_len": INPUT_LEN, "horizon": HORIZON}
    data = tmp_path / "series.h5"
    checkpoint = train(tmp_path, data, {"hidden_size": 4}, {"epochs": 1}, **window)
    command = ["evaluate", checkpoint, "--data", data]
    text = quadgate(*command, "--by", "step")
    assert f"baselines (season {SEASON}, found by the autocorrelation of the train split):" in text
    rows = [line.split() for line in text.splitlines()]
    assert ["baseline", "mse", "mae", "mase", "smape", "r2"] in rows
    assert ["target", "mse", "mae", "mase", "smape", "r2", "skill"] in rows
    assert ["step", "mse", "mae", "mase", "smape", "r2", "skill"] in rows
    assert "season 5, as given" in quadgate(*command, "--season", 5)
    for arguments, line in {
        ("--season", "21"): "--season: expected 1 to 20 (input_len: a window has no more), found 21",
        ("--by", "series"): "--by: expected target, baseline or step, found 'series'",
        ("--top-k", "2"): "--top-k: expected only for classes, found 2 for forecast",
    }.items():
        done = subprocess.run([os.environ["QUADGATE_BIN"], *map(str, command), *arguments],
                              capture_output=True, text=True)  # fmt: skip
        assert (done.returncode, done.stdout) == (2, "")
        assert done.stderr == f"quadgate: error: {line}\n"
    with h5py.File(data, "a") as file:
        del file["train"]
    text = quadgate(*command)
    assert "baselines (no train split of these series: neither mean nor mase):" in text
    found = evaluate(checkpoint, data)
    assert list(found["baselines"]) == ["last"]
    assert found["mase"] is None and found["season"] is None and found["skill"] is not None
