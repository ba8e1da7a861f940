# Sweeps windows of a CSV series (stride 1 and 3, all and some target columns, standardized and
# not), of which numpy slicing has to give the same inputs and targets, seen through predictions
# and errors. Tolerance: 1e-5 of the values' spread, as for logits; counts have none.

import csv
import datetime

import h5py
import numpy
import pytest
import torch

from support import Model, evaluate, max_difference, quadgate, state_dict, train

ROWS, VALID, TEST = 200, 0.2, 0.25
NAMES = ["load", "wind", "oil"]


def write_csv(path):
    rng = numpy.random.default_rng(5)
    series = numpy.cumsum(rng.normal(size=(ROWS, 3)), axis=0) + [10, 0, -3]
    start = datetime.datetime(2020, 1, 1)
    with open(path, "w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["date", *NAMES])
        for row, values in enumerate(series):
            writer.writerow([start + datetime.timedelta(hours=row), *map(repr, map(float, values))])
    return series.astype(numpy.float32)


def cut(series, begin, end, input_len, horizon, stride):
    """Windows whose targets lie in rows begin to end; their inputs may reach back before it."""
    first = max(begin - input_len, 0)
    starts = range(first, end - input_len - horizon + 1, stride)
    inputs = [torch.from_numpy(series[s : s + input_len].copy()) for s in starts]
    targets = [series[s + input_len : s + input_len + horizon] for s in starts]
    return inputs, numpy.stack(targets)


@pytest.mark.parametrize("stride", [1, 3])
@pytest.mark.parametrize("targets", [[], ["oil", "load"]])
@pytest.mark.parametrize("standardize", [False, True])
def test_windows_are_numpys(tmp_path, stride, targets, standardize):
    source, data = tmp_path / "series.csv", tmp_path / "series.h5"
    series = write_csv(source)
    fractions = ["--valid-fraction", VALID, "--test-fraction", TEST]
    quadgate("prepare", "csv", source, *fractions, *(["--standardize"] if standardize else []),
             "-o", data)  # fmt: skip
    window = {"input_len": 12, "horizon": 4, "stride": stride}
    if targets:
        window["targets"] = targets
    model, settings = {"hidden_size": 10}, {"epochs": 2, "lr": 0.01, "batch_size": 16}
    checkpoint = train(tmp_path, data, model, settings, **window)

    bounds = [0, int(ROWS * (1 - VALID - TEST)), int(ROWS * (1 - TEST)), ROWS]
    mean, std = numpy.zeros(3), numpy.ones(3)
    if standardize:
        mean, std = series[: bounds[1]].mean(0), series[: bounds[1]].std(0)
    scaled = ((series - mean) / std).astype(numpy.float32)
    with h5py.File(data) as file:
        assert numpy.abs(file["test/x"][()] - scaled).max() < 1e-5
    columns = [NAMES.index(name) for name in targets or NAMES]
    weights = state_dict(checkpoint)
    lstm = Model(3, 4 * len(columns), hidden_size=10)
    lstm.load_state_dict(weights)
    for split, begin, end in zip(["train", "valid", "test"], bounds, bounds[1:]):
        inputs, expected = cut(scaled, begin, end, 12, 4, stride)
        expected = expected[:, :, columns]
        with torch.no_grad():
            outputs = lstm(inputs).numpy().reshape(expected.shape)
        predictions = tmp_path / f"{split}.h5"
        quadgate("predict", checkpoint, "--data", data, "--split", split, "-o", predictions)
        with h5py.File(predictions) as file:
            values = file["values"][()].reshape(-1, 4, len(columns))
        assert len(values) == len(expected)
        assert max_difference((values - mean[columns]) / std[columns], outputs) < 1e-5

        metrics = evaluate(checkpoint, data, split)
        error = outputs - expected
        assert metrics["mse"] == pytest.approx(numpy.square(error).mean(), rel=1e-4)
        assert metrics["mae"] == pytest.approx(numpy.abs(error).mean(), rel=1e-4)
        raw = error * std[columns]
        for name, errors in {"mse_raw": numpy.square(raw), "mae_raw": numpy.abs(raw)}.items():
            by_target = dict(zip(targets or NAMES, errors.mean((0, 1))))
            assert metrics[name] == pytest.approx(by_target, rel=1e-4)


@pytest.mark.parametrize("scale", ["own", "plain", "columns in another order"])
def test_new_rows_come_in_the_models_scale(tmp_path, scale):
    source, data = tmp_path / "series.csv", tmp_path / "series.h5"
    series = write_csv(source)
    quadgate("prepare", "csv", source, "--test-fraction", TEST, "--standardize", "-o", data)
    window = {"input_len": 12, "horizon": 4, "targets": ["oil", "load"]}
    checkpoint = train(tmp_path, data, {"hidden_size": 10}, {"epochs": 2, "lr": 0.01}, **window)

    # Later rows, of which prepare would make another mean and std.
    first, size = 140, 40
    rows = list(csv.reader(source.open()))
    new = [row[1:] for row in [rows[0], *rows[1 + first : 1 + first + size]]]
    if scale.startswith("columns"):
        new = [row[::-1] for row in new]
    with open(tmp_path / "new.csv", "w", newline="") as file:
        csv.writer(file).writerows(new)
    quadgate("prepare", "csv", tmp_path / "new.csv", "--test-fraction", 0.5,
             *([] if scale == "plain" else ["--standardize"]), "-o", tmp_path / "new.h5")  # fmt: skip
    quadgate("predict", checkpoint, "--data", tmp_path / "new.h5", "--split", "test",
             "-o", tmp_path / "out.h5")  # fmt: skip
    with h5py.File(tmp_path / "out.h5") as file:
        found = file["values"][()].reshape(-1, 4, 2)

    past = series[: int(ROWS * (1 - TEST))].astype(float)
    mean, std = past.mean(0), past.std(0)
    scaled = ((series[first : first + size] - mean) / std).astype(numpy.float32)
    inputs, expected = cut(scaled, size // 2, size, 12, 4, 1)
    lstm = Model(3, 8, hidden_size=10)
    lstm.load_state_dict(state_dict(checkpoint))
    with torch.no_grad():
        outputs = lstm(inputs).numpy().reshape(-1, 4, 2)
    assert max_difference((found - mean[[2, 0]]) / std[[2, 0]], outputs) < 1e-5
    metrics = evaluate(checkpoint, tmp_path / "new.h5")
    error = outputs - expected[:, :, [2, 0]]
    assert metrics["mse"] == pytest.approx(numpy.square(error).mean(), rel=1e-4)
