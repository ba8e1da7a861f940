#!/usr/bin/env bash
# speechbrain 1.1.2, torch 2.14.1: a batch's lengths are fractions of its longest sequence. Its losses, metrics and
# decoders take them times that and round. Its RNN, LSTM and GRU take the whole part: where n / T * T in float32 is a
# little less than n, as of 13 of 22 steps, the sequence loses its last step. The output there is zeros, the final state
# is of the step before, and a reversed direction begins too early, so that all of its outputs are others. Of all
# pairs n <= T < 200 that is 4 %. Where 1 of 41 steps becomes none, torch refuses it. What the loss then takes as the
# last step of such a sequence is the zeros. Rounded by hand, for pack_padded_sequence of torch, all is right.
# https://speechbrain.readthedocs.io/en/v1.1.2/API/speechbrain.nnet.RNN.html
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q speechbrain==1.1.2 torch==2.14.1 torchaudio==2.11.1
cd "$folder"
venv/bin/python -W ignore - 2>"$folder/log" <<'PYTHON' || { tail -5 "$folder/log"; exit 1; }
import torch
from speechbrain.nnet.RNN import GRU, LSTM, RNN
from speechbrain.utils.data_utils import batch_pad_right, undo_padding

torch.manual_seed(0)
pairs = [(n, longest) for longest in range(2, 200) for n in range(1, longest + 1)]
short = [(n, longest) for n, longest in pairs if int(torch.tensor(n) / longest * longest) < n]
print(f"{len(short)} of {len(pairs)} pairs lose a step: {short[:4]}, ...")
assert 0.03 < len(short) / len(pairs) < 0.05 and (13, 22) in short and (12, 22) not in short

for kind in (RNN, LSTM, GRU):
    layer = kind(hidden_size=4, input_size=3, bidirectional=True)
    for n, lost in ((12, 0), (13, 1)):
        sequences = [torch.randn(22, 3), torch.randn(n, 3)]
        x, lengths = batch_pad_right(sequences)
        with torch.no_grad():
            y, state = layer(x, lengths=lengths)
            alone, own_state = layer.rnn(sequences[1][None])
            without_last = layer.rnn(sequences[1][None, : n - 1])[0]
        assert len(undo_padding(x, lengths)[1]) == n
        forward, backward = y[1, :n, :4], y[1, :n, 4:]
        state, own_state = (s[0] if kind is LSTM else s for s in (state, own_state))
        off = (backward - alone[0, :, 4:]).abs().max().item()
        print(f"{kind.__name__}, {n} of 22 steps: last output {forward[-1].tolist()}, reversed off by {off:.2g}")
        if lost:
            assert not y[1, n - 1].any() and torch.allclose(y[1, : n - 1], without_last[0], atol=1e-6)
            assert (state[:, 1] - own_state[:, 0]).abs().max() > 1e-3 and off > 1e-3
        else:
            assert torch.allclose(y[1, :n], alone[0], atol=1e-6)
            assert torch.allclose(state[:, 1], own_state[:, 0], atol=1e-6)

x, lengths = batch_pad_right([torch.randn(41, 3), torch.randn(1, 3)])
try:
    LSTM(hidden_size=4, input_size=3)(x, lengths=lengths)
    raise SystemExit("it runs")
except RuntimeError as error:
    print("1 of 41 steps:", error)
PYTHON
