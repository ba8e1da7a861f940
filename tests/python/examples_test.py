# Runs the scripts of examples/ that use the package, on a small table of made-up numbers. No tolerance: they are
# right if they end, and tell what they say that they do.

import pathlib
import re
import shutil
import subprocess
import sys

import numpy
import pandas
import pytest

EXAMPLES = pathlib.Path(__file__).parents[2] / "examples"


@pytest.mark.slow
def test_three_searches_for_the_settings_of_ett(tmp_path):
    for module in ("mealpy", "optuna"):
        pytest.importorskip(module)
    folder = tmp_path / "examples/ett_forecast"  # it writes into build/ two folders above
    shutil.copytree(EXAMPLES / "ett_forecast", folder)
    names = ["HUFL", "HULL", "MUFL", "MULL", "LUFL", "LULL", "OT"]
    rows = numpy.random.default_rng(1).normal(size=(1500, 7)).cumsum(0)
    hours = pandas.date_range("2016-07-01", periods=len(rows), freq="h", name="date")
    pandas.DataFrame(rows, hours, names).to_csv(tmp_path / "ETTh1.csv")
    done = subprocess.run(
        [sys.executable, folder / "tune.py", tmp_path / "ETTh1.csv", "2", "1"], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    told = re.findall(r"^\| (random|tpe|gwo) \| \d+\.\d{4} \| \d+\.\d{4} \|$", done.stdout, re.MULTILINE)
    assert told == ["random", "tpe", "gwo"]
