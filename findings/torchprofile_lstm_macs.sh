#!/usr/bin/env bash
# torchprofile 0.1.0, torch 2.13.0: profile_macs counts the multiplications of an nn.LSTM from the shapes of its outputs,
# and is right for tensors, batched or not, of several layers and both directions. With proj_size it takes the last size
# of h_n, the projection's, for hidden_size: of 20 units projected to 5 it counts 6300 of 27300. Of a PackedSequence,
# whose steps are one dimension, it multiplies by the size of the output as well: 20 times too many with 20 units, 40 in
# both directions. So an LSTM looks cheaper than it is for a projection, and far dearer for leaving out the padding.
# Neither is said. Only for nn.GRU and nn.RNN, which count as 0, is there a warning, "No handlers found".
# https://github.com/zhijian-liu/torchprofile, https://docs.pytorch.org/docs/stable/generated/torch.nn.LSTM.html
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q torchprofile==0.1.0 torch==2.13.0 numpy==2.4.6
cd "$folder"
venv/bin/python - <<'PYTHON'
import warnings

import torch
from torch import nn
from torchprofile import profile_macs

STEPS, BATCH, INPUTS, UNITS, PROJECTED = 7, 3, 10, 20, 5
LENGTHS = torch.tensor([7, 3, 2])
x = torch.randn(STEPS, BATCH, INPUTS)


class Packed(nn.Module):
    def __init__(self, layer):
        super().__init__()
        self.layer = layer

    def forward(self, x, lengths):
        return self.layer(nn.utils.rnn.pack_padded_sequence(x, lengths, enforce_sorted=False))[0].data


def macs(model, *arguments):
    """What torchprofile counts, and what it warns about."""
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        found = profile_macs(model, arguments)
    return found, " ".join(str(one.message) for one in said)


def by_hand(model, steps):
    """Each weight is multiplied once a step of a sequence."""
    return steps * sum(weight.numel() for name, weight in model.named_parameters() if "weight" in name)


both = {"num_layers": 2, "bidirectional": True}
for options in ({}, both, both | {"batch_first": True}):
    lstm = nn.LSTM(INPUTS, UNITS, **options)
    assert macs(lstm, x) == (by_hand(lstm, STEPS * BATCH), "")
    assert macs(lstm, x[:, 0]) == (by_hand(lstm, STEPS), "")
for options in ({}, both):
    lstm = nn.LSTM(INPUTS, UNITS, proj_size=PROJECTED, **options)
    (found, said), true = macs(lstm, x), by_hand(lstm, STEPS * BATCH)
    print(f"proj_size={PROJECTED} {options}: {found}, by hand {true}")
    assert found * 4 < true and not said
    lstm = nn.LSTM(INPUTS, UNITS, **options)
    (found, said), true = macs(Packed(lstm), x, LENGTHS), by_hand(lstm, int(LENGTHS.sum()))
    print(f"packed {options}: {found}, by hand {true}, of the padded ones {macs(lstm, x)[0]}")
    assert found == true * UNITS * (2 if options else 1) > macs(lstm, x)[0] and "lstm" not in said
for layer in (nn.GRU(INPUTS, UNITS), nn.RNN(INPUTS, UNITS)):
    found, said = macs(layer, x)
    assert found == 0 and "No handlers found" in said
PYTHON
