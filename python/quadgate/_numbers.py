"""Arrays of what Python has: lists, tensors, frames. Nothing but numbers becomes a number."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal
from numbers import Integral, Real
from typing import Any, cast

import numpy


def array(what: str, values: Any) -> numpy.ndarray:
    """The very array that is given, if it is one.

    Raises ValueError, which begins with `what`, if values are none.
    """
    values = _plain(what, values)
    try:
        return numpy.asarray(values)
    except (TypeError, ValueError):
        kind = type(values).__name__
        raise ValueError(f"{what}: expected an array, found a {kind} whose parts differ in shape") from None


def floats(what: str, values: Any) -> numpy.ndarray:
    """An array of floats, the very one that is given if it is one. Text is none, whatever it says."""
    given = array(what, values)
    if given.dtype.name in ("float32", "float64") and given.dtype.isnative:
        return given
    if given.dtype.kind == "O":
        return _of_objects(what, given)
    if given.dtype.kind not in "biuf":
        raise ValueError(f"{what}: expected real numbers, found {given.dtype}")
    return given.astype(numpy.float64)


def _of_objects(what: str, objects: numpy.ndarray) -> numpy.ndarray:
    for one in objects.flat:
        if not isinstance(one, (Real, Decimal, numpy.bool_)) or isinstance(one, numpy.timedelta64):
            raise ValueError(f"{what}: expected real numbers, found {type(one).__name__}")
    return objects.astype(numpy.float64)


def _plain(what: str, values: Any) -> Any:
    """Without tensors; masked values, which NumPy takes for numbers in lists, are refused."""
    if isinstance(values, (list, tuple)):
        return [_plain(what, one) for one in cast(Sequence[Any], values)]
    given: Any = values
    masked = cast(Any, numpy.ma.count_masked(given)) if isinstance(values, numpy.ma.MaskedArray) else 0
    if masked:
        raise ValueError(f"{what}: expected no masked values, found {masked}")
    return _of_tensor(what, given) if is_tensor(given) else given


def is_tensor(value: Any) -> bool:
    """Without torch, which may not be there."""
    return hasattr(value, "is_floating_point")


def _of_tensor(what: str, tensor: Any) -> numpy.ndarray:
    try:
        is_narrow = tensor.is_floating_point() and tensor.element_size() < 4  # NumPy may not have it
        return (tensor.float() if is_narrow else tensor).numpy(force=True)
    except (TypeError, RuntimeError):
        kind = "nested tensor" if tensor.is_nested else type(tensor).__name__
        raise ValueError(
            f"{what}: expected a dense tensor of numbers in memory, found a {kind} of {tensor.dtype}, "
            f"{tensor.layout}, on {tensor.device}"
        ) from None


def texts(what: str, names: Iterable[Any]) -> list[str]:
    """Names as text: bytes are UTF-8, whole numbers their digits. Others, NaN say, are missing."""
    if isinstance(names, (str, bytes)) or not hasattr(names, "__iter__"):
        raise ValueError(f"{what}: expected a list, found {names!r}")
    found: list[str] = []
    for name in names:
        if isinstance(name, bytes):
            found.append(name.decode())
        elif isinstance(name, (str, Integral)):
            found.append(str(name))
        else:
            raise ValueError(f"{what}: expected text, found {name!r}")
    return found
