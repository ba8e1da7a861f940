#!/usr/bin/env bash
# pytorch-forecasting 1.8.0, torch 2.14.1: its LSTM and GRU (models.nn) take lengths that "can contain zeros", and give
# a sequence of none the initial state back as its last. It is another sequence's: the k-th empty sequence of the
# batch gets the hidden state of row k, whichever row it is in itself, and of an LSTM that hidden state as its cell
# state too. Where all sequences are empty, the states given are not looked at, and zeros come out.
# TemporalFusionTransformer makes initial states of each series' static values, and begins its decoder with these: in
# evaluation, the forecast of a series without a past (min_encoder_length=0) differs with the series it is batched with.
# https://pytorch-forecasting.readthedocs.io/en/v1.8.0/api/pytorch_forecasting.models.nn.rnn.LSTM.html
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q pytorch-forecasting==1.8.0 torch==2.14.1
cd "$folder"
venv/bin/python -W ignore - <<'PYTHON'
import pandas
import torch
from pytorch_forecasting import TemporalFusionTransformer, TimeSeriesDataSet
from pytorch_forecasting.metrics import RMSE
from pytorch_forecasting.models.nn import GRU, LSTM

torch.manual_seed(0)
x, h, c = torch.randn(4, 5, 3), torch.randn(1, 4, 6), torch.randn(1, 4, 6)


def last_states(kind, lengths):
    layer = kind(3, 6, batch_first=True)
    with torch.no_grad():
        states = layer(x, (h, c) if kind is LSTM else h, torch.tensor(lengths), enforce_sorted=False)[1]
        longest = layer(x[:1], (h[:, :1], c[:, :1]) if kind is LSTM else h[:, :1])[1]
    if lengths[0] == 5:  # a sequence that is not empty has its own state
        first = lambda s: torch.stack([v[0, 0] for v in s]) if kind is LSTM else s[0, 0]
        assert torch.allclose(first(states), first(longest), atol=1e-6)
    return [v[0] for v in states] if kind is LSTM else [states[0]]


def named(row):
    """Which of the states given this is."""
    for name, given in (("h", h[0]), ("c", c[0])):
        for index in range(4):
            if torch.equal(row, given[index]):
                return f"{name}{index}"
    return "zeros" if not row.any() else "its own"


found = {}
for kind in (LSTM, GRU):
    for lengths in ([5, 0, 3, 0], [0, 0, 0, 0]):
        got = [[named(row) for row in state] for state in last_states(kind, lengths)]
        found[kind.__name__, tuple(lengths)] = got
        print(kind.__name__, lengths, got)
some = ["its own", "h0", "its own", "h1"]  # h1 and h3 would be right, and c1 and c3 in the cell state
assert found == {
    ("LSTM", (5, 0, 3, 0)): [some, some],
    ("LSTM", (0, 0, 0, 0)): [["zeros"] * 4] * 2,  # h0 to h3, c0 to c3
    ("GRU", (5, 0, 3, 0)): [some],
    ("GRU", (0, 0, 0, 0)): [["zeros"] * 4],
}, found

rows = [(name, time, float(torch.randn(()))) for name in "abc" for time in range(12)]
rows += [("new", time, 0.0) for time in range(8, 12)]
data = TimeSeriesDataSet(
    pandas.DataFrame(rows, columns=["name", "time", "value"]), time_idx="time", target="value", group_ids=["name"],
    min_encoder_length=0, max_encoder_length=8, min_prediction_length=4, max_prediction_length=4,
    static_categoricals=["name"], time_varying_unknown_reals=["value"], target_normalizer=None, min_prediction_idx=0,
)  # fmt: skip
model = TemporalFusionTransformer.from_dataset(data, hidden_size=8, attention_head_size=1, loss=RMSE()).eval()
inputs, _ = next(iter(data.to_dataloader(train=False, batch_size=1000)))
series, past = inputs["groups"][:, 0].tolist(), inputs["encoder_lengths"].tolist()
new = series.index(3)
assert past[new] == 0 and past.count(8) == 3
forecasts = []
for other in (row for row, length in enumerate(past) if length == 8):
    pair = {k: v[[other, new]] if isinstance(v, torch.Tensor) else v for k, v in inputs.items()}
    with torch.no_grad():
        forecasts.append(model(pair).prediction[1, :, 0])
    print(f"new, beside {'abc'[series[other]]}: {[round(v, 4) for v in forecasts[-1].tolist()]}")
assert len(forecasts) == 3 and min(abs(forecasts[0] - f).max() for f in forecasts[1:]) > 1e-3
PYTHON
