# Sweeps models of every cell, direction, pooling, with embeddings and convolutions: exported to every
# format and imported again (to the same bits, Keras's biases but for their sum), what PyTorch,
# safetensors, onnxruntime and Keras make of the files, and files that they wrote themselves.
# Tolerance: none on weights; 1e-5 on outputs, of the order of 1, as other programs sum in another
# order.

import os
import subprocess
import warnings

import h5py
import numpy
import pytest
import torch

from support import (max_difference, quadgate, recurrent_layers, state_dict, train,
                     write_dataset)  # fmt: skip

os.environ["KERAS_BACKEND"] = "torch"
CONV = {"channels": 6, "kernel_size": 3, "padding": 1, "pool_size": 2}
MODELS = {
    "lstm": ("classification", {"num_layers": 2, "bidirectional": True}),
    "gru_mean": ("classification", {"cell": "gru", "pooling": "mean", "bidirectional": True}),
    "tanh_max": ("regression", {"cell": "rnn_tanh", "pooling": "max"}),
    "relu": ("regression", {"cell": "rnn_relu", "num_layers": 2, "bias": False}),
    "tagger": ("tagging", {"cell": "gru", "num_layers": 2}),
    "projected": ("classification", {"proj_size": 4, "bidirectional": True}),
    "convolved": ("classification", {"conv": CONV, "pooling": "mean"}),
    "tokens": ("tagging", {"embedding_size": 5, "bidirectional": True}),
    "convolved_tokens": ("classification", {"embedding_size": 5, "conv": CONV}),
}


def make(folder, name):
    """Trains a model; returns its checkpoint, data, and the test split padded with rubbish."""
    task, sizes = MODELS[name]
    rng = numpy.random.default_rng(3)
    lengths = rng.integers(3, 13, 24)
    tokens = "embedding_size" in sizes
    rows = [rng.integers(0, 11, n) if tokens else rng.normal(size=(n, 5)) for n in lengths]
    attributes = {"token_names": [f"t{i}" for i in range(11)]} if tokens else {}
    if task == "regression":
        y = rng.normal(size=(24, 3)).astype("f4")
    else:
        y = rng.integers(0, 3, lengths.sum() if task == "tagging" else 24)
        attributes["class_names"] = ["ja", "nein", "größer"]
    data = folder / "data.h5"
    write_dataset(data, task, {"train": (rows, y), "test": (rows, y)}, **attributes)
    if tokens:
        with h5py.File(data, "a") as file:
            for split in ("train", "test"):
                x = file[split]["x"][()].astype("i4")
                del file[split]["x"]
                file[split]["x"] = x
    checkpoint = train(folder, data, {"hidden_size": 9, **sizes}, {"epochs": 2, "batch_size": 8})
    x = numpy.full((24, 12) if tokens else (24, 12, 5), 7 if tokens else 99.0)
    for row, values in zip(x, rows):
        row[: len(values)] = values
    return checkpoint, data, x.astype("i8" if tokens else "f4"), lengths


def predictions(folder, checkpoint, data):
    quadgate("predict", checkpoint, "--data", data, "-o", folder / "out.h5")
    with h5py.File(folder / "out.h5") as file:
        return file["values" if "values" in file else "logits"][()]


def model_attributes(checkpoint):
    with h5py.File(checkpoint) as file:
        return {k: numpy.asarray(v).tolist() for k, v in file["model"].attrs.items()}


def expect_same_model(a, b):
    assert model_attributes(a) == model_attributes(b)
    ours, theirs = state_dict(a), state_dict(b)
    assert list(ours) == list(theirs)
    assert all(torch.equal(ours[name], theirs[name]) for name in ours)


@pytest.mark.parametrize("name", MODELS)
def test_the_way_out_and_back_loses_nothing(tmp_path, name):
    checkpoint, _, _, _ = make(tmp_path, name)
    for kind in ("pt", "safetensors", "h5"):
        quadgate("export", checkpoint, "-o", tmp_path / f"model.{kind}")
        quadgate("import", tmp_path / f"model.{kind}", "-o", tmp_path / "back.h5")
        expect_same_model(tmp_path / "back.h5", checkpoint)
    expect_same_model(tmp_path / "model.h5", checkpoint)


@pytest.mark.parametrize("name", MODELS)
def test_pytorch_and_safetensors_read_the_weights(tmp_path, name):
    safetensors = pytest.importorskip("safetensors.torch", reason="NOT TESTED: no safetensors")
    checkpoint, _, _, _ = make(tmp_path, name)
    expected = state_dict(checkpoint)
    quadgate("export", checkpoint, "-o", tmp_path / "model.pt")
    quadgate("export", checkpoint, "-o", tmp_path / "model.safetensors")
    for found in (torch.load(tmp_path / "model.pt", weights_only=True),
                  torch.load(tmp_path / "model.pt", weights_only=True, mmap=True),
                  safetensors.load_file(tmp_path / "model.safetensors")):  # fmt: skip
        assert sorted(found) == sorted(expected)
        assert all(torch.equal(found[key], expected[key]) for key in expected)
    quadgate("export", checkpoint, "-o", tmp_path / "rnn.pt", "--only", "rnn")
    sizes = {key: value for key, value in MODELS[name][1].items()
             if key in ("num_layers", "bidirectional", "bias", "proj_size")}  # fmt: skip
    inputs = 6 if "conv" in MODELS[name][1] else 5
    rnn = recurrent_layers(MODELS[name][1].get("cell", "lstm"), inputs, 9, **sizes)
    rnn.load_state_dict(torch.load(tmp_path / "rnn.pt"))
    assert torch.equal(rnn.weight_hh_l0, expected["rnn.weight_hh_l0"])


@pytest.mark.parametrize("name", [name for name in MODELS if name != "projected"])
def test_onnxruntime_has_the_same_outputs(tmp_path, name):
    onnx = pytest.importorskip("onnx", reason="NOT TESTED: no onnx")
    runtime = pytest.importorskip("onnxruntime", reason="NOT TESTED: no onnxruntime")
    checkpoint, data, x, lengths = make(tmp_path, name)
    path = tmp_path / "model.onnx"
    quadgate("export", checkpoint, "-o", path)
    onnx.checker.check_model(onnx.load(path), full_check=True)
    session = runtime.InferenceSession(path)
    (output,) = session.run(
        None, {"tokens" if x.ndim == 2 else "x": x, "lengths": lengths.astype("i4")}
    )
    if output.ndim == 3:
        output = numpy.concatenate([row[:length] for row, length in zip(output, lengths)])
    assert abs(output - predictions(tmp_path, checkpoint, data)).max() < 1e-5
    quadgate("import", path, "-o", tmp_path / "back.h5")
    expect_same_model(tmp_path / "back.h5", checkpoint)


def test_onnx_has_no_projection(tmp_path):
    checkpoint, _, _, _ = make(tmp_path, "projected")
    for name in ("model.onnx", "model.weights.h5"):
        with pytest.raises(AssertionError, match="has no proj_size: expected 0, found 4"):
            quadgate("export", checkpoint, "-o", tmp_path / name)
        assert not (tmp_path / name).exists()


def test_a_language_model_in_onnx_carries_its_states(tmp_path):
    runtime = pytest.importorskip("onnxruntime", reason="NOT TESTED: no onnxruntime")
    (tmp_path / "a.txt").write_text("the cat sat on the mat. " * 40)
    data = tmp_path / "text.h5"
    quadgate("prepare", "text", tmp_path / "a.txt", "-o", data)
    model = {"embedding_size": 8, "hidden_size": 9, "num_layers": 2}
    checkpoint = train(tmp_path, data, model, {"epochs": 1, "batch_size": 4, "bptt_len": 10})
    quadgate("export", checkpoint, "-o", tmp_path / "model.onnx")
    session = runtime.InferenceSession(tmp_path / "model.onnx")
    tokens = numpy.arange(12).reshape(1, 12) % 9
    states = {name: numpy.zeros((2, 1, 9), "f4") for name in ("h_0", "c_0")}

    def run(part):
        length = numpy.full(1, part.shape[1], "i4")
        outputs = session.run(None, {"tokens": part, "lengths": length, **states})
        return dict(zip([o.name for o in session.get_outputs()], outputs))

    whole = run(tokens)
    first = run(tokens[:, :5])
    states = {"h_0": first["h_n"], "c_0": first["c_n"]}
    second = run(tokens[:, 5:])
    assert abs(whole["output"][:, 5:] - second["output"]).max() < 1e-6
    assert abs(whole["c_n"] - second["c_n"]).max() < 1e-6


@pytest.mark.parametrize("dynamo", [False, True])
@pytest.mark.parametrize("cell", ["lstm", *(pytest.param(cell, marks=pytest.mark.slow) for cell in ("gru", "rnn_relu"))])
def test_files_that_pytorch_exported_to_onnx(tmp_path, cell, dynamo):
    pytest.importorskip("onnxscript", reason="NOT TESTED: no onnxscript")
    rnn = recurrent_layers(cell, 3, 5, num_layers=2, bidirectional=True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(rnn, (torch.zeros(4, 2, 3),), tmp_path / "a.onnx", dynamo=dynamo,
                          opset_version=18, verbose=False)  # fmt: skip
    quadgate("import", tmp_path / "a.onnx", "-o", tmp_path / "a.h5")
    found = state_dict(tmp_path / "a.h5")
    expected = {f"rnn.{name}": tensor for name, tensor in rnn.state_dict().items()}
    assert sorted(found) == sorted(expected)
    assert all(torch.equal(found[name], expected[name]) for name in expected)
    assert model_attributes(tmp_path / "a.h5")["cell"] == cell


def test_a_projection_that_pytorch_did_not_export(tmp_path):
    pytest.importorskip("onnxscript", reason="NOT TESTED: no onnxscript")
    rnn = recurrent_layers("lstm", 3, 5, num_layers=1, proj_size=2)
    torch.onnx.export(rnn, (torch.zeros(4, 2, 3),), tmp_path / "a.onnx", dynamo=True,
                      opset_version=18, verbose=False)  # fmt: skip
    with pytest.raises(AssertionError, match=r"expected initial states of .* 2 units, found \(1, 2, 5\)"):
        quadgate("import", tmp_path / "a.onnx", "-o", tmp_path / "a.h5")
    assert not (tmp_path / "a.h5").exists()


class Foreign(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.emb = torch.nn.Embedding(13, 7)
        self.encoder = torch.nn.Module()
        self.encoder.lstm = torch.nn.LSTM(7, 8, 2, bidirectional=True)
        self.fc = torch.nn.Linear(16, 4)


@pytest.mark.parametrize("protocol", [2, 4])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.float16, torch.bfloat16])
def test_state_dicts_of_other_modules(tmp_path, dtype, protocol):
    module = Foreign().to(dtype)
    torch.save(module.state_dict(), tmp_path / "a.pt", pickle_protocol=protocol)
    quadgate("import", tmp_path / "a.pt", "-o", tmp_path / "a.h5")
    found = state_dict(tmp_path / "a.h5")
    for ours, theirs in {"emb": "embedding", "encoder.lstm": "rnn", "fc": "head"}.items():
        for name, tensor in module.get_submodule(ours).state_dict().items():
            assert torch.equal(found.pop(f"{theirs}.{name}"), tensor.float())
    assert not found


def test_a_state_dict_that_h5py_wrote(tmp_path):
    module = Foreign()
    with h5py.File(tmp_path / "a.h5", "w") as file:
        for name, tensor in module.state_dict().items():
            file[f"state_dict/{name}"] = tensor.numpy()
    quadgate("import", tmp_path / "a.h5", "-o", tmp_path / "b.h5")
    assert torch.equal(state_dict(tmp_path / "b.h5")["head.weight"], module.fc.weight)


def test_views_in_a_state_dict(tmp_path):
    whole = torch.randn(9, 40)
    rnn = torch.nn.RNN(3, 5)
    weights = rnn.state_dict()
    weights["weight_ih_l0"], weights["weight_hh_l0"] = whole[2:5, 3:8].T, whole[4:, 11:31:4]
    torch.save(weights, tmp_path / "a.pt")
    quadgate("import", tmp_path / "a.pt", "-o", tmp_path / "a.h5")
    found = state_dict(tmp_path / "a.h5")
    assert torch.equal(found["rnn.weight_ih_l0"], weights["weight_ih_l0"])
    assert torch.equal(found["rnn.weight_hh_l0"], weights["weight_hh_l0"])


def test_a_model_without_a_head_is_a_start(tmp_path):
    checkpoint, data, _, _ = make(tmp_path, "lstm")
    quadgate("export", checkpoint, "-o", tmp_path / "rnn.safetensors", "--only", "rnn")
    quadgate("import", tmp_path / "rnn.safetensors", "-o", tmp_path / "start.h5")
    (tmp_path / "again").mkdir()
    started = train(tmp_path / "again", data, {"hidden_size": 9, **MODELS["lstm"][1],
                    "init": str(tmp_path / "start.h5")}, {"epochs": 1, "lr": 0.0})  # fmt: skip
    before, after = state_dict(checkpoint), state_dict(started)
    for name in before:
        assert torch.equal(before[name], after[name]) == name.startswith("rnn."), name
    smaller = {"hidden_size": 4, **MODELS["lstm"][1], "init": str(tmp_path / "start.h5")}
    (tmp_path / "smaller").mkdir()
    with pytest.raises(AssertionError, match=r"ih_l0' expected \[16, 5\], found \[36, 5\]"):
        train(tmp_path / "smaller", data, smaller, {"epochs": 1})
    with pytest.raises(AssertionError, match="the model has no head to predict with"):
        quadgate("evaluate", tmp_path / "start.h5", "--data", data)


def keras_model(name):
    keras = pytest.importorskip("keras", reason="NOT TESTED: no keras")
    layers, (task, sizes) = keras.layers, MODELS[name]
    model = [keras.Input((None,) if "embedding_size" in sizes else (None, 5))]
    if "embedding_size" in sizes:
        model.append(layers.Embedding(11, 5))
    if "conv" in sizes:
        model += [layers.Conv1D(6, 3, activation="relu"), layers.MaxPooling1D(2)]
    cell = {"gru": layers.GRU, "rnn_tanh": layers.SimpleRNN, "rnn_relu": layers.SimpleRNN}.get(
        sizes.get("cell"), layers.LSTM
    )
    more = {"activation": "relu"} if sizes.get("cell") == "rnn_relu" else {}
    count = sizes.get("num_layers", 1)
    for layer in range(count):
        whole = layer + 1 < count or task == "tagging"
        one = cell(9, return_sequences=whole, use_bias=sizes.get("bias", True), **more)
        model.append(layers.Bidirectional(one) if sizes.get("bidirectional") else one)
    return keras.Sequential([*model, layers.Dense(3)])


# Those whose pooling is the last state, and a convolution without padding.
KERAS = ["lstm", "relu", "tagger", "tokens"]


@pytest.mark.parametrize("name", KERAS)
def test_keras_has_the_same_outputs(tmp_path, name):
    model = keras_model(name)
    checkpoint, data, x, lengths = make(tmp_path, name)
    quadgate("export", checkpoint, "-o", tmp_path / "a.weights.h5")
    model.load_weights(tmp_path / "a.weights.h5")
    outputs = [model.predict(row[None, :n], verbose=0)[0] for row, n in zip(x, lengths)]
    outputs = numpy.concatenate(outputs) if MODELS[name][0] == "tagging" else numpy.stack(outputs)
    assert abs(outputs - predictions(tmp_path, checkpoint, data)).max() < 1e-5
    quadgate("import", tmp_path / "a.weights.h5", "-o", tmp_path / "back.h5")
    before, back = state_dict(checkpoint), state_dict(tmp_path / "back.h5")
    assert sorted(before) == sorted(back)
    for key in before:
        if "bias_hh" not in key and ("bias_ih" not in key or "gru" in MODELS[name][1].values()):
            assert torch.equal(before[key], back[key]), key
        elif "bias_ih" in key:
            other = key.replace("_ih_", "_hh_")
            assert torch.equal(before[key] + before[other], back[key] + back[other])


def test_weights_that_keras_wrote(tmp_path):
    model = keras_model("lstm")
    model.save_weights(tmp_path / "a.weights.h5")
    quadgate("import", tmp_path / "a.weights.h5", "-o", tmp_path / "a.h5")
    found = state_dict(tmp_path / "a.h5")
    rnn = torch.nn.LSTM(5, 9, 2, bidirectional=True, batch_first=True)
    rnn.load_state_dict({k[4:]: v for k, v in found.items() if k.startswith("rnn.")})
    x = torch.randn(4, 6, 5)
    with torch.no_grad():
        _, (h_n, _) = rnn(x)
        y = torch.cat([h_n[-2], h_n[-1]], 1) @ found["head.weight"].T + found["head.bias"]
    assert max_difference(y, torch.from_numpy(model.predict(x.numpy(), verbose=0))) < 1e-5


def test_files_that_are_none_are_named(tmp_path):
    for name in ("a.pt", "a.safetensors", "a.onnx", "a.weights.h5"):
        (tmp_path / name).write_bytes(b"nothing of the kind")
        command = [os.environ["QUADGATE_BIN"], "import", tmp_path / name, "-o", tmp_path / "out.h5"]
        done = subprocess.run(command, capture_output=True, text=True)
        assert done.returncode == 1 and not (tmp_path / "out.h5").exists()
        assert done.stderr.startswith(f"quadgate: error: {tmp_path / name}: ")
        assert done.stderr.count("\n") == 1
    (tmp_path / "a.txt").write_bytes(b"")
    with pytest.raises(AssertionError, match="expected a name that ends in"):
        quadgate("import", tmp_path / "a.txt", "-o", tmp_path / "out.h5")
