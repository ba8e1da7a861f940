#!/usr/bin/env bash
# torch 2.13.0, CPU, under torch.autocast in bfloat16, of one float32 input: nn.RNN gives bfloat16, nn.GRU float32.
# nn.LSTM gives float32 of a PackedSequence; with proj_size its output and h_n are bfloat16 and its c_n float32, of the
# padded and of the packed input.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q numpy==2.4.6 torch==2.13.0
"$folder/venv/bin/python" -W ignore - <<'PYTHON'
import torch
from torch.nn.utils.rnn import PackedSequence, pack_padded_sequence

padded = torch.randn(5, 3, 8)
packed = pack_padded_sequence(padded, [5, 3, 2])


def types(x, cell, **options):
    with torch.autocast("cpu", torch.bfloat16):
        output, states = cell(8, 16, **options)(x)
    output = output.data if isinstance(output, PackedSequence) else output
    states = states if isinstance(states, tuple) else (states,)
    return " ".join(str(t.dtype).removeprefix("torch.") for t in (output, *states))


found = {
    "RNN": {types(x, torch.nn.RNN) for x in (padded, packed)},
    "GRU": {types(x, torch.nn.GRU) for x in (padded, packed)},
    "packed LSTM": {types(packed, torch.nn.LSTM)},
    "projected LSTM": {types(x, torch.nn.LSTM, proj_size=4) for x in (padded, packed)},
}
print(found)
assert found == {
    "RNN": {"bfloat16 bfloat16"},
    "GRU": {"float32 float32"},
    "packed LSTM": {"float32 float32 float32"},
    "projected LSTM": {"bfloat16 bfloat16 float32"},
}
PYTHON
