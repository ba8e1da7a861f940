#!/usr/bin/env bash
# torch 2.13.0, onnx 1.23.2, onnxscript 0.7.2, onnxruntime 1.32.0: torch.onnx.export(dynamo=True) with
# a seq_len that dynamic_shapes declares as dynamic, without an error. nn.LSTM and nn.GRU become an LSTM
# and a GRU node, and the input is of any seq_len; a Reshape behind the node holds the example's, so the
# model runs at no other. nn.RNN becomes no RNN node, though ONNX has one and dynamo=False writes it, but
# a MatMul and a Tanh for each step of the example, and its input is of that seq_len.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q torch==2.13.0 numpy==2.4.6 onnx==1.23.2 onnxscript==0.7.2 onnxruntime==1.32.0
cd "$folder"
venv/bin/python - 2>"$folder/log" <<'PYTHON' || { tail -5 "$folder/log"; exit 1; }
import onnx
import onnxruntime
import torch


def export(cell, dynamo=True, **options):
    layer = getattr(torch.nn, cell)(3, 5)
    torch.onnx.export(layer, (torch.zeros(4, 2, 3),), "a.onnx", dynamo=dynamo, verbose=False, **options)
    graph = onnx.load("a.onnx").graph
    return [node.op_type for node in graph.node], graph.input[0].type.tensor_type.shape.dim[0]


def runs(seq_len):
    session = onnxruntime.InferenceSession("a.onnx")
    try:
        output = session.run(None, {session.get_inputs()[0].name: torch.zeros(seq_len, 2, 3).numpy()})[0]
        return output.shape == (seq_len, 2, 5)
    except Exception as error:
        print("   ", seq_len, "steps:", str(error).splitlines()[-1][-75:])
        return False


seq_len = torch.export.Dim("seq_len", min=2, max=50)
found = {}
for cell in ("LSTM", "GRU", "RNN"):
    ops, size = export(cell, dynamic_shapes=({0: seq_len},))
    found[cell] = (ops.count(cell), ops.count("MatMul"), size.dim_param or size.dim_value, runs(4), runs(7))
    print(f"nn.{cell}: {cell} nodes, MatMul nodes, seq_len, runs at 4 and 7 steps:", found[cell])
assert found == {"LSTM": (1, 0, "seq_len", True, False), "GRU": (1, 0, "seq_len", True, False),
                 "RNN": (0, 4, 4, True, False)}  # fmt: skip
assert export("RNN", dynamo=False)[0].count("RNN") == 1
PYTHON
