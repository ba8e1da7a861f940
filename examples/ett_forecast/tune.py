"""Searches for the settings of cnn_lstm.toml with grey wolves, TPE and random draws, with as many trials each:

    tune.py ETTh1.csv [TRIALS [SEED]...]

Tells, as a Markdown table, the loss over the validation months that each search comes to, and the error
of its best model over the test months, mean and spread of the seeds. Works in build/examples/ett_tune.
"""

import pathlib
import statistics
import sys

import pandas
from optuna.distributions import FloatDistribution, IntDistribution

import quadgate

HERE = pathlib.Path(__file__).parent
FOLDER = HERE / "../../build/examples/ett_tune"
SPACE = {
    "train.lr": FloatDistribution(3e-4, 3e-2, log=True),
    "train.weight_decay": FloatDistribution(0.01, 2, log=True),
    "train.batch_size": [32, 64, 128],
    "model.hidden_size": IntDistribution(8, 64, log=True),
    "model.output_dropout": FloatDistribution(0, 0.5),
    "model.conv.channels": IntDistribution(4, 32, log=True),
    "model.conv.kernel_size": [3, 5, 7],
}
MONTH = 30 * 24


def told(values):
    spread = f" +- {statistics.stdev(values):.4f}" if len(values) > 1 else ""
    return f"{statistics.mean(values):.4f}{spread}"


def main(csv, trials=30, *seeds):
    series = pandas.read_csv(csv, index_col=0)[: 20 * MONTH]
    data = {"train": series, "valid_fraction": 0.2, "test_fraction": 0.2, "standardize": True}
    print("| sampler | loss over the validation months | MSE over the test months |\n|---|---|---|")
    for sampler in ("random", "tpe", "gwo"):
        losses, errors = [], []
        for seed in seeds or (1, 2, 3):
            folder = FOLDER / f"{sampler}-{seed}"
            result = quadgate.tune(
                HERE / "cnn_lstm.toml", SPACE, int(trials), sampler=sampler, seed=int(seed), data=data,
                **{"train.epochs": 4, "data.stride": 4, "output.dir": folder},
            )  # fmt: skip
            losses.append(result.best_value)
            errors.append(quadgate.evaluate(result.best, folder / "data.h5")["mse"])
        print(f"| {sampler} | {told(losses)} | {told(errors)} |", flush=True)


main(*sys.argv[1:])
