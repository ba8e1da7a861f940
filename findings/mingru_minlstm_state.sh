#!/usr/bin/env bash
# minGRU-pytorch 0.2.1, torch 2.13.0: minLSTM goes on from a state in two ways. With a sequence of one step it begins at
# the state given; with a longer one, at that plus 0.5, since the state goes through the function g of a candidate once
# more. So text that is read in chunks, as in training where each batch begins with the states that the last left,
# gives other outputs than the same text in one piece or step by step, and each chunk starts half a unit too high.
# minGRU, the other layer of the package, gives the same in all three ways, and so does minLSTM without a state.
# https://github.com/lucidrains/minGRU-pytorch, the paper: https://arxiv.org/abs/2410.01201
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q minGRU-pytorch==0.2.1 torch==2.13.0 numpy==2.4.6
cd "$folder"
venv/bin/python -W ignore - <<'PYTHON'
import torch
from minGRU_pytorch.minGRU import minGRU
from minGRU_pytorch.minLSTM import minLSTM

torch.set_grad_enabled(False)


def candidate(x):
    return torch.where(x >= 0, x + 0.5, x.sigmoid())


def by_hand(layer, x, h):
    """The recurrence of the paper, in float64, from the layer's weights."""
    outputs = []
    for x_t in x.double().unbind(1):
        if isinstance(layer, minGRU):
            value, z = (x_t @ layer.to_hidden_and_gate.weight.double().T).chunk(2, -1)
            keep, take = 1 - z.sigmoid(), z.sigmoid()
        else:
            value, f, i = (x_t @ layer.to_hidden_and_f_i_gate.weight.double().T).chunk(3, -1)
            f, i = f.sigmoid(), i.sigmoid()
            keep, take = f / (f + i), i / (f + i)
        h = keep * h + take * candidate(value)
        outputs.append(h)
    return torch.stack(outputs, 1)


def pieces(layer, x, size):
    state, outputs = None, []
    for chunk in x.split(size, 1):
        y, state = layer(chunk, state, return_next_prev_hidden=True)
        outputs.append(y)
    return torch.cat(outputs, 1)


torch.manual_seed(0)
x = torch.randn(2, 12, 4)
for kind in (minGRU, minLSTM):
    layer = kind(4)
    right = by_hand(layer, x, torch.zeros(2, 4, dtype=torch.double))
    for size, name in ((12, "one piece"), (1, "step by step"), (4, "chunks of 4")):
        off = (pieces(layer, x, size) - right).abs()
        print(f"{kind.__name__} in {name}: off by {off.max():.1g}")
        if kind is minLSTM and size == 4:
            assert off[:, :4].max() < 1e-5 and off[:, 4].min() > 0.01 and off[:, 8].min() > 0.01
            above = by_hand(layer, x[:, 4:8], right[:, 3] + 0.5)
            assert (pieces(layer, x, 4)[:, 4:8] - above).abs().max() < 1e-5
        else:
            assert off.max() < 1e-5
PYTHON
