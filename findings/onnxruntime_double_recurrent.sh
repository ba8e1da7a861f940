#!/usr/bin/env bash
# onnxruntime 1.32.0, CPU: of recurrent nodes in double, which the ONNX standard allows (type constraint T of
# opset 14: float16, float, double), a session loads LSTM and GRU, and its first run raises a RuntimeException
# ("does not support double yet"); for RNN it raises NotImplemented while it loads. onnx's checker accepts all
# three, and in float all three run.
#
# https://onnx.ai/onnx/operators/onnx__LSTM.html
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q numpy==2.4.6 onnx==1.23.2 onnxruntime==1.32.0
cd "$folder"
venv/bin/python - <<'PYTHON'
import numpy
import onnx
import onnxruntime
from onnx import helper, numpy_helper

GATES = {"LSTM": 4, "GRU": 3, "RNN": 1}
UNITS, FEATURES = 3, 2


def model(op, dtype):
    rows, random = GATES[op] * UNITS, numpy.random.default_rng(1)
    kind = helper.np_dtype_to_tensor_dtype(numpy.dtype(dtype))
    weights = {"W": (1, rows, FEATURES), "R": (1, rows, UNITS)}
    graph = helper.make_graph(
        [helper.make_node(op, ["x", *weights], ["y"], hidden_size=UNITS)],
        "g",
        [helper.make_tensor_value_info("x", kind, (None, 1, FEATURES))],
        [helper.make_tensor_value_info("y", kind, (None, 1, 1, UNITS))],
        [numpy_helper.from_array(random.normal(size=s).astype(dtype), n) for n, s in weights.items()],
    )
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 14)])
    made.ir_version = 10
    onnx.checker.check_model(made, full_check=True)
    return made.SerializeToString()


def stops_at(op, dtype):
    try:
        session = onnxruntime.InferenceSession(model(op, dtype), providers=["CPUExecutionProvider"])
    except Exception as error:
        return "load", type(error).__name__
    try:
        session.run(None, {"x": numpy.ones((4, 1, FEATURES), dtype)})
    except Exception as error:
        return "run", type(error).__name__
    return "end", None


for op in GATES:
    assert stops_at(op, "float32") == ("end", None), op
found = {op: stops_at(op, "float64") for op in GATES}
print(found)
at_run = ("run", "RuntimeException")
assert found == {"LSTM": at_run, "GRU": at_run, "RNN": ("load", "NotImplemented")}
PYTHON
