#!/usr/bin/env bash
# coremltools 9.0, torch 2.14.1 (the same of 2.7.0, the last that it says it was tested with): ct.convert of a traced
# nn.LSTM that is given a PackedSequence. Two lines say that this is "not efficient". The lstm in the program for
# Core ML reads padded steps as any others, and the lengths only cut its outputs: h_n and c_n of a sequence shorter
# than the longest are those behind its padding, and with bidirectional=True the second direction begins in the
# padding, so that all steps of the shorter one are wrong. Core ML itself runs on a Mac only: here the program's one
# lstm is computed from its own weights, as its definition says. The longest sequence, without padding, is right.
# https://apple.github.io/coremltools/source/coremltools.converters.mil.mil.ops.defs.html
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q coremltools==9.0 torch==2.14.1 numpy==2.2.6
cd "$folder"
venv/bin/python -W ignore - 2>converter.log <<'PYTHON' || { cat converter.log; exit 1; }
import coremltools
import numpy
import torch
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence


class Net(torch.nn.Module):
    def __init__(self, bidirectional):
        super().__init__()
        self.lstm = torch.nn.LSTM(5, 7, batch_first=True, bidirectional=bidirectional)
        self.register_buffer("zeros", torch.zeros(1 + bidirectional, 2, 7))

    def forward(self, x, lengths):
        packed = pack_padded_sequence(x, lengths, batch_first=True)
        y, (h, c) = self.lstm(packed, (self.zeros, self.zeros))
        return pad_packed_sequence(y, batch_first=True)[0], h, c


def sigmoid(v):
    return 1 / (1 + numpy.exp(-v))


def direction(x, weight_ih, weight_hh, bias):
    """The outputs and last states of a lstm of Core ML, whose gates are input, forget, output, cell."""
    c = h = numpy.zeros((x.shape[1], 7))
    y = []
    for step in x:
        i, f, o, z = numpy.split(step @ weight_ih.val.T + h @ weight_hh.val.T + bias.val, 4, axis=1)
        c = sigmoid(f) * c + sigmoid(i) * numpy.tanh(z)
        h = sigmoid(o) * numpy.tanh(c)
        y.append(h)
    return numpy.stack(y), h, c


def run(op, x):
    assert not op.initial_h.val.any() and not op.initial_c.val.any()
    y, h, c = direction(x, op.weight_ih, op.weight_hh, op.bias)
    if op.direction.val == "forward":
        return y, h[None], c[None]
    y_back, h_back, c_back = direction(x[::-1], op.weight_ih_back, op.weight_hh_back, op.bias_back)
    return numpy.concatenate([y, y_back[::-1]], 2), numpy.stack([h, h_back]), numpy.stack([c, c_back])


def ancestors(var, seen):
    if var not in seen:
        seen.append(var)
        for value in var.op.inputs.values() if var.op else ():
            for one in value if isinstance(value, (list, tuple)) else (value,):
                ancestors(one, seen)
    return seen


torch.manual_seed(0)
x, lengths = torch.randn(2, 6, 5), torch.tensor([6, 3], dtype=torch.int32)
for bidirectional in (False, True):
    net = Net(bidirectional).eval()
    model = coremltools.convert(
        torch.jit.trace(net, (x, lengths)), convert_to="mlprogram", skip_model_load=True,
        inputs=[coremltools.TensorType(name="x", shape=x.shape),
                coremltools.TensorType(name="lengths", shape=(2,), dtype=numpy.int32)],
        compute_precision=coremltools.precision.FLOAT32,
    )  # fmt: skip
    main = model._mil_program.functions["main"]
    (op,) = main.find_ops(op_type="lstm")
    # lengths reach none of the lstm's inputs, and its states are the program's but for their shape
    assert "lengths" not in [var.name for var in ancestors(op.outputs[0], [])]
    between = [{var.op.op_type for var in ancestors(state, []) if var.op and var not in ancestors(op.outputs[0], [])
                and var.op is not op} for state in main.outputs[1:]]  # fmt: skip
    print(f"between the lstm and h_n, c_n: {between}")
    assert all(types <= {"const", "expand_dims", "split", "stack"} for types in between)

    y, h, c = run(op, x.numpy().transpose(1, 0, 2).astype("f8"))
    y = y.transpose(1, 0, 2)
    with torch.no_grad():
        want = [v.numpy() for v in net(x, lengths)]
        padded = [v.numpy() for v in net.lstm(x)[1]]
    longest = max(abs(y[0] - want[0][0]).max(), abs(h[:, 0] - want[1][:, 0]).max(), abs(c[:, 0] - want[2][:, 0]).max())
    steps = abs(y[1, :3] - want[0][1, :3]).max()
    states = abs(h[:, 1] - want[1][:, 1]).max(), abs(c[:, 1] - want[2][:, 1]).max()
    print(f"bidirectional={bidirectional}: longest off by {longest:.1g}; of the shorter one, "
          f"steps by {steps:.2g}, h_n by {states[0]:.2g}, c_n by {states[1]:.2g}")  # fmt: skip
    assert longest < 1e-6 and min(states) > 0.1
    assert (steps > 0.1) if bidirectional else (steps < 1e-6)
    assert max(abs(h - padded[0]).max(), abs(c - padded[1]).max()) < 1e-6
PYTHON
