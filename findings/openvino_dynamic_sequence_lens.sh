#!/usr/bin/env bash
# OpenVINO 2026.4.1, CPU: an ONNX LSTM, GRU or RNN node follows sequence_lens where number and length of the
# sequences are fixed. Where either is dynamic, as exporters leave them, every sequence is taken as a full
# one, without an error: Y has steps of the padding, Y_h is the state behind it. Giving the very same model
# fixed sizes by reshape() makes it right.
#
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
from onnx import TensorProto, helper, numpy_helper

STEPS, SEQUENCES, FEATURES, UNITS = 7, 3, 3, 4
x = numpy.random.default_rng(1).normal(size=(STEPS, SEQUENCES, FEATURES)).astype("f4")
SHORT, FULL = numpy.array([7, 5, 3], "i4"), numpy.full(SEQUENCES, STEPS, "i4")

def node(op, gates):
    rows, random = gates * UNITS, numpy.random.default_rng(2)
    sizes = {"W": (1, rows, FEATURES), "R": (1, rows, UNITS), "B": (1, 2 * rows)}
    value = lambda name, *shape: helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)
    lengths = helper.make_tensor_value_info("lengths", TensorProto.INT32, ("N",))
    made = helper.make_graph(
        [helper.make_node(op, ["x", *sizes, "lengths"], ["y", "y_h"], hidden_size=UNITS)], "g",
        [value("x", "T", "N", FEATURES), lengths], [value("y", "T", 1, "N", UNITS), value("y_h", 1, "N", UNITS)],
        [numpy_helper.from_array(random.normal(size=s).astype("f4"), k) for k, s in sizes.items()])  # fmt: skip
    made = helper.make_model(made, opset_imports=[helper.make_opsetid("", 14)], ir_version=8)
    onnx.checker.check_model(made, full_check=True)
    onnx.save(made, "m.onnx")

def runtime(lengths):
    return onnxruntime.InferenceSession("m.onnx").run(None, {"x": x, "lengths": lengths})

def vino(lengths, **sizes):
    core = openvino.Core()
    model = core.read_model("m.onnx")
    if sizes:
        model.reshape({"x": [sizes["steps"], sizes["sequences"], FEATURES], "lengths": [sizes["sequences"]]})
    result = core.compile_model(model, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})({"x": x, "lengths": lengths})
    return [result[i] for i in range(2)]

def apart(a, b):
    return max(float(abs(p - q).max()) for p, q in zip(a, b))

for op, gates in {"LSTM": 4, "GRU": 3, "RNN": 1}.items():
    node(op, gates)
    right, full = runtime(SHORT), runtime(FULL)
    fixed = apart(vino(SHORT, steps=STEPS, sequences=SEQUENCES), right)
    assert fixed < 1e-6 and apart(vino(FULL), full) < 1e-6
    for case, sizes in {
        "both dynamic": {},
        "steps dynamic": {"steps": -1, "sequences": SEQUENCES},
        "sequences dynamic": {"steps": STEPS, "sequences": -1},
    }.items():
        found = vino(SHORT, **sizes)
        print(f"{op}, {case}: off from onnxruntime by {apart(found, right):.2f}, from full sequences by "
              f"{apart(found, full):.0e}; fixed {fixed:.0e}")  # fmt: skip
        assert apart(found, right) > 0.1 and apart(found, full) < 1e-6
PYTHON
