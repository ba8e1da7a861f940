# Sweeps losses, normalizations and tasks of models trained on scaled data: what ONNX Runtime and Keras
# make of raw rows has to be what `quadgate predict` writes, in the units of the data. README's lines for
# each runtime are run as they are. Tolerance: 1e-5 of the values' size and spread, as inputs and outputs are float32.

import os
import pathlib
import re
import subprocess

import h5py
import numpy
import pandas
import pytest
import torch

from support import quadgate, state_dict, train

os.environ["KERAS_BACKEND"] = "torch"
ROOT = pathlib.Path(__file__).parents[2]
NAMES = [f"c{i}" for i in range(7)]
LENGTH, HORIZON = 96, 24


def write_table(path, rows=400):
    rng = numpy.random.default_rng(8)
    walk = numpy.cumsum(rng.normal(size=(rows, 7)), axis=0) * [1, 2, 30, 1, 0.01, 5, 1] + 40
    frame = pandas.DataFrame(walk, columns=NAMES)
    frame.insert(0, "date", pandas.date_range("2024-01-01", periods=rows, freq="h"))
    frame.to_csv(path, index=False)
    return frame


def forecast_model(folder, model=None, settings=None, **data_keys):
    """A model of the table's windows; returns checkpoint and data set."""
    write_table(folder / "ETTh1.csv")
    data = folder / "data.h5"
    quadgate("prepare", "csv", folder / "ETTh1.csv", "--valid-fraction", 0.2, "--test-fraction", 0.4,
             "--standardize", "-o", data)  # fmt: skip
    window = {"input_len": LENGTH, "horizon": HORIZON, "stride": 1}
    settings = {"epochs": 1, "batch_size": 32, "lr": 0.01, **(settings or {})}
    return train(folder, data, {"hidden_size": 8, **(model or {})}, settings, **window, **data_keys), data


def export(folder, checkpoint, name="model.onnx", *options):
    quadgate("export", checkpoint, "-o", folder / name, *options)
    return folder / name


def run_onnx(path, x, lengths=None):
    runtime = pytest.importorskip("onnxruntime", reason="NOT TESTED: no onnxruntime")
    lengths = numpy.full(len(x), x.shape[1]) if lengths is None else lengths
    session = runtime.InferenceSession(path)
    return session.run(["output"], {session.get_inputs()[0].name: x, "lengths": lengths.astype("i4")})[0]


def raw_windows(folder):
    """The raw windows of the test split, [n, T, I]."""
    frame = pandas.read_csv(folder / "ETTh1.csv").iloc[:, 1:].to_numpy()
    begin = len(frame) - int(len(frame) * 0.4) - LENGTH
    windows = numpy.lib.stride_tricks.sliding_window_view(frame[begin:], LENGTH, axis=0)
    return windows[: -HORIZON].transpose(0, 2, 1).astype("f4")


def predicted(folder, checkpoint, data):
    quadgate("predict", checkpoint, "--data", data, "--split", "test", "-o", folder / "out.h5")
    with h5py.File(folder / "out.h5") as file:
        return file["values"][()]


def expect_near(found, expected):
    assert found.shape == expected.shape
    assert (abs(found - expected).max(0) <= 1e-5 * (1 + numpy.ptp(expected, 0) + abs(expected).max(0))).all()


def expect_same_model(a, b):
    ours, theirs = state_dict(a), state_dict(b)
    assert list(ours) == list(theirs) and all(torch.equal(ours[name], theirs[name]) for name in ours)
    with h5py.File(a) as one, h5py.File(b) as other:
        attributes = [{k: numpy.asarray(v).tolist() for k, v in f["model"].attrs.items()} for f in (one, other)]
    assert attributes[0] == attributes[1]


FORECASTS = {
    "mse": ({}, {}),
    "some_targets": ({}, {}),
    "last": ({"normalize": "last"}, {}),
    "instance": ({"normalize": "instance"}, {}),
    "residual": ({"residual": True}, {}),
    "pinball": ({}, {"loss": "pinball", "quantiles": [0.1, 0.5, 0.9]}),
    "gaussian": ({"normalize": "last"}, {"loss": "gaussian"}),
    "student_t": ({}, {"loss": "student_t"}),
}


@pytest.mark.parametrize("name", FORECASTS)
def test_onnx_takes_and_gives_the_units_of_the_data(tmp_path, name):
    model, settings = FORECASTS[name]
    keys = {"targets": ["c2", "c0"]} if name == "some_targets" else {}
    checkpoint, data = forecast_model(tmp_path, model, settings, **keys)
    path = export(tmp_path, checkpoint)
    expect_near(run_onnx(path, raw_windows(tmp_path)), predicted(tmp_path, checkpoint, data))
    quadgate("import", path, "-o", tmp_path / "back.h5")
    expect_same_model(tmp_path / "back.h5", checkpoint)


def test_onnx_takes_and_gives_standardized_values_if_asked(tmp_path):
    checkpoint, data = forecast_model(tmp_path)
    path = export(tmp_path, checkpoint, "model.onnx", "--standardized")
    with h5py.File(data) as file:
        mean, std = file.attrs["mean"], file.attrs["std"]
    outputs = run_onnx(path, ((raw_windows(tmp_path) - mean) / std).astype("f4"))
    scale = numpy.tile(std, HORIZON)
    expect_near(outputs * scale + numpy.tile(mean, HORIZON), predicted(tmp_path, checkpoint, data))
    quadgate("import", path, "-o", tmp_path / "back.h5")
    expect_same_model(tmp_path / "back.h5", checkpoint)


def class_model(folder, task):
    """A model of scaled rows of classes; returns checkpoint, data set and raw rows, padded with rubbish."""
    rng = numpy.random.default_rng(4)
    lengths = rng.integers(3, 9, 40)
    rows = [rng.normal(size=(n, 3)) * [1, 50, 0.1] + [0, 300, -5] for n in lengths]
    arrays = {"x": numpy.concatenate(rows), "offsets": numpy.cumsum([0, *lengths]),
              "y": rng.integers(0, 4, lengths.sum() if task == "tagging" else 40)}  # fmt: skip
    numpy.savez(folder / "rows.npz", **arrays)
    data = folder / "data.h5"
    quadgate("prepare", "npz", folder / "rows.npz", "--standardize", "-o", data)
    checkpoint = train(folder, data, {"hidden_size": 6, "bidirectional": True}, {"epochs": 2, "lr": 0.05})
    x = numpy.full((40, lengths.max(), 3), 1e4, "f4")
    for row, values in zip(x, rows):
        row[: len(values)] = values
    return checkpoint, folder / "rows.npz", x, lengths


@pytest.mark.parametrize("task", ["classification", "tagging"])
def test_onnx_gives_probabilities_if_asked(tmp_path, task):
    checkpoint, raw, x, lengths = class_model(tmp_path, task)
    path = export(tmp_path, checkpoint, "model.onnx", "--probabilities")
    outputs = run_onnx(path, x, lengths)
    if task == "tagging":
        outputs = numpy.concatenate([row[:n] for row, n in zip(outputs, lengths)])
    quadgate("predict", checkpoint, "--input", raw, "--probabilities", "-o", tmp_path / "out.csv")
    table = pandas.read_csv(tmp_path / "out.csv")
    assert abs(outputs - table[[f"p_{i}" for i in range(4)]].to_numpy()).max() < 1e-6
    quadgate("import", path, "-o", tmp_path / "back.h5")
    expect_same_model(tmp_path / "back.h5", checkpoint)
    logits = run_onnx(export(tmp_path, checkpoint), x, lengths)
    shares = numpy.exp(logits) / numpy.exp(logits).sum(-1, keepdims=True)
    if task == "tagging":
        shares = numpy.concatenate([row[:n] for row, n in zip(shares, lengths)])
    assert abs(outputs - shares).max() < 1e-6


def test_keras_takes_and_gives_the_units_of_the_data(tmp_path):
    keras = pytest.importorskip("keras", reason="NOT TESTED: no keras")
    layers = keras.layers
    quantiles = {"loss": "pinball", "quantiles": [0.1, 0.9]}
    checkpoint, data = forecast_model(tmp_path, settings=quantiles, targets=["c1", "c4"])
    path = export(tmp_path, checkpoint, "m.weights.h5")
    model = keras.Sequential([keras.Input((None, 7)), layers.Normalization(), layers.LSTM(8),
                              layers.Dense(HORIZON * 4), layers.Normalization(invert=True)])  # fmt: skip
    model.load_weights(path)
    outputs = model.predict(raw_windows(tmp_path), verbose=0)
    expect_near(outputs, predicted(tmp_path, checkpoint, data))
    done = subprocess.run([os.environ["QUADGATE_BIN"], "import", path, "-o", tmp_path / "back.h5"],
                          capture_output=True, text=True)  # fmt: skip
    assert done.returncode == 0 and "left out: the scale of the data in normalization, normalization_1" in done.stderr
    plain = export(tmp_path, checkpoint, "plain.weights.h5", "--standardized")
    model = keras.Sequential([keras.Input((None, 7)), layers.LSTM(8), layers.Dense(HORIZON * 4)])
    model.load_weights(plain)


def test_what_a_file_cannot_hold_is_refused(tmp_path):
    checkpoint, _ = forecast_model(tmp_path, settings={"loss": "gaussian"})
    for name, options, line in [
        ("m.weights.h5", [], "Keras weights have no place for the distribution of the loss gaussian"),
        ("m.pt", ["--standardized"], "--standardized: expected .onnx or .weights.h5, found"),
        ("m.weights.h5", ["--probabilities", "--standardized"], "--probabilities: expected .onnx, found"),
        ("m.onnx", ["--probabilities"], "--probabilities: expected a model of classes, found one of values"),
    ]:
        with pytest.raises(AssertionError, match=re.escape(line)):
            export(tmp_path, checkpoint, name, *options)
        assert not (tmp_path / name).exists()


def test_columns_that_float32_cannot_tell_apart_are_named(tmp_path):
    frame = pandas.DataFrame({"a": 1e7 + 0.1 * numpy.random.default_rng(1).normal(size=200)})
    frame["b"] = frame["a"] - 1e7
    frame.to_csv(tmp_path / "s.csv", index=False)
    quadgate("prepare", "csv", tmp_path / "s.csv", "--standardize", "-o", tmp_path / "s.h5")
    checkpoint = train(tmp_path, tmp_path / "s.h5", {"hidden_size": 4}, {"epochs": 1}, input_len=8, horizon=1)
    for options, lines in [([], 1), (["--standardized"], 0)]:
        command = [os.environ["QUADGATE_BIN"], "export", checkpoint, "-o", tmp_path / "m.onnx", *options]
        done = subprocess.run(command, capture_output=True, text=True)
        assert done.returncode == 0 and done.stderr.count("float32 values of 'a' around 1e+07") == lines
        assert "'b'" not in done.stderr


RUNTIMES = re.findall(r"```python\n# ([^\n]*)\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
MODULES = {"ONNX Runtime": "onnxruntime", "OpenVINO": "openvino", "Keras": "keras", "PyTorch": "torch"}


def test_readme_has_lines_for_each_runtime():
    assert {name.split(":")[0] for name, _ in RUNTIMES} == set(MODULES)


@pytest.fixture(scope="module")
def deployed(tmp_path_factory):
    """A folder with all that README's lines read, and what they have to give."""
    folder = tmp_path_factory.mktemp("deployed")
    checkpoint, _ = forecast_model(folder, {"hidden_size": 64, "num_layers": 2})
    export(folder, checkpoint)
    export(folder, checkpoint, "model.weights.h5")
    (folder / "best.h5").write_bytes(checkpoint.read_bytes())
    quadgate("predict", checkpoint, "--input", folder / "ETTh1.csv", "--wide", "-o", folder / "future.csv")
    return folder, pandas.read_csv(folder / "future.csv")


@pytest.mark.parametrize("name", [name for name, _ in RUNTIMES])
def test_readme_lines_give_what_predict_does(deployed, monkeypatch, name):
    folder, future = deployed
    module = MODULES[name.split(":")[0]]
    space = {"numpy": numpy, "pandas": pandas, "torch": torch}
    space[module] = pytest.importorskip(module, reason=f"NOT TESTED: no {module}")
    if module == "keras":
        space.update({layer: getattr(space["keras"].layers, layer) for layer in ("Normalization", "LSTM", "Dense")})
    if module == "torch":
        monkeypatch.syspath_prepend(str(ROOT / "python"))
        space["quadgate"] = pytest.importorskip("quadgate")
    monkeypatch.chdir(folder)
    exec(dict(RUNTIMES)[name], space)
    expect_near(numpy.asarray(space["forecast"], "f8"), future[NAMES].to_numpy()[:HORIZON])
