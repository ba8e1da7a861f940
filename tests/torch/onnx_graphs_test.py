# Sweeps 40 random graphs (QUADGATE_SWEEPS is how many) around recurrent layers, written by onnx: embedding, convolution, LSTM, GRU
# and RNN in series, pooling and heads under any name, between nodes that only arrange, with numbers
# in every field that holds them; and in a part of them a node that no model of ours has. Each is
# imported with the outputs of onnxruntime, or refused in one line; most without such a node must be
# imported. What both exporters of PyTorch write of usual models is imported, with the same outputs.
# Tolerance: 1e-5 on outputs of the order of 1, as other programs sum in another order.

import contextlib
import io
import os
import pathlib
import subprocess
import tempfile
import warnings

import h5py
import numpy
import pytest
import torch

from random_graphs import Graph, session_of
from support import quadgate, recurrent_layers, state_dict

GRAPHS = int(os.environ.get("QUADGATE_SWEEPS", 40))


def run_import(path, to):
    command = [os.environ["QUADGATE_BIN"], "import", path, "-o", to]
    return subprocess.run(command, capture_output=True, text=True)


def computed(path, x):
    """What the model in a checkpoint makes of x [N, T, I] or tokens [N, T], by PyTorch's modules:
    [N, T, features] at every step, or [N, features]."""
    found = state_dict(path)
    with h5py.File(path) as file:
        about = dict(file["model"].attrs)
    x = torch.as_tensor(x)
    if "embedding.weight" in found:
        x = found["embedding.weight"][x]
    if "conv.weight" in found:
        y = torch.conv1d(x.transpose(1, 2), found["conv.weight"], found["conv.bias"],
                         padding=int(about["conv_padding"]))  # fmt: skip
        x = torch.max_pool1d(y.relu(), int(about["conv_pool_size"])).transpose(1, 2)
    rnn = recurrent_layers(about["cell"], int(about["input_size"]), int(about["hidden_size"]),
                           int(about["num_layers"]), bidirectional=bool(about["bidirectional"]),
                           bias=bool(about.get("bias", 1)), batch_first=True)  # fmt: skip
    rnn.load_state_dict({k[4:]: v for k, v in found.items() if k.startswith("rnn.")})
    with torch.no_grad():
        y, states = rnn(x)
        h_n = states[0] if isinstance(states, tuple) else states
        if about["task"] != "tagging" and about["output_size"] > 0:
            pooling = about.get("pooling", "last")
            last = torch.cat(list(h_n[-2 if rnn.bidirectional else -1 :]), 1)
            y = last if pooling == "last" else y.mean(1) if pooling == "mean" else y.amax(1)
        if about["output_size"] > 0:
            y = y @ found["head.weight"].T + found["head.bias"]
    return y.numpy()


@pytest.fixture
def memory(tmp_path):
    """A folder in memory, where there is one: a disk takes its time to make each file durable."""
    if not os.access("/dev/shm", os.W_OK):
        yield tmp_path
        return
    with tempfile.TemporaryDirectory(dir="/dev/shm") as folder:
        yield pathlib.Path(folder)


def test_random_graphs(memory):
    path, to = memory / "m.onnx", memory / "m.h5"
    plain = imported = refused = 0
    for seed in range(GRAPHS):
        graph = Graph(numpy.random.default_rng([16, seed]))
        graph.save(path)
        done = run_import(path, to)
        about = f"graph {seed}, {graph.foreign or 'plain'}: {done.stderr}"
        plain += not graph.foreign
        if done.returncode != 0:
            refused += 1
            assert done.returncode == 1 and done.stderr.count("\n") == 1, about
            assert done.stderr.startswith(f"quadgate: error: {path}: "), about
            assert " node '" in done.stderr, about
            continue
        imported += not graph.foreign
        wanted, found = graph.wanted(path), computed(to, graph.x)
        assert wanted.shape == found.shape, about
        assert abs(wanted - found).max() < 1e-5, about
    assert plain > 0.5 * GRAPHS and refused > 0.15 * GRAPHS
    assert imported >= 0.97 * plain, f"{imported} of {plain}"


class Usual(torch.nn.Module):
    """What people export: layers with a Linear behind them, under other names than ours."""

    def __init__(self, cell, what, **sizes):
        super().__init__()
        self.what = what
        self.words = torch.nn.Embedding(11, 6) if what == "language model" else None
        self.encoder = recurrent_layers(cell, 6, 5, batch_first=True, **sizes)
        self.fc = torch.nn.Linear(5 * (1 + self.encoder.bidirectional), 11)

    def forward(self, x):
        y, states = self.encoder(x if self.words is None else self.words(x))
        if self.what == "last step":
            y = y[:, -1]
        if self.what == "last state":
            h_n = states[0] if isinstance(states, tuple) else states
            y = torch.cat([h_n[-2], h_n[-1]], 1) if self.encoder.bidirectional else h_n[-1]
        if self.what == "last state by layers":
            y = states[0].view(-1, 2, len(x), 5)[-1].transpose(0, 1).reshape(len(x), -1)
        if self.what == "ends of directions":
            y = torch.cat([y[:, -1, :5], y[:, 0, 5:]], 1)
        if self.what == "mean":
            y = y.mean(1)
        return self.fc(y)


def export(module, x, path, dynamo):
    pytest.importorskip("onnxscript", reason="NOT TESTED: no onnxscript")
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")
        torch.onnx.export(module.eval(), (x,), path, dynamo=dynamo, opset_version=18, verbose=False)


@pytest.mark.parametrize("dynamo", [False, True])
@pytest.mark.parametrize("cell, what, sizes", [
    ("lstm", "every step", {"bidirectional": True}),
    pytest.param("lstm", "last step", {"num_layers": 2}, marks=pytest.mark.slow),
    ("lstm", "last state", {"num_layers": 2, "bidirectional": True}),
    pytest.param("lstm", "last state by layers", {"num_layers": 2, "bidirectional": True}, marks=pytest.mark.slow),
    pytest.param("lstm", "ends of directions", {"bidirectional": True}, marks=pytest.mark.slow),
    ("lstm", "language model", {"num_layers": 2}),
    pytest.param("gru", "every step", {"num_layers": 2}, marks=pytest.mark.slow),
    ("gru", "last state", {}),
    pytest.param("gru", "mean", {"bidirectional": True, "bias": False}, marks=pytest.mark.slow),
    pytest.param("rnn_tanh", "every step", {}, marks=pytest.mark.slow),
    ("rnn_relu", "last step", {}),
    pytest.param("rnn_tanh", "last state", {"num_layers": 2}, marks=pytest.mark.slow),
    pytest.param("rnn_tanh", "language model", {"bidirectional": True, "num_layers": 2}, marks=pytest.mark.slow),
    pytest.param("rnn_relu", "mean", {"bidirectional": True, "bias": False}, marks=pytest.mark.slow),
])  # fmt: skip
def test_what_pytorch_exports(tmp_path, cell, what, sizes, dynamo):
    torch.manual_seed(1)
    model = Usual(cell, what, **sizes)
    tokens = what == "language model"
    x = torch.randint(0, 11, (2, 7)) if tokens else torch.randn(2, 7, 6)
    export(model, x, tmp_path / "a.onnx", dynamo)
    session = session_of(tmp_path / "a.onnx")
    (wanted,) = session.run(None, {session.get_inputs()[0].name: x.numpy()})
    quadgate("import", tmp_path / "a.onnx", "-o", tmp_path / "a.h5")
    found = computed(tmp_path / "a.h5", x)
    assert wanted.shape == found.shape
    assert abs(wanted - found).max() < 1e-5
