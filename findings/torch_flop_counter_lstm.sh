#!/usr/bin/env bash
# torch 2.13.0, CPU: torch.utils.flop_counter.FlopCounterMode counts no operation of an nn.LSTM in float32, forwards
# and backwards: its total is 0, and of a model the rest of it, without a line. The layer is then one operation of
# oneDNN, for which the counter has no formula. It counts the same layer in float64, of a PackedSequence or with
# proj_size, and GRU and RNN always: all as by hand. So by it the smaller of two models is the one with the LSTM, and
# packing sequences makes an LSTM of 0 operations one of some.
# Of tools around it since 2023: github.com/meta-pytorch/tnt/issues/624
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q torch==2.13.0 numpy==2.4.6
cd "$folder"
venv/bin/python -W ignore - <<'PYTHON'
import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

STEPS, SEQUENCES, INPUTS, UNITS = 7, 2, 3, 5
LENGTHS = torch.tensor([7, 3])
GATES = {nn.LSTM: 4, nn.GRU: 3, nn.RNN: 1}


def counted(layer, x, train):
    with FlopCounterMode(display=False) as counter:
        y = layer(x)[0]
        if train:
            (y.data if isinstance(y, nn.utils.rnn.PackedSequence) else y).sum().backward()
    return counter.get_total_flops()


for kind, gates in GATES.items():
    for dtype in (torch.float32, torch.float64):
        layer = kind(INPUTS, UNITS, dtype=dtype)
        x = torch.randn(STEPS, SEQUENCES, INPUTS, dtype=dtype)
        packed = nn.utils.rnn.pack_padded_sequence(x, LENGTHS)
        # Two a multiplication with weights. Backwards: those of both weights, and of h but for the first step's.
        step = 2 * gates * UNITS * (INPUTS + UNITS)
        forward = step * STEPS * SEQUENCES
        both = 2 * forward + 2 * gates * UNITS * UNITS * (STEPS - 1) * SEQUENCES
        found = counted(layer, x, False), counted(layer, x, True), counted(layer, packed, False)
        right = forward, both, step * int(LENGTHS.sum())
        print(f"{kind.__name__} {dtype}: forward, with backward, packed {found}, by hand {right}")
        if kind is nn.LSTM and dtype is torch.float32:
            assert found == (0, 0, right[2])
        else:
            assert found == right

model = nn.Sequential(nn.Linear(INPUTS, INPUTS), nn.LSTM(INPUTS, UNITS))
found, linear = counted(model, torch.randn(STEPS, SEQUENCES, INPUTS), False), 2 * INPUTS * INPUTS * STEPS * SEQUENCES
print(f"Linear and LSTM: {found}, the Linear alone by hand {linear}")
assert found == linear
layer, x = nn.LSTM(INPUTS, UNITS, proj_size=2), torch.randn(STEPS, SEQUENCES, INPUTS)
assert counted(layer, x, False) == 2 * STEPS * SEQUENCES * (4 * UNITS * (INPUTS + 2) + 2 * UNITS)
PYTHON
