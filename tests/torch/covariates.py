"""What the tests of covariates share: features of the calendar as pandas has them, and what is stored."""

import h5py
import numpy
import pandas

PARTS = {"minute": 60, "hour": 24, "weekday": 7, "day": 31, "dayofyear": 365.25, "month": 12}
PANDAS = {"weekday": "day_of_week", "dayofyear": "day_of_year"}
FROM_ONE = ("day", "dayofyear", "month")


def calendar(times, parts):
    """As darts makes its cyclic encodings."""
    columns = {}
    for part in parts:
        n = getattr(pandas.DatetimeIndex(times), PANDAS.get(part, part)).to_numpy()
        n = n - (part in FROM_ONE)
        columns[f"{part}_sin"] = numpy.sin(2 * numpy.pi * n / PARTS[part])
        columns[f"{part}_cos"] = numpy.cos(2 * numpy.pi * n / PARTS[part])
    return pandas.DataFrame(columns)


def stored(data):
    """The features of a data set, in original units."""
    with h5py.File(data) as file:
        mean, std = file.attrs.get("mean", 0.0), file.attrs.get("std", 1.0)
        x = file["train/x"][()].astype("f8") * std + mean
        return pandas.DataFrame(x, columns=list(file.attrs["feature_names"]))
