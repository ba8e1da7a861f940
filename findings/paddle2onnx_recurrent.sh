#!/usr/bin/env bash
# paddle2onnx 2.1.0, paddlepaddle 3.3.1, onnx 1.17.0, onnxruntime 1.32.0: paddle.onnx.export of an LSTM or GRU called
# with sequence_length ends without a line about it. The file has the input, and no node reads it: all sequences are
# taken as full ones, so that steps and last state of the shorter are those of the padding. Of several layers the
# states of the last layer alone come out, where all layers' belong. A SimpleRNN becomes a file without its recurrent
# node, which onnxruntime refuses; the export says so in a log line, and returns.
# Known for the lengths since 2024: github.com/PaddlePaddle/Paddle2ONNX/issues/1373
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q paddlepaddle==3.3.1 paddle2onnx==2.1.0 onnx==1.17.0 onnxruntime==1.32.0 numpy==2.4.6
cd "$folder"
cat >run.py <<'PYTHON'
import onnx
import onnxruntime
import numpy
import paddle
from paddle.static import InputSpec

x = numpy.random.default_rng(0).normal(size=(2, 6, 5)).astype("f4")


class Layers(paddle.nn.Layer):
    def __init__(self, layers):
        super().__init__()
        self.layers = layers

    def forward(self, x, lengths):
        y, state = self.layers(x, sequence_length=lengths)
        return y, state[0] if isinstance(state, tuple) else state


def export(layers):
    net = Layers(layers)
    net.eval()
    paddle.onnx.export(net, "m", [InputSpec([2, 6, 5], "float32", "x"), InputSpec([2], "int32", "lengths")],
                       opset_version=14)  # fmt: skip
    return net, onnx.load("m.onnx")


def outputs(net, lengths):
    lengths = numpy.array(lengths, "i4")
    session = onnxruntime.InferenceSession("m.onnx")
    file = session.run(None, {"x": x, "lengths": lengths})
    return [v.numpy() for v in net(paddle.to_tensor(x), paddle.to_tensor(lengths))], file


paddle.seed(1)
for kind in (paddle.nn.LSTM, paddle.nn.GRU):
    for direction, count in (("forward", 1), ("bidirect", 2)):
        net, made = export(kind(5, 7, direction=direction))
        assert [value.name for value in made.graph.input] == ["x", "lengths"]
        assert not any("lengths" in node.input for node in made.graph.node)
        (full_y, full_h), file = outputs(net, [6, 6])
        assert abs(file[0] - full_y).max() < 1e-6 and abs(file[1] - full_h).max() < 1e-6
        (y, h), file = outputs(net, [6, 3])
        print(f"{kind.__name__} {direction}: y off by {abs(file[0] - y).max():.2f}, h by {abs(file[1] - h).max():.2f}")
        assert abs(file[0] - y).max() > 0.1 and abs(file[1] - h).max() > 0.1
        assert abs(file[0] - full_y).max() < 1e-6 and abs(file[1] - full_h).max() < 1e-6

        net, made = export(kind(5, 7, num_layers=2, direction=direction))
        (y, h), file = outputs(net, [6, 6])
        print(f"{kind.__name__} {direction}, 2 layers: states {h.shape} become {file[1].shape}")
        assert abs(file[0] - y).max() < 1e-6
        assert h.shape == (2 * count, 2, 7) and file[1].shape == (count, 2, 7)
        assert abs(file[1] - h[count:]).max() < 1e-6

net, made = export(paddle.nn.SimpleRNN(5, 7))
print("SimpleRNN:", sorted({node.op_type for node in made.graph.node}))
assert not any(node.op_type in ("RNN", "Loop", "Scan") for node in made.graph.node)
try:
    onnxruntime.InferenceSession("m.onnx")
    raise SystemExit("the file of a SimpleRNN loads")
except Exception as error:
    print(type(error).__name__, str(error)[:160])
PYTHON
venv/bin/python -W ignore run.py
