#!/usr/bin/env bash
# IREE 3.13.0 (llvm-cpu), onnx 1.23.2, onnxruntime 1.32.0: iree-import-onnx and iree-compile take these nodes of ONNX,
# and neither says a word. sequence_lens of LSTM, GRU and RNN is left out: all sequences are full ones, with their padding.
# So are LSTM's peepholes (input P) and RNN's clip: the same bits come out as of the node without them. Plain nodes,
# initial states, both kinds of linear_before_reset, LSTM of both directions and an RNN of Relu are right. Reverse nodes,
# clip of LSTM and GRU, input_forget and both directions of GRU and RNN are refused. https://iree.dev/guides/ml-frameworks/onnx/
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q iree-base-compiler==3.13.0 iree-base-runtime==3.13.0 onnx==1.23.2 \
  onnxruntime==1.32.0 numpy==2.4.6
cd "$folder"
PATH=$folder/venv/bin:$PATH python -W ignore - <<'PYTHON'
import subprocess

import numpy
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

STEPS, BATCH, INPUTS, UNITS = 5, 2, 3, 4
GATES = {"LSTM": 4, "GRU": 3, "RNN": 1}
COMPILE = """iree-compile node.mlir -o node.vmfb --iree-llvmcpu-target-cpu=generic --iree-hal-target-device=local
    --iree-hal-local-target-device-backends=llvm-cpu"""
RUN = "iree-run-module --module=node.vmfb --device=local-sync --function=node --input=@x.npy --output=@y.npy"
x = numpy.random.default_rng(0).normal(size=(STEPS, BATCH, INPUTS)).astype("f4")
numpy.save("x.npy", x)

def run(op, constants=None, **attributes):
    """The output of a node in IREE, None if it is refused, and in ONNX Runtime."""
    directions = 2 if attributes.get("direction") == "bidirectional" else 1
    random = numpy.random.default_rng(1)
    shapes = {"w": (GATES[op] * UNITS, INPUTS), "r": (GATES[op] * UNITS, UNITS), "b": (2 * GATES[op] * UNITS,)}
    given = {name: random.normal(size=(directions, *shape)).astype("f4") for name, shape in shapes.items()}
    given |= constants or {}
    names = ["x", *(name if name in given else "" for name in ("w", "r", "b", "lengths", "h_0", "c_0", "p"))]
    node = helper.make_node(op, names if op == "LSTM" else names[:6], ["y"], hidden_size=UNITS, **attributes)
    info = lambda name, shape: helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)
    graph = helper.make_graph([node], "node", [info("x", x.shape)], [info("y", (STEPS, directions, BATCH, UNITS))],
                              [numpy_helper.from_array(value, name) for name, value in given.items()])  # fmt: skip
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 14)], ir_version=8)
    onnx.checker.check_model(model, full_check=True)
    onnx.save(model, "node.onnx")
    for command in ("iree-import-onnx node.onnx -o node.mlir", COMPILE):
        said = subprocess.run(command.split(), capture_output=True, text=True)
        if said.returncode:
            assert "failed to legalize operation" in said.stderr
            return None
        assert not said.stdout + said.stderr
    subprocess.run(RUN.split(), check=True, stdout=subprocess.DEVNULL)
    return numpy.load("y.npy"), onnxruntime.InferenceSession("node.onnx").run(None, {"x": x})[0]


lengths, peepholes = {"lengths": numpy.array([5, 3], "i4")}, {"p": numpy.ones((1, 3 * UNITS), "f4")}
start = {"h_0": numpy.full((1, BATCH, UNITS), 0.5, "f4")}
both, reverse, clip = {"direction": "bidirectional"}, {"direction": "reverse"}, {"clip": 0.3}
right = [("LSTM", {}), ("LSTM", {"constants": start | {"c_0": start["h_0"]}}), ("LSTM", both), ("GRU", {}), ("RNN", {}),
         ("GRU", {"constants": start, "linear_before_reset": 1}), ("RNN", {"activations": ["Relu"]})]  # fmt: skip
left_out = [(op, {"constants": lengths}) for op in GATES] + [("LSTM", {"constants": peepholes}), ("RNN", clip)]
refused = [(op, reverse) for op in GATES] + [("LSTM", clip), ("GRU", clip), ("GRU", both), ("RNN", both)]
for op, case in right:
    assert abs(numpy.subtract(*run(op, **case))).max() < 1e-5, (op, case)
for op, case in left_out:
    (found, true), (plain, _) = run(op, **case), run(op)
    same, off = numpy.array_equal(found, plain), abs(found - true).max()
    print(f"{op} {[*case.get('constants', case)]}: as without it {same}, off by {off:.2f}")
    assert same and off > 0.05
assert all(run(op, **case) is None for op, case in [*refused, ("LSTM", {"input_forget": 1})])
PYTHON
