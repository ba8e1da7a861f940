"""Arguments as the program's commands take them: None is 0, or null."""

from __future__ import annotations

from numbers import Integral, Real
from typing import Any


def text_of(name: str, value: Any) -> bytes | None:
    if value is not None and not isinstance(value, str):
        raise ValueError(f"{name}: expected text, found {value!r}")
    return None if value is None else value.encode(errors="replace")


def count_of(name: str, value: Any) -> int:
    if value is None:
        return 0
    number = int(value) if not isinstance(value, bool) and isinstance(value, Integral) else -1
    if not 0 <= number < 2**31:
        raise ValueError(f"{name}: expected an integer, at least 0, found {value!r}")
    return number


def integer_of(name: str, value: Any, least: int) -> int:
    if isinstance(value, bool) or not isinstance(value, Integral) or int(value) < least:
        raise ValueError(f"{name}: expected an integer, at least {least}, found {value!r}")
    return int(value)


def fraction_of(name: str, value: Any) -> float:
    if value is None:
        return 0
    if not isinstance(value, Real) or not 0 <= float(value) < 1:
        raise ValueError(f"{name}: expected a number from 0 to 1, found {value!r}")
    return float(value)


def flag_of(name: str, value: Any) -> bool:
    if getattr(value, "ndim", 0) > 0 or value not in (True, False):
        raise ValueError(f"{name}: expected True or False, found {in_one_line(value)}")
    return bool(value)


def in_one_line(value: Any) -> str:
    """What messages say of it: arrays have several."""
    return " ".join(repr(value).split()) if hasattr(value, "ndim") else repr(value)
