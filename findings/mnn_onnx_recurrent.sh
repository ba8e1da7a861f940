#!/usr/bin/env bash
# MNN 3.6.1, onnx 1.23.2, onnxruntime 1.32.0: its converter takes each of these nodes of ONNX, says "Converted Success!"
# and leaves something out: of LSTM, GRU and RNN direction=reverse (they read forwards), sequence_lens (all sequences
# are full ones) and clip, of LSTM input_forget too, of RNN and GRU the activations (Relu is tanh, HardSigmoid the
# sigmoid). GRU is that of linear_before_reset=1 also where the attribute is 0, its default. Both directions, initial
# states, a missing bias and linear_before_reset=1 are right, and so are the activations of an LSTM. The converter's
# command, mnnconvert, looks for a package to report the conversion with, and where there is none, installs it with the
# first pip of PATH, whichever Python that is of. So the function behind it is called here, which does not.
# https://mnn-docs.readthedocs.io/en/latest/tools/convert.html
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q MNN==3.6.1 onnx==1.23.2 onnxruntime==1.32.0 numpy==2.4.6
cd "$folder"
venv/bin/python - <<'PYTHON'
import subprocess
import sys

import numpy
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

inputs, units, batch, steps = 3, 4, 2, 6
random = numpy.random.default_rng(0)
x = random.normal(size=(steps, batch, inputs)).astype("f4")
numpy.save("x.npy", x)
run = """
import MNN, numpy
x = numpy.load("x.npy")
net = MNN.nn.load_module_from_file("node.mnn", ["x"], ["y", "h"])
y, h = net.forward([MNN.expr.const(x.ravel().tolist(), list(x.shape), MNN.expr.NCHW)])
numpy.savez("found.npz", y=numpy.array(y.read()), h=numpy.array(h.read()))
"""


def off(kind, lengths=None, states=False, bias=True, **attributes):
    """How far MNN is from ONNX Runtime, for a node of random weights."""
    gates = {"LSTM": 4, "GRU": 3, "RNN": 1}[kind]
    directions = 2 if attributes.get("direction") == "bidirectional" else 1
    normal = lambda *shape: (0.5 * random.normal(size=(directions, *shape))).astype("f4")
    given = {"w": normal(gates * units, inputs), "r": normal(gates * units, units)}
    given["b"] = normal(2 * gates * units) if bias else None
    given["lengths"] = None if lengths is None else numpy.array(lengths, "i4")
    given["h_0"] = normal(batch, units) if states else None
    if kind == "LSTM":
        given["c_0"] = normal(batch, units) if states else None
    names = ["x", *("" if value is None else name for name, value in given.items())]
    shapes = {"y": (steps, directions, batch, units), "h": (directions, batch, units)}
    shapes |= {"c": shapes["h"]} if kind == "LSTM" else {}
    node = helper.make_node(kind, names, list(shapes), hidden_size=units, **attributes)
    constants = [numpy_helper.from_array(value, name) for name, value in given.items() if value is not None]
    info = lambda name, shape: helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)
    outputs = [info(name, shape) for name, shape in shapes.items()]
    graph = helper.make_graph([node], "node", [info("x", x.shape)], outputs, constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 14)], ir_version=8)
    onnx.checker.check_model(model)
    onnx.save(model, "node.onnx")
    command = [sys.executable, "-c", "import MNN, _tools, sys; _tools.mnnconvert(sys.argv)", "-f", "ONNX"]
    command += ["--modelFile", "node.onnx", "--MNNModel", "node.mnn", "--bizCode", "MNN"]
    said = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "Converted Success!" in said.stdout + said.stderr
    subprocess.run([sys.executable, "-c", run], check=True, stdout=subprocess.DEVNULL)
    true = onnxruntime.InferenceSession("node.onnx").run(None, {"x": x})
    found = numpy.load("found.npz")
    return max(abs(found[name].reshape(value.shape) - value).max() for name, value in zip(("y", "h"), true))


both = {"direction": "bidirectional"}
reset = {"linear_before_reset": 1}
right, left_out = [], []
for kind, gru in (("LSTM", {}), ("GRU", reset), ("RNN", {})):
    right += [(kind, gru), (kind, gru | {"states": True}), (kind, gru | both), (kind, gru | {"bias": False})]
    left_out += [(kind, gru | more) for more in ({"direction": "reverse"}, {"lengths": [6, 3]}, {"clip": 0.3})]
right += [("LSTM", {"activations": ["Sigmoid", "Relu", "Relu"]})]
left_out += [("LSTM", {"input_forget": 1}), ("RNN", {"activations": ["Relu"]})]
left_out += [("GRU", reset | {"activations": ["HardSigmoid", "Tanh"]}), ("GRU", {}), ("GRU", {"states": True})]
for cases, wrong in ((right, False), (left_out, True)):
    for kind, options in cases:
        difference = off(kind, **options)
        print(f"{kind} {options}: off by {difference:.1g}")
        assert (difference > 0.02) if wrong else (difference < 1e-5)
PYTHON
