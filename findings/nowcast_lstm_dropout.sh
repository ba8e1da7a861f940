#!/usr/bin/env bash
# nowcast-lstm 0.2.7, torch 2.13.0: with dropout above 0 and its default of two layers, half of what goes between them
# (at 0.5) is dropped in predictions as well: the trained model stays in training mode. A seed is set before each call,
# so the same call gives the same twice and it does not show. What is dropped depends on the rows of the call: with one
# month less, or only the last year, the nowcast of a month that is in both changes by up to 0.87, where the standard
# deviation of the target is 1.15; the error is half as much again as that of the same weights without dropout. So are
# those of ragged_preds, by which vintages are compared. Nothing is said. With dropout=0 all of these agree.
# https://github.com/dhopp1/nowcast_lstm; Dropout in https://docs.pytorch.org/docs/stable/generated/torch.nn.LSTM.html
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q nowcast-lstm==0.2.7 torch==2.13.0 numpy==2.4.6 pandas==3.1.1 pmdarima==2.1.1 \
  scikit-learn==1.9.1 scipy==1.17.1
cd "$folder"
venv/bin/python -W ignore - 2>log <<'PYTHON' || { tail -5 log; exit 1; }
import numpy
import pandas
import torch
from nowcast_lstm.LSTM import LSTM

torch.set_num_threads(1)
MONTHS, STEPS = 120, 6
random = numpy.random.default_rng(0)
inputs = random.normal(size=(MONTHS, 2)).cumsum(0) * 0.3
target = inputs @ [0.7, -0.4] + random.normal(size=MONTHS) * 0.05
dates = pandas.date_range("2010-01-01", periods=MONTHS, freq="MS")
frame = pandas.DataFrame({"date": dates, "a": inputs[:, 0], "b": inputs[:, 1], "y": target})
windows = numpy.lib.stride_tricks.sliding_window_view(inputs, STEPS, axis=0).swapaxes(1, 2)


def by_hand(network):
    """Of the trained weights, without dropout."""
    lstm = torch.nn.LSTM(2, 20, 2, batch_first=True)
    lstm.load_state_dict(network.l_lstm.state_dict())
    with torch.no_grad():
        y = lstm(torch.tensor(windows.copy(), dtype=torch.float32))[0]
        return network.l_linear(y.flatten(1)).flatten().numpy()


def error(predictions):
    return float(((predictions - target[STEPS - 1 :]) ** 2).mean() ** 0.5)


def vintages(model, first):
    """The forecasts for the last year, as seen when nothing is missing yet."""
    return model.ragged_preds([0, 0], 0, frame[first:].reset_index(drop=True), start_date="2019-01-01").predictions.to_numpy()


for dropout in (0.0, 0.5):
    model = LSTM(frame, "y", n_timesteps=STEPS, n_models=1, train_episodes=50, dropout=dropout, seeds=[0])
    model.train(quiet=True)
    predict = lambda data: model.predict(data).predictions.to_numpy()
    found, true = predict(frame), by_hand(model.mv_lstm[0])
    assert numpy.array_equal(found, predict(frame))
    apart = [abs(found[:-1] - predict(frame[:-1])).max()]
    apart.append(abs(found[-7:] - predict(frame[-12:].reset_index(drop=True))).max())
    apart.append(abs(vintages(model, 0) - vintages(model, 60)).max())
    print(f"dropout={dropout}: off by {abs(found - true).max():.2g}, RMSE {error(found):.3f}, by hand {error(true):.3f}")
    print(f"  other data in the call: {numpy.round(apart, 2)}, standard deviation of the target {target.std():.2f}")
    if not dropout:
        assert abs(found - true).max() < 1e-5 and max(apart) < 1e-5
    else:
        assert model.mv_lstm[0].training
        assert abs(found - true).max() > 0.3 and min(apart) > 0.2 and error(found) > 1.25 * error(true)
        model.mv_lstm[0].eval()
        assert abs(predict(frame) - true).max() < 1e-5
PYTHON
