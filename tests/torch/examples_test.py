"""The examples do what their pages say. (No torch: they are here for pytest and the real data.)"""

import os
import pathlib
import subprocess

import pytest

from support import shared_data

EXAMPLES = pathlib.Path(__file__).parents[2] / "examples"


def test_japanese_vowels(tmp_path):
    files = [shared_data(f"JapaneseVowels_{part}.ts") for part in ("TRAIN", "TEST")]
    if None in files:
        pytest.skip("NOT TESTED: no JapaneseVowels data")
    environment = os.environ | {"QUADGATE_EXAMPLE_FOLDER": str(tmp_path / "work")}
    done = subprocess.run([EXAMPLES / "japanese_vowels" / "run", *files], env=environment,
                          capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    mean = float(done.stdout.splitlines()[-1].rpartition(" ")[2])
    assert mean > 0.965  # 0.976 where it was written; the last bits depend on the vectors' width


def test_ett_forecast(tmp_path):
    series = shared_data("ETTh1.csv")
    if series is None:
        pytest.skip("NOT TESTED: no ETTh1 data")
    environment = os.environ | {"QUADGATE_EXAMPLE_FOLDER": str(tmp_path / "work")}
    done = subprocess.run([EXAMPLES / "ett_forecast" / "run", series, "24"], env=environment,
                          capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "8640 train, 2880 valid, 2880 test rows" in done.stdout
    row = done.stdout.splitlines()[-1].strip("| ").split(" | ")
    assert row[0] == "24"
    published, lstm, cnn_lstm = ([float(v) for v in row[i : i + 2]] for i in (1, 3, 5))
    for errors in (lstm, cnn_lstm):  # 0.53 to 0.62 and 0.50 to 0.55 over seeds and machines
        assert all(error < bound for error, bound in zip(errors, published)), row
