"""The program quadgate: `python -m quadgate`, and the command that pip installs."""

from __future__ import annotations

import os
import pathlib
import signal
import sys


def main() -> None:
    """Becomes the program, so that streams, signals and the exit code are its own."""
    program = pathlib.Path(__file__).with_name("bin") / "quadgate"
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # Python ignores it
    try:
        os.execv(program, ["quadgate", *sys.argv[1:]])
    except OSError as error:
        sys.exit(f"quadgate: error: {program}: {error.strerror}")


if __name__ == "__main__":
    main()
