"""Sweeps: every .ts and .tsf file that the package aeon ships, beside what aeon's own reader makes of it.

No tolerance: numbers are the nearest float32.
"""

import importlib.util
import pathlib
import sys
from unittest import mock

import h5py
import numpy
import pandas  # not first where sys.modules is patched, which forgets it
import pytest

from support import quadgate, read_split

SPEC = importlib.util.find_spec("aeon")
FOLDER = pathlib.Path(SPEC.submodule_search_locations[0] if SPEC else "none") / "datasets"
if not FOLDER.exists():
    pytest.skip("no package aeon: scripts/setup --peers installs it", allow_module_level=True)
FILES = sorted(FOLDER.glob("data/*/*.ts"))
SERIES = sorted(FOLDER.glob("data/*/*.tsf"))


@pytest.fixture(scope="module")
def aeon():
    """aeon's readers alone: the rest of it imports what we do not need."""
    spec = importlib.util.spec_from_file_location("aeon_loaders", FOLDER / "_data_loaders.py")
    module = importlib.util.module_from_spec(spec)
    parts = ["datasets", "datasets.dataset_collections", "datasets.tsc_datasets",
             "datasets.tser_datasets", "utils", "utils.conversion"]  # fmt: skip
    stubs = {"aeon": mock.MagicMock(__file__=str(FOLDER.parent / "__init__.py"))}
    stubs.update({f"aeon.{part}": mock.MagicMock() for part in parts})
    with mock.patch.dict(sys.modules, stubs):
        spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_sequences_are_aeons(tmp_path, aeon, path):
    quadgate("prepare", "ts", path, "-o", tmp_path / "a.h5")
    x, y, header = aeon.load_from_ts_file(str(path), return_meta_data=True)
    sequences, targets = read_split(tmp_path / "a.h5", "train")
    assert len(sequences) == len(x)
    for ours, theirs in zip(sequences, x):
        numpy.testing.assert_array_equal(ours, theirs.T.astype("f4"))
    if header["targetlabel"]:
        numpy.testing.assert_array_equal(targets[:, 0], y.astype("f4"))
        return
    with h5py.File(tmp_path / "a.h5") as file:
        names = [name.lower() for name in file.attrs["class_names"]]
    assert names == header["class_values"]
    assert [names[label] for label in targets] == list(y)


@pytest.mark.parametrize("path", SERIES, ids=lambda path: path.stem)
def test_series_are_aeons(tmp_path, aeon, path):
    quadgate("prepare", "ts", path, "-o", tmp_path / "a.h5", "--test-fraction", "0.2")
    frame, _ = aeon.load_from_tsf_file(str(path), return_type="tsf_default")
    with h5py.File(tmp_path / "a.h5") as file:
        x, names, ranges = file["train/x"][()], list(file.attrs["series_names"]), file["test/ranges"][()]
        times = file["train/time"][()] if "time" in file["train"] else None
    groups = [n for n in ("series_group", "series_name") if n in frame]
    assert names == ["/".join(row) for row in frame[groups].itertuples(index=False)]
    for series, (begin, _, end) in zip(frame["series_value"], ranges):
        numpy.testing.assert_array_equal(x[begin:end, 0], numpy.asarray(series, "f4"))
    assert (times is None) == ("start_timestamp" not in frame)
    if times is None:
        return
    for start, (begin, _, end) in zip(frame["start_timestamp"], ranges):  # aeon's alias of "yearly"
        expected = pandas.date_range(start, periods=end - begin, freq="YS").as_unit("us").asi8
        numpy.testing.assert_array_equal(times[begin:end], expected)
