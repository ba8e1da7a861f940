"""The same models and training in PyTorch: torch_ett_forecast.py ETTh1.csv [HORIZON]..."""

import copy
import csv
import os
import pathlib
import sys
import time
import tomllib

import torch

HORIZONS, MONTH = [24, 48, 168, 336, 720], 30 * 24
LOSSES = {"mse": torch.nn.functional.mse_loss, "mae": torch.nn.functional.l1_loss}


class Model(torch.nn.Module):
    def __init__(self, columns, horizon, hidden_size, conv=None):
        super().__init__()
        self.conv = None
        if conv:
            self.conv = torch.nn.Sequential(
                torch.nn.Conv1d(
                    columns, conv["channels"], conv["kernel_size"], padding=conv["padding"]
                ),
                torch.nn.ReLU(),
                torch.nn.MaxPool1d(conv["pool_size"]),
            )
        inputs = conv["channels"] if conv else columns
        self.rnn = torch.nn.LSTM(inputs, hidden_size, batch_first=True)
        self.head = torch.nn.Linear(hidden_size, horizon * columns)

    def forward(self, x):
        if self.conv:
            x = self.conv(x.mT).mT
        _, (h, _) = self.rnn(x)
        return self.head(h[0])


def windows(series, begin, end, input_len, horizon):
    """Inputs [n, input_len, columns] that may reach back before row `begin`, and targets."""
    rows = series[max(begin - input_len, 0) : end].unfold(0, input_len + horizon, 1).mT
    return rows[:, :input_len], rows[:, input_len:].flatten(1)


def evaluate(model, x, y, loss):
    with torch.no_grad():
        total = sum(loss(model(a), b).item() * len(a) for a, b in zip(x.split(64), y.split(64)))
    return total / len(x)


def train(model, parts, settings):
    """Trains until the validation loss has not fallen for a while, and leaves the best weights."""
    (x, y), valid = parts["train"], parts["valid"]
    loss = LOSSES[settings["loss"]]
    optimizer = torch.optim.AdamW(
        model.parameters(), lr=settings["lr"], weight_decay=settings["weight_decay"]
    )
    best, best_epoch, seconds = float("inf"), 0, []
    for epoch in range(settings["epochs"]):
        start = time.perf_counter()
        for rows in torch.randperm(len(x)).split(settings["batch_size"]):
            optimizer.zero_grad()
            loss(model(x[rows]), y[rows]).backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), settings["clip_norm"])
            optimizer.step()
        seconds.append(time.perf_counter() - start)
        valid_loss = evaluate(model, *valid, loss)
        if valid_loss < best:
            best, best_epoch, weights = valid_loss, epoch, copy.deepcopy(model.state_dict())
        elif epoch - best_epoch >= settings["early_stopping_patience"]:
            break
    model.load_state_dict(weights)
    return min(seconds)


def result(name, series, horizon):
    """MSE and MAE over the test part of the model that the run file `name` describes."""
    run = tomllib.loads(pathlib.Path(__file__).with_name(name + ".toml").read_text())
    bounds = {"train": (0, 12), "valid": (12, 16), "test": (16, 20)}
    parts = {
        part: windows(series, MONTH * begin, MONTH * end, run["data"]["input_len"], horizon)
        for part, (begin, end) in bounds.items()
    }
    torch.manual_seed(int(os.environ.get("SEED", 1)))
    model = Model(series.shape[1], horizon, run["model"]["hidden_size"], run["model"].get("conv"))
    seconds = train(model, parts, run["train"])
    print(f"{name}, horizon {horizon}: {seconds:.2f} s an epoch", file=sys.stderr)
    return [evaluate(model, *parts["test"], LOSSES[measure]) for measure in ("mse", "mae")]


def main():
    with open(sys.argv[1]) as file:
        rows = [[float(value) for value in row[1:]] for row in list(csv.reader(file))[1:]]
    series = torch.tensor(rows[: 20 * MONTH])
    past = series[: 12 * MONTH]
    series = (series - past.mean(0)) / past.std(0, unbiased=False)
    print("| horizon | LSTM: MSE | MAE | CNN-LSTM: MSE | MAE |\n|---|---|---|---|---|")
    for horizon in [int(argument) for argument in sys.argv[2:]] or HORIZONS:
        values = [v for name in ("lstm", "cnn_lstm") for v in result(name, series, horizon)]
        print(f"| {horizon} | " + " | ".join(f"{v:.3f}" for v in values) + " |", flush=True)


main()
