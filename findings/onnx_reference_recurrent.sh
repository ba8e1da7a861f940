#!/usr/bin/env bash
# onnx 1.23.2: onnx.reference.ReferenceEvaluator runs LSTM, GRU and RNN nodes as if they had no
# sequence_lens and no clip, LSTM and GRU nodes no activations, and LSTM nodes no input_forget, without an
# error: the same bits come out as without them. onnxruntime 1.32.0 follows all of them. The last state of a
# sequence of 2 steps among longer ones, which sequence_lens tells, is not that of its 2 steps alone.
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
from onnx.reference import ReferenceEvaluator

STEPS, SEQUENCES, FEATURES, UNITS = 4, 2, 2, 3
GATES = {"LSTM": 4, "GRU": 3, "RNN": 1}
random = numpy.random.default_rng(1)
x = random.normal(size=(STEPS, SEQUENCES, FEATURES)).astype("f4")


def model(op, lengths=None, **options):
    rows, weights = GATES[op] * UNITS, numpy.random.default_rng(2)
    shapes = {"W": (1, rows, FEATURES), "R": (1, rows, UNITS), "B": (1, 2 * rows)}
    constants = {name: weights.normal(size=shape).astype("f4") for name, shape in shapes.items()}
    if lengths:
        constants["lengths"] = numpy.array(lengths, "i4")
    value = lambda name, *shape: helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, shape)
    node = helper.make_node(op, ["x", *constants], ["y", "y_h"], hidden_size=UNITS, **options)
    graph = helper.make_graph([node], "g", [value("x", None, SEQUENCES, FEATURES)],
                              [value("y", None, 1, SEQUENCES, UNITS), value("y_h", 1, SEQUENCES, UNITS)],
                              [numpy_helper.from_array(v, k) for k, v in constants.items()])  # fmt: skip
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 22)])
    made.ir_version = 10
    onnx.checker.check_model(made, full_check=True)
    return made


def reference(made, x=x):
    return ReferenceEvaluator(made).run(None, {"x": x})


def runtime(made):
    return onnxruntime.InferenceSession(made.SerializeToString()).run(None, {"x": x})


def apart(a, b):
    return max(float(abs(p - q).max()) for p, q in zip(a, b))


found = {}
for op in GATES:
    options = {"linear_before_reset": 1} if op == "GRU" else {}
    plain = model(op, **options)
    assert apart(reference(plain), runtime(plain)) < 1e-6
    cases = {"sequence_lens": {"lengths": [STEPS, 2]}, "clip": {"clip": 0.3}}
    if op != "RNN":
        functions = {"LSTM": ["Sigmoid", "Relu", "Relu"], "GRU": ["Sigmoid", "Relu"]}
        cases["activations"] = {"activations": functions[op]}
    if op == "LSTM":
        cases["input_forget"] = {"input_forget": 1}
    for case, more in cases.items():
        made = model(op, **options, **more)
        ignored = apart(reference(made), reference(plain)) == 0
        found[op, case] = ignored, apart(reference(made), runtime(made)) > 0.05
        print(f"{op} {case}: as without it {ignored}, off from onnxruntime by "
              f"{apart(reference(made), runtime(made)):.2f}")  # fmt: skip
    alone = reference(plain, x[:2])[1][0, 1]
    among = model(op, lengths=[STEPS, 2], **options)
    assert abs(runtime(among)[1][0, 1] - alone).max() < 1e-6
    assert abs(reference(among)[1][0, 1] - alone).max() > 0.01
assert len(found) == 9 and all(value == (True, True) for value in found.values()), found
PYTHON
