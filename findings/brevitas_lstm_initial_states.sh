#!/usr/bin/env bash
# brevitas 0.13.4, torch 2.14.1: layerwise_quantize puts a QuantLSTM in the place of an nn.LSTM, and its call
# lstm(x, (h0, c0)) goes on without an error: the two states are taken for those of two layers or directions, as
# QuantLSTM's own form is lstm(x, h0, c0). The cell begins at zero instead of c0; with bidirectional=True the
# second direction has c0 for its hidden state. The outputs have an axis more, [T, 1, N, H], which a Linear
# behind it takes as well. An nn.LSTM of two layers raises an IndexError, and without states it is right.
# Without quantizers the outputs are to float precision those of an nn.LSTM with c0 = 0.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q brevitas==0.13.4 torch==2.14.1
cd "$folder"
venv/bin/python -W ignore - <<'PYTHON'
import copy

import torch
from brevitas.graph.quantize import layerwise_quantize
from brevitas.nn import QuantLSTM

T, N, I, H = 6, 3, 5, 7


class Net(torch.nn.Module):
    def __init__(self, **options):
        super().__init__()
        self.lstm = torch.nn.LSTM(I, H, **options)

    def forward(self, x, *states):
        return self.lstm(x, states)[0] if states else self.lstm(x)[0]


def without_quantizers(lstm):
    names = ("weight", "io", "gate_acc", "sigmoid", "tanh", "cell_state", "bias")
    made = QuantLSTM(I, H, bidirectional=lstm.bidirectional, **{f"{name}_quant": None for name in names})
    made.load_state_dict(lstm.state_dict())
    return made.eval()


torch.manual_seed(0)
x = torch.randn(T, N, I)
with torch.no_grad():
    net = Net().eval()
    h0, c0 = torch.randn(1, N, H), torch.randn(1, N, H)
    want, without_cell = net(x, h0, c0), net(x, h0, torch.zeros_like(c0))
    net.lstm, lstm = without_quantizers(net.lstm), net.lstm
    assert abs(net(x) - lstm(x)[0]).max() < 1e-6
    got = net(x, h0, c0)
    print(f"outputs {tuple(want.shape)} become {tuple(got.shape)}, off by {abs(got[:, 0] - want).max():.2f}, "
          f"from c0 = 0 by {abs(got[:, 0] - without_cell).max():.1g}")  # fmt: skip
    assert want.shape == (T, N, H) and got.shape == (T, 1, N, H)
    assert abs(got[:, 0] - want).max() > 0.1 and abs(got[:, 0] - without_cell).max() < 1e-6
    assert abs(net.lstm(x, h0, c0)[0] - want).max() < 1e-6
    net.lstm = lstm
    quantized = layerwise_quantize(copy.deepcopy(net)).eval()
    assert isinstance(quantized.lstm, QuantLSTM)
    assert quantized(x, h0, c0).shape == (T, 1, N, H) and quantized(x).shape == (T, N, H)

    both = torch.nn.LSTM(I, H, bidirectional=True).eval()
    h0, c0 = torch.randn(2, N, H), torch.randn(2, N, H)
    got = without_quantizers(both)(x, (h0, c0))[0]
    mixed = both(x, (torch.stack([h0[0], c0[0]]), torch.zeros_like(c0)))[0]
    print(f"bidirectional: outputs {tuple(got.shape)}, from c0 as second h0 by {abs(got[:, 0] - mixed).max():.1g}")
    assert abs(got[:, 0] - mixed).max() < 1e-6 and abs(got[:, 0] - both(x, (h0, c0))[0]).max() > 0.1
try:
    layerwise_quantize(Net(num_layers=2)).eval()(x, torch.zeros(2, N, H), torch.zeros(2, N, H))
    raise SystemExit("two layers take the states")
except IndexError as error:
    print("two layers:", error)
PYTHON
