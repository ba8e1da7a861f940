#!/usr/bin/env bash
# OpenVINO 2026.4.1, CPU, f32: it reads ONNX's LSTM nodes with peepholes (input P) or input_forget=1 as if
# they had none, and LSTM, GRU and RNN nodes with layout=1 (batch before time) as if time were first, without
# an error: the numbers are those of another network, and of layout=1 the shape of Y_h as well. onnxruntime
# 1.32.0 follows P and input_forget, and refuses layout=1; the truth of that is the same node with its axes
# exchanged outside. sequence_lens, clip, reverse and both directions are right.
# https://onnx.ai/onnx/operators/onnx__LSTM.html
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q numpy==2.4.6 onnx==1.23.2 onnxruntime==1.32.0 openvino==2026.4.1
cd "$folder"
venv/bin/python - <<'PYTHON'
import numpy
import onnx
import onnxruntime
import openvino
from onnx import helper, numpy_helper

STEPS, SEQUENCES, FEATURES, UNITS = 5, 2, 3, 4
GATES = {"LSTM": 4, "GRU": 3, "RNN": 1}
x = numpy.random.default_rng(1).normal(size=(STEPS, SEQUENCES, FEATURES)).astype("f4")

def node(op, peepholes=False, **options):
    rows, random = GATES[op] * UNITS, numpy.random.default_rng(2)
    sizes = {"W": (1, rows, FEATURES), "R": (1, rows, UNITS), "B": (1, 2 * rows)}
    if peepholes:
        sizes["P"] = (1, 3 * UNITS)
    inputs = ["x", "W", "R", "B"] + (["", "", "", "P"] if peepholes else [])
    shapes = [(STEPS, SEQUENCES, FEATURES), (STEPS, 1, SEQUENCES, UNITS), (1, SEQUENCES, UNITS)]
    if options.get("layout"):
        shapes = [(SEQUENCES, STEPS, FEATURES), (SEQUENCES, STEPS, 1, UNITS), (SEQUENCES, 1, UNITS)]
    x, y, y_h = (helper.make_tensor_value_info(*v) for v in zip(("x", "y", "y_h"), (1, 1, 1), shapes))
    made = helper.make_graph(
        [helper.make_node(op, inputs, ["y", "y_h"], hidden_size=UNITS, **options)], "g", [x], [y, y_h],
        [numpy_helper.from_array(random.normal(size=s).astype("f4"), k) for k, s in sizes.items()])  # fmt: skip
    made = helper.make_model(made, opset_imports=[helper.make_opsetid("", 14)], ir_version=8)
    onnx.checker.check_model(made, full_check=True)
    return made

def runtime(made):
    return onnxruntime.InferenceSession(made.SerializeToString()).run(None, {"x": x})

def vino(made, x=x):
    onnx.save(made, "m.onnx")
    result = openvino.Core().compile_model("m.onnx", "CPU", {"INFERENCE_PRECISION_HINT": "f32"})([x])
    return [result[i] for i in range(2)]

def apart(a, b):
    return max(float(abs(p - q).max()) for p, q in zip(a, b))

plain = {op: node(op) for op in GATES}
for op, made in plain.items():
    assert apart(vino(made), runtime(made)) < 1e-6

for case, options in {"P": {"peepholes": True}, "input_forget": {"input_forget": 1}}.items():
    made = node("LSTM", **options)
    off, same = apart(vino(made), runtime(made)), apart(vino(made), runtime(plain["LSTM"]))
    print(f"LSTM {case}: off from onnxruntime by {off:.2f}, from the node without it by {same:.0e}")
    assert off > 0.05 and same < 1e-6

for op, made in plain.items():
    y, y_h = runtime(made)
    right, right_h = y.transpose(2, 0, 1, 3), y_h.transpose(1, 0, 2)
    got, got_h = vino(node(op, layout=1), numpy.ascontiguousarray(x.transpose(1, 0, 2)))
    off = float(abs(got.ravel() - right.ravel()).max())
    print(f"{op} layout=1: Y {got.shape} for {right.shape}, off by {off:.2f}; Y_h {got_h.shape} for {right_h.shape}")
    assert off > 0.3 and got.shape == (2, 1, 5, 4) and got_h.shape == (1, 5, 4)
PYTHON
