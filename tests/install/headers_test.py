"""The installed headers are those of headers.txt, and compile with no others beside them.

headers_test.py PREFIX/include/quadgate COMPILER

With QUADGATE_SLOW each compiles alone, which takes a minute. Otherwise all are one unit, in either order.
"""

import concurrent.futures
import os
import pathlib
import subprocess
import sys

installed = pathlib.Path(sys.argv[1])
compiler = sys.argv[2]


def errors_of(headers):
    """What the compiler says of a file that includes these headers, as a user would."""
    command = [compiler, "-std=c++20", "-Wall", "-Wextra", "-Wpedantic", "-Werror", "-fsyntax-only",
               "-I", installed.parent, "-I", installed, "-x", "c++", "-"]
    text = "".join(f"#include <quadgate/{header}>\n" for header in headers)
    return subprocess.run(command, input=text, text=True, capture_output=True, check=False).stderr


expected = set((pathlib.Path(__file__).parent / "headers.txt").read_text().split())
found = {path.relative_to(installed).as_posix() for path in installed.rglob("*") if path.is_file()}
errors = [f"{header}: not installed" for header in sorted(expected - found)]
errors += [f"{header}: installed, but not in headers.txt" for header in sorted(found - expected)]
if os.environ.get("QUADGATE_SLOW"):
    units = [[header] for header in sorted(found)]
else:
    units = [sorted(found), sorted(found, reverse=True)]
with concurrent.futures.ThreadPoolExecutor(2) as pool:
    errors += filter(None, pool.map(errors_of, units))
print("\n".join(errors) or f"{len(found)} headers")
sys.exit(1 if errors else 0)
