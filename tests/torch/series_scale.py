"""What the tests of series standardized each by its own scale share: tables of series of other levels, and
what scikit-learn's StandardScaler and torch make of them."""

import h5py
import numpy
import pandas
import torch
from sklearn.preprocessing import StandardScaler

from support import Model, quadgate, state_dict, train

COLUMNS = ["sales", "price"]
LEVELS = {"small": (10, 1), "mid": (-500, 40), "large": (1e6, 1e4)}
ROWS, TEST, WINDOW = 120, 30, {"input_len": 12, "horizon": 3, "targets": ["sales"]}


def table(levels=LEVELS, rows=ROWS, first=0, seed=1):
    """Rows of all series in turns, of other levels and spreads."""
    rng = numpy.random.default_rng(seed)
    hours = numpy.arange(first, first + rows)
    frames = []
    for name, (level, spread) in levels.items():
        sales = level + spread * (numpy.sin(hours / 3) + 0.2 * rng.normal(size=rows))
        price = level / 7 + spread * numpy.cos(hours / 5)
        frames.append(pandas.DataFrame({"hour": hours, "shop": name, "sales": sales,
                                        "price": price}))  # fmt: skip
    return pandas.concat(frames).sort_values("hour", kind="stable").reset_index(drop=True)


def prepare(folder, frame, *options, name="a"):
    frame.to_csv(folder / f"{name}.csv", index=False)
    quadgate("prepare", "csv", folder / f"{name}.csv", "--time", "hour", "--group", "shop",
             *options, "-o", folder / f"{name}.h5")  # fmt: skip
    return folder / f"{name}.h5"


def prepare_scaled(folder, frame, *options, name="a"):
    return prepare(folder, frame, "--standardize-series", "--test-fraction", TEST / ROWS, *options,
                   name=name)  # fmt: skip


def scalers(frame, rows=ROWS - TEST, columns=COLUMNS):
    """Of the first rows of each series."""
    return {name: StandardScaler().fit(its[columns].to_numpy()[:rows])
            for name, its in frame.groupby("shop", sort=False)}  # fmt: skip


def expect_scaled(data, frame, expected, columns=COLUMNS, tolerance=1e-12):
    """The columns of a data set are the series of `frame`, as the scalers of their names see them."""
    with h5py.File(data) as file:
        names, features = list(file.attrs["series_names"]), list(file.attrs["feature_names"])
        assert "mean" not in file.attrs and file.attrs["format_version"] == 5
        at = [features.index(column) for column in columns]
        mean = file.attrs["series_mean"].reshape(len(names), -1)
        std = file.attrs["series_std"].reshape(len(names), -1)
        x, ranges = file["train/x"][()], file["train/ranges"][()]
    series = dict(iter(frame.groupby("shop")))
    ends = [*ranges[1:, 0], len(x)]
    for i, name in enumerate(names):
        scaler, its = expected[name], series[name][columns].to_numpy()
        rounded = tolerance * (abs(scaler.mean_) + scaler.scale_)
        assert (abs(mean[i, at] - scaler.mean_) <= rounded).all()
        assert abs(std[i, at] / scaler.scale_ - 1).max() < 100 * tolerance
        found = x[ranges[i, 0] : ends[i], at][: len(its)]
        assert abs(found - scaler.transform(its)).max() < 1e-6
    return mean, std, features


def trained(folder, data, **settings):
    train_keys = {"epochs": 2, "lr": 0.02, "batch_size": 32, **settings}
    return train(folder, data, {"hidden_size": 8}, train_keys, **WINDOW)


def forecasts(checkpoint, features, each=1, inputs=len(COLUMNS)):
    """What the same model in torch gives for windows in standardized units, [N, T, I]."""
    model = Model(inputs, each * WINDOW["horizon"], 8)
    model.load_state_dict(state_dict(checkpoint))
    with torch.no_grad():
        return model([torch.from_numpy(window).float() for window in features]).numpy()


def original(scaler, values):
    return values * scaler.scale_[0] + scaler.mean_[0]


def future(checkpoint, frame, scalers_of):
    """Of each series the rows behind its last one, in its own units."""
    expected = {}
    for name, its in frame.groupby("shop", sort=False):
        scaler = scalers_of[name]
        window = scaler.transform(its[COLUMNS].to_numpy())[-WINDOW["input_len"] :]
        expected[name] = original(scaler, forecasts(checkpoint, [window])[0])
    return expected


def expect_forecasts(path, expected, scalers_of):
    found = pandas.read_csv(path)
    assert set(found["series"]) == set(expected)
    for name, values in expected.items():
        of_series = found[found["series"] == name]["prediction"].to_numpy()
        assert abs(of_series - values).max() < 1e-5 * scalers_of[name].scale_[0]
