"""Forecasts with each `normalize`, beside the last value and the same models in PyTorch:

    build/peers/bin/python bench/forecast_levels.py ETTh1.csv co2.csv sunspots.csv macrodata.csv

The last three are in statsmodels/datasets. Prints mean squared errors over the test rows in
standardized units, mean and spread over the seeds.
"""

import argparse
import copy
import pathlib
import subprocess
import tempfile

import h5py
import numpy
import torch

KINDS = ["none", "residual", "last", "instance"]
# By file: what prepare needs; rows in, rows out, stride, targets (none: all), epochs.
JOBS = {
    "ETTh1": ([], 96, 24, 8, ["OT"], 4),
    "co2": (["--time", "date", "--missing", "forward"], 104, 13, 1, [], 10),
    "sunspots": (["--time", "YEAR"], 33, 5, 1, [], 40),
    "macrodata": (["--columns", "realgdp,realcons,unemp,infl,tbilrate"], 12, 4, 1, [], 40),
}
HIDDEN, LR, BATCH = 24, 5e-3, 32


class Model(torch.nn.Module):
    def __init__(self, kind, features, horizon, columns):
        super().__init__()
        self.kind, self.horizon, self.columns = kind, horizon, columns
        if kind == "instance":
            self.weight = torch.nn.Parameter(torch.ones(features))
            self.bias = torch.nn.Parameter(torch.zeros(features))
        self.rnn = torch.nn.LSTM(features, HIDDEN, batch_first=True)
        self.head = torch.nn.Linear(HIDDEN, horizon * len(columns))

    def forward(self, x):
        last, c = x[:, -1:], self.columns
        if self.kind == "instance":
            mean = x.mean(1, keepdim=True)
            std = (x.var(1, keepdim=True, unbiased=False) + 1e-5).sqrt()
            x = (x - mean) / std * self.weight + self.bias
        elif self.kind == "last":
            x = x - last
        y = self.head(self.rnn(x)[1][0][0]).view(len(x), self.horizon, -1)
        if self.kind == "instance":
            return (y - self.bias[c]) / (self.weight[c] + 1e-10) * std[:, :, c] + mean[:, :, c]
        return y if self.kind == "none" else y + last[:, :, c]


def windows(data, split, input_len, horizon, stride, columns):
    with h5py.File(data) as file:
        x = torch.from_numpy(file[split]["x"][()])
        begin, end = (int(file[split].attrs[name]) for name in ("begin", "end"))
    rows = x[max(begin - input_len, 0) : end].unfold(0, input_len + horizon, stride).mT
    return rows[:, :input_len].contiguous(), rows[:, input_len:, columns].contiguous()


def mse(model, x, y):
    with torch.no_grad():
        return float((model(x) - y).square().mean())


def run_torch(kind, seed, parts, horizon, columns, epochs):
    torch.manual_seed(seed)
    (x, y), valid, test = parts
    model = Model(kind, x.shape[2], horizon, columns)
    optimizer = torch.optim.Adam(model.parameters(), LR)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, epochs)
    best, weights = numpy.inf, None
    for _ in range(epochs):
        for rows in torch.randperm(len(x)).split(BATCH):
            optimizer.zero_grad()
            torch.nn.functional.mse_loss(model(x[rows]), y[rows]).backward()
            optimizer.step()
        schedule.step()
        if (loss := mse(model, *valid)) < best:
            best, weights = loss, copy.deepcopy(model.state_dict())
    model.load_state_dict(weights)
    return mse(model, *test)


def run_quadgate(quadgate, kind, seed, data, folder, window, epochs):
    key = ["residual", "true"] if kind == "residual" else ["normalize", f'"{kind}"']
    input_len, horizon, stride, targets = window
    (folder / "run.toml").write_text(
        f'[data]\npath = "{data}"\ninput_len = {input_len}\nhorizon = {horizon}\nstride = {stride}\n'
        + (f"targets = {targets}\n" if targets else "")
        + f"[model]\nhidden_size = {HIDDEN}\n{key[0]} = {key[1]}\n"
        f"[train]\nepochs = {epochs}\nbatch_size = {BATCH}\nlr = {LR}\nseed = {seed}\nthreads = 1\n"
        f'schedule = {{kind = "cosine"}}\n[output]\ndir = "{folder}/{kind}{seed}"\n'
    )
    subprocess.run([quadgate, "train", folder / "run.toml", "--quiet"], check=True)
    done = subprocess.run(
        [quadgate, "evaluate", folder / f"{kind}{seed}" / "best.h5", "--data", data, "--json"],
        check=True, capture_output=True, text=True,
    )  # fmt: skip
    return float(done.stdout.split('"mse":')[1].split(",")[0])


def spread(values):
    return f"{numpy.mean(values):.4f} +- {numpy.std(values):.4f}"


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("sources", type=pathlib.Path, nargs="+")
    parser.add_argument("--quadgate", default="build/release/bin/quadgate")
    parser.add_argument("--seeds", type=int, default=5)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    print("| series | model | quadgate | PyTorch |\n|---|---|---|---|")
    for source in arguments.sources:
        options, input_len, horizon, stride, targets, epochs = JOBS[source.stem]
        with tempfile.TemporaryDirectory() as name:
            folder, data = pathlib.Path(name), pathlib.Path(name) / "data.h5"
            subprocess.run(
                [arguments.quadgate, "prepare", "csv", source, *options, "--valid-fraction", "0.2",
                 "--test-fraction", "0.2", "--standardize", "-o", data],
                check=True, capture_output=True,
            )  # fmt: skip
            with h5py.File(data) as file:
                names = [
                    name.decode() if isinstance(name, bytes) else name
                    for name in file.attrs["feature_names"]
                ]
            columns = [names.index(target) for target in targets or names]
            parts = [windows(data, split, input_len, horizon, stride, columns)
                     for split in ("train", "valid", "test")]  # fmt: skip
            x, y = parts[-1]
            naive = float((y - x[:, -1:, columns]).square().mean())
            print(f"| {source.stem} | last value | {naive:.4f} | |", flush=True)
            window = (input_len, horizon, stride, targets)
            for kind in KINDS:
                seeds = range(1, arguments.seeds + 1)
                ours = [run_quadgate(arguments.quadgate, kind, seed, data, folder, window, epochs)
                        for seed in seeds]  # fmt: skip
                theirs = [run_torch(kind, seed, parts, horizon, columns, epochs) for seed in seeds]
                print(f"| | {kind} | {spread(ours)} | {spread(theirs)} |", flush=True)


main()
