#!/usr/bin/env bash
# onnx2tf 1.29.24 (the last for Python 3.11), tensorflow 2.19.0, onnxruntime 1.23.0: sequence_lens of LSTM, GRU and RNN
# is left out, without an error. All sequences are full ones in the LiteRT model, and where the lengths are an input of
# the graph, that is an input still which nothing reads. An LSTM's HardSigmoid is that of the default activation_alpha
# and activation_beta, whatever these say. Directions, initial states, clip, input_forget, other activations and both
# forms of GRU are right. An LSTM without initial states, and any of the three without a bias, ends in an exception.
# https://github.com/PINTO0309/onnx2tf
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q onnx2tf==1.29.24 tensorflow==2.19.0 onnx==1.19.1 onnxruntime==1.23.0 numpy==1.26.4
cd "$folder"
export TF_CPP_MIN_LOG_LEVEL=3 CUDA_VISIBLE_DEVICES= PATH="$folder/venv/bin:$PATH"
venv/bin/python -W ignore - 2>"$folder/log" <<'PYTHON' || { tail -5 "$folder/log"; exit 1; }
import contextlib
import io

import numpy
import onnx
import onnx2tf
import onnxruntime
import tensorflow
from onnx import TensorProto, helper, numpy_helper

inputs, units, batch, steps = 3, 4, 2, 6
random = numpy.random.default_rng(0)
x = random.normal(size=(steps, batch, inputs)).astype("f4")


def off(kind, lengths=None, states=True, bias=True, **attributes):
    """How far LiteRT is from ONNX Runtime, for a node of random weights whose lengths are an input."""
    gates = {"LSTM": 4, "GRU": 3, "RNN": 1}[kind]
    directions = 2 if attributes.get("direction") == "bidirectional" else 1
    normal = lambda *shape: (0.5 * random.normal(size=(directions, *shape))).astype("f4")
    given = {"w": normal(gates * units, inputs), "r": normal(gates * units, units)}
    given |= {"b": normal(2 * gates * units)} if bias else {}
    given |= {"h_0": normal(batch, units)} if states else {}
    given |= {"c_0": normal(batch, units)} if states and kind == "LSTM" else {}
    fed = {"x": x} | ({} if lengths is None else {"lengths": numpy.array(lengths, "i4")})
    names = [name if name in given | fed else "" for name in ("x", "w", "r", "b", "lengths", "h_0", "c_0")]
    names = names if kind == "LSTM" else names[:6]
    shapes = {"y": (steps, directions, batch, units), "h": (directions, batch, units)}
    node = helper.make_node(kind, names, list(shapes), hidden_size=units, **attributes)
    types = {"lengths": TensorProto.INT32}
    info = lambda name, shape: helper.make_tensor_value_info(name, types.get(name, TensorProto.FLOAT), shape)
    infos = [info(name, value.shape) for name, value in fed.items()]
    constants = [numpy_helper.from_array(value, name) for name, value in given.items()]
    graph = helper.make_graph([node], "node", infos, [info(*each) for each in shapes.items()], constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 14)], ir_version=8)
    onnx.checker.check_model(model)
    onnx.save(model, "node.onnx")
    true = onnxruntime.InferenceSession("node.onnx").run(["h"], fed)[0]
    with contextlib.redirect_stdout(io.StringIO()):
        onnx2tf.convert("node.onnx", None, "out", keep_shape_absolutely_input_names=["x"], non_verbose=True)
    net = tensorflow.lite.Interpreter("out/node_float32.tflite")
    net.allocate_tensors()
    for detail in net.get_input_details():
        net.set_tensor(detail["index"], fed["lengths" if "lengths" in detail["name"] else "x"])
    net.invoke()
    found = [net.get_tensor(detail["index"]) for detail in net.get_output_details()]
    (h,) = [value for value in found if value.size == true.size]
    return abs(h.reshape(true.shape) - true).max()


hard = {"activations": ["HardSigmoid", "Tanh", "Tanh"]}
right = [("LSTM", {}), ("LSTM", {"direction": "bidirectional"}), ("LSTM", {"clip": 0.3}), ("LSTM", hard)]
right += [("LSTM", {"input_forget": 1}), ("GRU", {}), ("GRU", {"linear_before_reset": 1, "direction": "reverse"})]
right += [("RNN", {"activations": ["Relu"]})]
right += [(kind, {"lengths": [6, 6]}) for kind in ("LSTM", "GRU", "RNN")]
left_out = [(kind, {"lengths": [6, 3]}) for kind in ("LSTM", "GRU", "RNN")]
left_out += [("LSTM", hard | {"activation_alpha": [0.4], "activation_beta": [0.3]})]
for cases, wrong in ((right, False), (left_out, True)):
    for kind, options in cases:
        difference = off(kind, **options)
        print(f"{kind} {options}: off by {difference:.1g}")
        assert (difference > 0.02) if wrong else (difference < 1e-4)
for kind, options in (("LSTM", {"states": False}), ("GRU", {"bias": False})):
    try:
        off(kind, **options)
    except Exception as error:
        print(f"{kind} {options}: {type(error).__name__}")
    else:
        raise SystemExit("it runs")
PYTHON
