#!/usr/bin/env bash
# OpenCV 5.0.0 (opencv-python-headless 5.0.0.93), cv2.dnn: of ONNX's recurrent nodes it computes some
# as if they were others, without an error. A GRU with direction=reverse, sequence_lens or clip and an LSTM
# with clip or input_forget give the numbers of the node without it. A reverse LSTM gives the right Y, but
# in the place of Y_h, the state after the first step, which it comes to last, that of the last step.
# onnxruntime 1.32.0 follows all of them. Plain, bidirectional and GRUs of both kinds of reset are right.
# https://onnx.ai/onnx/operators/onnx__LSTM.html, https://onnx.ai/onnx/operators/onnx__GRU.html
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q numpy==2.4.6 onnx==1.23.2 onnxruntime==1.32.0 opencv-python-headless==5.0.0.93
cd "$folder"
venv/bin/python - <<'PYTHON'
import cv2
import numpy
import onnx
import onnxruntime
from onnx import helper, numpy_helper

STEPS, SEQUENCES, FEATURES, UNITS = 5, 2, 3, 4
x = numpy.random.default_rng(1).normal(size=(STEPS, SEQUENCES, FEATURES)).astype("f4")

def node(op, lengths=None, **options):
    rows, random = {"LSTM": 4, "GRU": 3}[op] * UNITS, numpy.random.default_rng(2)
    sizes = {"W": (1, rows, FEATURES), "R": (1, rows, UNITS), "B": (1, 2 * rows)}
    constants = {name: random.normal(size=size).astype("f4") for name, size in sizes.items()}
    if lengths:
        constants["lengths"] = numpy.array(lengths, "i4")
    value = lambda name, *shape: helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, shape)
    made = helper.make_node(op, ["x", *constants], ["y", "y_h"], hidden_size=UNITS, **options)
    made = helper.make_graph(
        [made], "g", [value("x", STEPS, SEQUENCES, FEATURES)],
        [value("y", STEPS, 1, SEQUENCES, UNITS), value("y_h", 1, SEQUENCES, UNITS)],
        [numpy_helper.from_array(v, k) for k, v in constants.items()])  # fmt: skip
    made = helper.make_model(made, opset_imports=[helper.make_opsetid("", 14)], ir_version=8)
    onnx.checker.check_model(made, full_check=True)
    return made

def runtime(made):
    return onnxruntime.InferenceSession(made.SerializeToString()).run(None, {"x": x})

def opencv(made):
    onnx.save(made, "m.onnx")
    net = cv2.dnn.readNetFromONNX("m.onnx")
    net.setInput(x, "x")
    return net.forward(["y", "y_h"])

def apart(a, b):
    return max(float(abs(p.ravel() - q.ravel()).max()) for p, q in zip(a, b))

plain = {op: node(op) for op in ("LSTM", "GRU")}
for op, made in plain.items():
    assert apart(opencv(made), runtime(made)) < 1e-6
assert apart(*(f(node("GRU", linear_before_reset=1)) for f in (opencv, runtime))) < 1e-6

cases = [("GRU", {"direction": "reverse"}), ("GRU", {"lengths": [STEPS, 3]}), ("GRU", {"clip": 0.3})]
for op, options in cases + [("LSTM", {"clip": 0.3}), ("LSTM", {"input_forget": 1})]:
    made = node(op, **options)
    off, same = apart(opencv(made), runtime(made)), apart(opencv(made), runtime(plain[op]))
    print(f"{op} {options}: off from onnxruntime by {off:.2f}, from the node without it by {same:.0e}")
    assert off > 0.3 and same < 1e-6

made = node("LSTM", direction="reverse")
(y, y_h), (right, right_h) = opencv(made), runtime(made)
print(f"LSTM direction=reverse: Y off by {apart([y], [right]):.0e}, Y_h by {apart([y_h], [right_h]):.2f}, "
      f"from Y[-1] by {apart([y_h], [right[-1]]):.0e}")  # fmt: skip
assert apart([y], [right]) < 1e-6 and apart([right_h], [right[0]]) < 1e-6
assert apart([y_h], [right_h]) > 0.1 and apart([y_h], [right[-1]]) < 1e-6
PYTHON
