"""Labels and tokens as numbers."""

from __future__ import annotations

from typing import Any

import numpy

from ._numbers import array, texts

_IGNORED = -100  # a label that does not count


def numbered(split: str, labels: numpy.ndarray, numbers: dict[str, int],
              class_names: list[str] | None) -> numpy.ndarray:  # fmt: skip
    """Labels as numbers; names get theirs from class_names or the first split."""
    if labels.ndim != 1:
        raise ValueError(
            f"{split}: expected a label each, found shape {labels.shape} (of one-hot labels, argmax)"
        )
    if labels.dtype.kind in "iub":
        counting = labels[labels != _IGNORED]
        largest = None if class_names is None else len(class_names) - 1
        _expect_range(f"{split}: labels", counting, largest)
        return labels.astype(numpy.int64)
    if labels.dtype.kind not in "OUST":
        raise ValueError(f"{split}: expected labels that are integers or names, found {labels.dtype}")
    names = texts(f"{split}: labels", labels.tolist())
    if not numbers:
        classes = sorted(set(names)) if class_names is None else class_names
        numbers.update({name: i for i, name in enumerate(classes)})
    unknown = set(names) - set(numbers)
    if unknown:
        raise ValueError(f"{split}: expected labels of the train split, found {sorted(unknown)[:5]}")
    return numpy.array([numbers[name] for name in names], numpy.int64)


def tokens(split: str, row: Any, vocabulary: int | None) -> numpy.ndarray:
    """Places in the vocabulary."""
    found = array(split, row)
    if found.dtype.kind not in "iu" and found.size > 0:
        raise ValueError(f"{split}: expected tokens that are integers, found {found.dtype}")
    _expect_range(f"{split}: tokens", found, None if vocabulary is None else vocabulary - 1)
    return found.astype(numpy.int32)


def _expect_range(what: str, numbers: numpy.ndarray, largest: int | None) -> None:
    if numbers.size == 0 or (numbers.min() >= 0 and (largest is None or numbers.max() <= largest)):
        return
    limit = "at least 0" if largest is None else f"from 0 to {largest}"
    found = numbers.min() if numbers.min() < 0 else numbers.max()
    raise ValueError(f"{what}: expected {limit}, found {found}")
