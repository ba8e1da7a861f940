# Sweeps: what the package says of itself before anything of it is used, in a process of its own.

import pathlib
import re
import subprocess
import sys
import tomllib

import quadgate

ROOT = pathlib.Path(__file__).parents[2]


def test_the_version_is_that_of_the_wheel_and_the_program():
    assert tomllib.loads((ROOT / "python/pyproject.toml").read_text())["project"]["version"] == quadgate.__version__
    project = re.search(r"project\(quadgate VERSION (\S+)", (ROOT / "CMakeLists.txt").read_text())
    assert project and project[1] == quadgate.__version__


def test_dir_lists_what_is_imported_when_it_is_used():
    code = "import sys, quadgate; print(*dir(quadgate)); print('numpy' in sys.modules)"
    names, imported = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout.splitlines()
    assert {name for name in names.split() if not name.startswith("_")} == set(quadgate.__all__)
    assert "__version__" in names.split() and imported == "False"
