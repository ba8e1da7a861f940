#!/usr/bin/env bash
# tract 0.23.9 runs ONNX's LSTM, GRU and RNN nodes with direction=reverse, clip or activations, and LSTM nodes with
# input_forget, without an error as if they had none of them: the same bits come out as of the plain forward node.
# In a node of both directions the second is read backwards as it should be; activations are left out there as well.
# onnxruntime 1.32.0 follows all of them. Plain nodes and those of both directions are right; sequence_lens that
# say less than all steps are refused.
# https://onnx.ai/onnx/operators/onnx__LSTM.html, all but reverse also in github.com/sonos/tract/issues/2751
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q numpy==2.4.6 onnx==1.23.2 onnxruntime==1.32.0 tract==0.23.9
cd "$folder"
venv/bin/python - <<'PYTHON'
import numpy
import onnx
import onnxruntime
import tract
from onnx import helper, numpy_helper

STEPS, FEATURES, UNITS = 4, 2, 3
GATES = {"LSTM": 4, "GRU": 3, "RNN": 1}
FUNCTIONS = {"LSTM": ["Sigmoid", "Relu", "Relu"], "GRU": ["Sigmoid", "Relu"], "RNN": ["Relu"]}
x = numpy.random.default_rng(1).normal(size=(STEPS, 1, FEATURES)).astype("f4")


def model(op, directions=1, lengths=None, **options):
    rows, weights = GATES[op] * UNITS, numpy.random.default_rng(2)
    shapes = {"W": (rows, FEATURES), "R": (rows, UNITS), "B": (2 * rows,)}
    constants = {name: weights.normal(size=(directions, *shape)).astype("f4") for name, shape in shapes.items()}
    if lengths:
        constants["lengths"] = numpy.array(lengths, "i4")
    node = helper.make_node(op, ["x", *constants], ["y"], hidden_size=UNITS, **options)
    value = lambda name, shape: helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, shape)
    graph = helper.make_graph([node], "g", [value("x", x.shape)], [value("y", (STEPS, directions, 1, UNITS))],
                              [numpy_helper.from_array(v, k) for k, v in constants.items()])  # fmt: skip
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 14)])
    made.ir_version = 8
    onnx.checker.check_model(made, full_check=True)
    return made


def in_tract(made):
    onnx.save(made, "m.onnx")
    return tract.onnx().load("m.onnx").into_model().into_runnable().run([x])[0].to_numpy().copy()


def runtime(made):
    return onnxruntime.InferenceSession(made.SerializeToString()).run(None, {"x": x})[0]


count = 0
for op in GATES:
    plain = in_tract(model(op))
    assert abs(plain - runtime(model(op))).max() < 1e-6
    assert abs(in_tract(model(op, 2, direction="bidirectional"))
               - runtime(model(op, 2, direction="bidirectional"))).max() < 1e-6  # fmt: skip
    cases = {"reverse": {"direction": "reverse"}, "clip": {"clip": 0.3}, "activations": {"activations": FUNCTIONS[op]}}
    if op == "LSTM":
        cases["input_forget"] = {"input_forget": 1}
    for case, options in cases.items():
        got, truth = in_tract(model(op, **options)), runtime(model(op, **options))
        print(f"{op} {case}: as without it {numpy.array_equal(got, plain)}, off by {abs(got - truth).max():.2f}")
        assert numpy.array_equal(got, plain) and abs(got - truth).max() > 0.03
        count += 1
    both = {"direction": "bidirectional", "activations": FUNCTIONS[op] * 2}
    assert numpy.array_equal(in_tract(model(op, 2, **both)), in_tract(model(op, 2, direction="bidirectional")))
    try:
        in_tract(model(op, lengths=[2]))
        raise SystemExit("sequence_lens are no longer refused")
    except tract.TractError:
        pass
assert count == 10
PYTHON
