#!/usr/bin/env bash
# opacus 1.6.0, torch 2.13.0: DPLSTM, DPGRU and DPRNN, "drop-in replacements" of torch.nn's, have another dropout. torch
# drops outputs between layers; these drop the hidden state at every step, of every layer, the last and an
# only one too: the state that goes back into the cell has lost that part, the outputs and h_n have zeros in them,
# and what is left of h is scaled by 1 / (1 - p) at each step. The warning of torch, that dropout "adds dropout after
# all but last recurrent layer", is given for one layer, whose outputs are dropped all the same. Without dropout the
# numbers are torch's. Packed input of float64 has final states of float32.
# https://opacus.ai/api/dp_rnn.html
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q opacus==1.6.0 torch==2.13.0 numpy==2.4.6
cd "$folder"
venv/bin/python -W ignore - <<'PYTHON'
import torch
from opacus.layers import DPGRU, DPLSTM, DPRNN
from torch.nn.utils.rnn import pack_padded_sequence

torch.manual_seed(0)
x = torch.randn(40, 8, 3)


def pair(private, plain, layers, dropout, dtype=torch.float32):
    """The layer and torch's, of the same weights."""
    theirs = plain(3, 16, layers, dropout=dropout, dtype=dtype)
    ours = private(3, 16, layers, dropout=dropout).to(dtype)
    ours.load_state_dict(theirs.state_dict())
    return ours, theirs


def zeros(tensor):
    return (tensor == 0).float().mean().item()


for private, plain in ((DPLSTM, torch.nn.LSTM), (DPGRU, torch.nn.GRU), (DPRNN, torch.nn.RNN)):
    for layers in (1, 2):
        layer, theirs = pair(private, plain, layers, 0.5)
        with torch.no_grad():
            y, state = layer(x)
            true, _ = theirs(x)
            assert torch.allclose(layer.eval()(x)[0], theirs.eval()(x)[0], atol=1e-5)
        h = state[0] if private is DPLSTM else state
        found = f"zeros in outputs {zeros(y):.2f}, in h_n {zeros(h):.2f}, in torch's outputs {zeros(true):.2f}"
        print(f"{private.__name__}, {layers} layers: {found}")
        assert 0.45 < zeros(y) < 0.55 and 0.3 < zeros(h) < 0.7 and zeros(true) == 0

    # What goes back into the cell is the dropped state: a step from it gives the next output, where not dropped itself.
    layer, theirs = pair(private, plain, 1, 0.5)
    with torch.no_grad():
        y, _ = layer(x[:3])
        if private is not DPLSTM:
            following = theirs(x[2:3], y[1:2])[0][0] / (1 - 0.5)
            kept = y[2] != 0
            assert torch.allclose(y[2][kept], following[kept], atol=1e-5)

    layer, theirs = pair(private, plain, 1, 0.0, torch.float64)
    packed = pack_padded_sequence(x.double(), torch.full((8,), 40))
    kinds = [(s[0] if private is DPLSTM else s).dtype for s in (layer(packed)[1], theirs(packed)[1])]
    assert kinds == [torch.float32, torch.float64]
PYTHON
