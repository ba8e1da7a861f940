#!/usr/bin/env bash
# supar 1.1.4, torch 2.13.0: its VariationalLSTM takes a PackedSequence and gives outputs and states as nn.LSTM does, h_n
# of shape [layers * directions, sequences, units] by its documentation. In both directions it does. In one direction,
# the default, the layers are laid behind each other without a dimension of their own, and the states are then put in
# the order of the sequences along the units: of 3 sequences, 2 layers and 4 units h_n is 6 x 3. Its rows are the
# sequences sorted by length, and of their units one is gone. With as many sequences as units the shape looks right, and
# each row is another sequence's, its units mixed. More sequences than units are an error. Outputs are right throughout.
# The file of the layer is loaded by itself: others of the package import what it does not need.
# https://parser.yzhang.site/en/latest/modules/lstm.html
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q torch==2.13.0 numpy==2.4.6
"$folder/venv/bin/pip" install -q --no-deps supar==1.1.4
cd "$folder"
venv/bin/python -W ignore - <<'PYTHON'
import pathlib
import sys
import sysconfig
import types

import torch
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence

for name in ("supar", "supar.modules"):
    sys.modules[name] = types.ModuleType(name)
    sys.modules[name].__path__ = [str(pathlib.Path(sysconfig.get_path("purelib"), *name.split(".")))]
from supar.modules.lstm import VariationalLSTM

INPUTS, UNITS, STEPS = 3, 4, 6
torch.manual_seed(0)


def both(layers, lengths, sort=False, **options):
    """The outputs and h_n of supar and of torch, with the same weights."""
    found = VariationalLSTM(INPUTS, UNITS, layers, **options).eval()
    true = nn.LSTM(INPUTS, UNITS, layers, batch_first=True, **options)
    with torch.no_grad():
        for k in range(layers):
            for end, cells in (("", found.f_cells), ("_reverse", getattr(found, "b_cells", None))):
                for name, weight in cells[k].named_parameters() if cells else ():
                    getattr(true, f"{name}_l{k}{end}").copy_(weight.normal_())
        x = torch.randn(len(lengths), STEPS, INPUTS)
        x = pack_padded_sequence(x, torch.tensor(lengths), batch_first=True, enforce_sorted=sort)
        (y, (h, _)), (y_true, (h_true, _)) = found(x), true(x)
    assert torch.allclose(y.data, y_true.data, atol=1e-5)
    return h, h_true


for layers in (1, 2):
    h, true = both(layers, [2, 6, 4], bidirectional=True)
    assert torch.allclose(h, true, atol=1e-5)
    h, true = both(layers, [6, 4, 2], sort=True)
    assert torch.allclose(h, true.flatten(0, 1), atol=1e-5)
    h, true = both(layers, [2, 6, 4])
    print(f"{layers} layers, 3 sequences of {UNITS} units: h_n is {[*h.shape]}, torch's {[*true.shape]}")
    assert h.shape == (3 * layers, 3)
    # The order of the lengths [2, 6, 4] from the longest is 1, 2, 0; each sequence is in place 2, 0, 1 of it.
    assert torch.allclose(h, true[:, [1, 2, 0]].flatten(0, 1)[:, [2, 0, 1]], atol=1e-5)
h, true = both(1, [2, 6, 4, 3])
print(f"4 sequences of {UNITS} units: h_n is {[*h.shape]}, off by {abs(h - true[0]).max():.2f}")
assert h.shape == true[0].shape and abs(h - true[0]).max() > 0.1
try:
    both(1, [2, 6, 4, 3, 5])
    raise SystemExit("more sequences than units are no longer refused")
except RuntimeError as error:
    assert "out of" in str(error)
PYTHON
