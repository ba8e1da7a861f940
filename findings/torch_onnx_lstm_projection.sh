#!/usr/bin/env bash
# torch 2.13.0, onnx 1.23.2, onnxscript 0.7.2, onnxruntime 1.32.0: torch.onnx.export(dynamo=True) of an nn.LSTM with
# proj_size ends without an error. The node in the file says hidden_size = proj_size; W, R and B are
# of 4 * proj_size of the 4 * hidden_size rows, taken across gates, and weight_hr is nowhere. The cell
# state keeps hidden_size units, so a runtime refuses the node. An importer that goes by the weights'
# shapes would take it for a smaller LSTM without projection.
#
# ONNX has no projected LSTM: https://onnx.ai/onnx/operators/onnx__LSTM.html
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

torch.manual_seed(0)
layer = torch.nn.LSTM(3, 5, proj_size=2)
torch.onnx.export(layer, (torch.zeros(4, 2, 3),), "lstm.onnx", dynamo=True, verbose=False)
graph = onnx.load("lstm.onnx").graph
(node,) = [node for node in graph.node if node.op_type == "LSTM"]
constants = {tensor.name: onnx.numpy_helper.to_array(tensor) for tensor in graph.initializer}
(hidden_size,) = [a.i for a in node.attribute if a.name == "hidden_size"]
w, r, b = (constants[node.input[i]] for i in (1, 2, 3))
h_0, c_0 = (constants[node.input[i]] for i in (5, 6))
rows = layer.weight_ih_l0.detach().numpy().tolist()
kept = [rows.index(row) for row in w[0].tolist()]
print("hidden_size", hidden_size, "W", w.shape, "R", r.shape, "B", b.shape, "h_0", h_0.shape, "c_0", c_0.shape)
print("rows of weight_ih, 5 a gate:", kept)
assert hidden_size == 2 and w.shape == (1, 8, 3) and r.shape == (1, 8, 2) and c_0.shape == (1, 2, 5)
assert kept == [0, 1, 6, 7, 2, 3, 4, 5]
assert not any(array.shape[-2:] == (2, 5) and array.any() for array in constants.values())
try:
    session = onnxruntime.InferenceSession("lstm.onnx")
    session.run(None, {graph.input[0].name: torch.zeros(4, 2, 3).numpy()})
    raise SystemExit("it runs")
except Exception as error:
    print(type(error).__name__, str(error).split("Message: ")[-1])
    assert "initial_c must have shape {1,2,2}" in str(error)
PYTHON
