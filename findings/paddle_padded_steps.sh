#!/usr/bin/env bash
# paddlepaddle 3.3.1: with sequence_length the outputs of LSTM, GRU and SimpleRNN behind a sequence's end are zeros.
# With proj_size those of LSTM are not: it goes on over the padding there. So does nn.RNN around any cell, which takes
# sequence_length in the same words of its documentation. So a sum, a mean or a maximum over the steps is right of some
# layers and of others differs with what is in the padding and how much of it there is. The outputs before the end
# and the final states are right everywhere. nn.RNN around an LSTMCell with proj_size makes initial states of
# hidden_size for what is of proj_size, and raises an error, unless it is given them.
# https://www.paddlepaddle.org.cn/documentation/docs/en/api/paddle/nn/LSTM_en.html
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q paddlepaddle==3.3.1 numpy==2.4.6
cd "$folder"
venv/bin/python -W ignore - 2>"$folder/log" <<'PYTHON' || { tail -5 "$folder/log"; exit 1; }
import paddle
from paddle import nn

paddle.seed(0)
x = paddle.randn([2, 7, 3])
lengths = paddle.to_tensor([7, 4])
more_padding = paddle.concat([x, paddle.randn([2, 2, 3])], axis=1)


def states(layer, *inputs, **options):
    y, state = layer(*inputs, **options)
    return y, list(state) if isinstance(state, (list, tuple)) else [state]


layers = {
    "LSTM": nn.LSTM(3, 5), "GRU": nn.GRU(3, 5), "SimpleRNN": nn.SimpleRNN(3, 5),
    "LSTM, proj_size": nn.LSTM(3, 5, proj_size=2), "RNN of LSTMCell": nn.RNN(nn.LSTMCell(3, 5)),
    "RNN of GRUCell": nn.RNN(nn.GRUCell(3, 5)),
}  # fmt: skip
for name, layer in layers.items():
    y, last = states(layer, x, sequence_length=lengths)
    alone, own = states(layer, x[1:2, :4])
    wider, _ = states(layer, more_padding, sequence_length=lengths)
    behind = float(y[1, 4:].abs().max())
    mean, of_wider = (float((sequence.sum(0) / 4)[0]) for sequence in (y[1], wider[1]))
    print(f"{name}: largest behind the end {behind:.2g}; a unit's mean {mean:.3f}, if padded further {of_wider:.3f}")
    assert paddle.allclose(y[1, :4], alone[0], atol=1e-6)
    assert all(paddle.allclose(a[..., 1, :], b[..., 0, :], atol=1e-6) for a, b in zip(last, own))
    zeros = name in ("LSTM", "GRU", "SimpleRNN")
    assert (behind == 0 and mean == of_wider) if zeros else (behind > 0.05 and abs(mean - of_wider) > 1e-3)

layer = nn.RNN(nn.LSTMCell(3, 5, proj_size=2))
assert layer(x, (paddle.zeros([2, 2]), paddle.zeros([2, 5])), sequence_length=lengths)[0].shape == [2, 7, 2]
try:
    layer(x, sequence_length=lengths)
    raise SystemExit("it runs")
except ValueError as error:
    print("RNN of LSTMCell, proj_size:", str(error).splitlines()[0][:120])
PYTHON
