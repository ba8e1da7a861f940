#!/usr/bin/env bash
# deep-river 0.3.4, river 0.25.0, torch 2.13.0 (it asks for one below 2.6): estimators of a rolling window, as its LSTM
# and RNN, do four things otherwise than one sample at a time suggests. RollingAutoencoder.score_many is 0 for any data:
# it compares the output with itself; score_one compares it with the input. In the loop of river, predict_one, then
# learn_one, there is no dropout, as the former puts the module in evaluation and the latter only behind its forward
# pass in training. RollingRegressor.learn_many makes one output of the window and trains it on each target of the
# batch, so on their mean: it learns next to nothing where learn_one does; torch warns of the shapes. A new feature
# (is_feature_incremental) gets the last column of weights, but its place among the inputs by its name: where that is
# not the last, the older features behind it get each other's weights. The first calls after it raise a ValueError.
# https://online-ml.github.io/deep-river/
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q river==0.25.0 torch==2.13.0 numpy==2.4.6 pandas==2.3.3 sortedcontainers==2.4.0 \
    tqdm==4.67.1 pytest==9.2.0
"$folder/venv/bin/pip" install -q --no-deps deep-river==0.3.4
cd "$folder"
venv/bin/python -W ignore - <<'PYTHON'
import numpy
import pandas
import torch
from deep_river.anomaly import RollingAutoencoder
from deep_river.regression.zoo import LSTMRegressor

torch.set_num_threads(1)
torch.manual_seed(0)
random = numpy.random.default_rng(0)


def samples(count):
    return pandas.DataFrame(random.normal(size=(count, 3)), columns=list("bcd"))


class Autoencoder(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.encoder, self.decoder = torch.nn.LSTM(3, 2), torch.nn.LSTM(2, 3)

    def forward(self, x):
        return self.decoder(self.encoder(x)[0])[0]


coder, x = RollingAutoencoder(Autoencoder(), window_size=10), samples(40)
for sample in x.to_dict("records"):
    coder.learn_one(sample)
for scale in (1, 100):
    many, one = coder.score_many(scale * x[:10]), coder.score_one((scale * x).iloc[0].to_dict())
    print(f"data times {scale}: score_many {set(many)}, score_one {one:.3g}")
    assert many == [0] * 10 and one > 0.1 * scale

for predicted in (True, False):
    regressor, zeros = LSTMRegressor(n_features=3, hidden_size=100, dropout=0.5), []
    for sample in x[:20].to_dict("records"):
        if predicted:
            regressor.predict_one(sample)
        hook = regressor.module.post_dropout.register_forward_hook(
            lambda module, given, output: zeros.append((output == 0).float().mean().item()))  # fmt: skip
        regressor.learn_one(sample, 1.0)
        hook.remove()
    print(f"predict_one before learn_one: {predicted}, zeros behind dropout=0.5: {numpy.mean(zeros[1:]):.2f}")
    assert numpy.mean(zeros[1:]) == 0 if predicted else 0.4 < numpy.mean(zeros[1:]) < 0.6

# The target is the sign of the sample's own first value.
x, unseen = samples(600), samples(200)
y, error = numpy.sign(x["b"]), {}
for by in ("learn_one", "learn_many"):
    regressor = LSTMRegressor(n_features=3, hidden_size=16, window_size=10, lr=2e-2)
    for epoch in range(1 if by == "learn_one" else 10):  # as many steps of the optimizer
        for begin in range(0, len(x), 10):
            if by == "learn_many":
                regressor.learn_many(x[begin : begin + 10], y[begin : begin + 10])
            else:
                for row in range(begin, begin + 10):
                    regressor.learn_one(x.iloc[row].to_dict(), y[row])
    error[by] = float(abs(regressor.predict_many(unseen) - numpy.sign(unseen["b"])).mean())
print(f"errors behind as many steps, of 0 they are 1: {error}")
assert error["learn_one"] < 0.3 and error["learn_many"] > 0.7

for name in ("z", "a"):
    regressor = LSTMRegressor(n_features=2, hidden_size=4, window_size=3, lr=0.0, is_feature_incremental=True)
    old = [{"b": value, "c": 0.5} for value in (0.0, 1.0, 2.0)]
    for sample in old:
        regressor.learn_one(sample, 0.0)
    before, raised = regressor.predict_one(old[-1]), 0
    for sample in old:
        try:
            regressor.learn_one({**sample, name: 0.0}, 0.0)
        except ValueError:
            raised += 1
    # The learning rate is 0, so that the weights of b and c are what they were, and the new feature is 0.
    after = regressor.predict_one({**old[-1], name: 0.0})
    print(f"new feature {name!r}: {raised} errors, then {after:.4f} for {before:.4f}")
    assert raised == 2 and (abs(after - before) < 1e-6 if name == "z" else abs(after - before) > 0.01)
PYTHON
