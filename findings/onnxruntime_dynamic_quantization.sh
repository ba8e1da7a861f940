#!/usr/bin/env bash
# onnxruntime 1.32.0: quantize_dynamic turns an LSTM into DynamicQuantizeLSTM, whose weights take a quarter of the
# room. It leaves GRU and RNN as they are, in float, and says nothing of it: the "quantized" file is a little larger
# than the model that went in, and its outputs are the same bits.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q numpy==2.4.6 onnx==1.23.2 onnxruntime==1.32.0
cd "$folder"
venv/bin/python - <<'PYTHON'
import logging
import os

import numpy
import onnx
import onnxruntime
from onnx import helper, numpy_helper
from onnxruntime.quantization import quantize_dynamic

GATES = {"LSTM": 4, "GRU": 3, "RNN": 1}
UNITS, FEATURES = 64, 32
x = numpy.random.default_rng(2).normal(size=(6, 3, FEATURES)).astype("float32")
said = []
logging.getLogger().addFilter(lambda record: said.append(record.getMessage()) or False)


def save(op):
    rows, random = GATES[op] * UNITS, numpy.random.default_rng(1)
    weights = {"W": (1, rows, FEATURES), "R": (1, rows, UNITS)}
    graph = helper.make_graph(
        [helper.make_node(op, ["x", *weights], ["y"], hidden_size=UNITS)],
        "g",
        [helper.make_tensor_value_info("x", 1, (None, None, FEATURES))],
        [helper.make_tensor_value_info("y", 1, (None, 1, None, UNITS))],
        [numpy_helper.from_array(random.normal(0, 0.2, s).astype("float32"), n) for n, s in weights.items()],
    )
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 14)])
    made.ir_version = 10
    onnx.checker.check_model(made, full_check=True)
    onnx.save(made, f"{op}.onnx")


def output(file):
    return onnxruntime.InferenceSession(file).run(None, {"x": x})[0]


found = {}
for op in GATES:
    save(op)
    quantize_dynamic(f"{op}.onnx", "quantized.onnx")
    ratio = os.path.getsize("quantized.onnx") / os.path.getsize(f"{op}.onnx")
    same = bool((output("quantized.onnx") == output(f"{op}.onnx")).all())
    found[op] = onnx.load("quantized.onnx").graph.node[0].op_type, ratio, same
print(found, set(said))
assert found["LSTM"][0] == "DynamicQuantizeLSTM" and found["LSTM"][1] < 0.3 and not found["LSTM"][2]
assert found["GRU"][0] == "GRU" and found["GRU"][1] > 1 and found["GRU"][2]
assert found["RNN"][0] == "RNN" and found["RNN"][1] > 1 and found["RNN"][2]
assert not any(op in line for line in said for op in ("GRU", "RNN"))
PYTHON
