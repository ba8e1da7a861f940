"""The installed headers are those of headers.txt, and each compiles alone with no others beside it.

headers_test.py PREFIX/include/quadgate COMPILER
"""

import concurrent.futures
import pathlib
import subprocess
import sys

installed = pathlib.Path(sys.argv[1])
compiler = sys.argv[2]


def compile_alone(header):
    """What the compiler says of a file that includes this header alone, as a user would."""
    command = [compiler, "-std=c++20", "-Wall", "-Wextra", "-Wpedantic", "-Werror", "-fsyntax-only",
               "-I", installed.parent, "-I", installed, "-x", "c++", "-"]
    result = subprocess.run(command, input=f"#include <quadgate/{header}>\n", text=True,
                            capture_output=True, check=False)
    return result.stderr


expected = set((pathlib.Path(__file__).parent / "headers.txt").read_text().split())
found = {path.relative_to(installed).as_posix() for path in installed.rglob("*") if path.is_file()}
errors = [f"{header}: not installed" for header in sorted(expected - found)]
errors += [f"{header}: installed, but not in headers.txt" for header in sorted(found - expected)]
with concurrent.futures.ThreadPoolExecutor(2) as pool:
    errors += filter(None, pool.map(compile_alone, sorted(found)))
print("\n".join(errors) or f"{len(found)} headers")
sys.exit(1 if errors else 0)
