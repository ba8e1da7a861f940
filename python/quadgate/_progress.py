"""Bars of tqdm."""

from __future__ import annotations

import contextlib
import importlib
import sys
from collections.abc import Generator
from typing import Any

from ._extras import require
from ._options import flag_of


def _is_watched() -> bool:
    # A notebook's shell has a kernel; that its packages are imported does not make one.
    ipython = sys.modules.get("IPython")
    shell = None if ipython is None else ipython.get_ipython()
    return hasattr(shell, "kernel") or (sys.stderr is not None and sys.stderr.isatty())


def expect(progress: Any) -> None:
    """Raises ValueError unless it is a flag or None."""
    if progress is not None:
        flag_of("progress", progress)


@contextlib.contextmanager
def bar(part: str, extra: str, progress: bool | None, total: Any, unit: str) -> Generator[Any]:
    """A bar, or None without `progress`; where that is None, too, on a terminal and in a notebook if
    there is tqdm."""
    expect(progress)
    if not (progress or (progress is None and _is_watched())):
        yield None
        return
    try:
        require(f"{part}: progress", extra, "tqdm")
        tqdm = importlib.import_module("tqdm.auto").tqdm
    except ImportError:
        if progress:
            raise
        yield None
        return
    with tqdm(total=total, unit=unit) as shown:
        yield shown
