"""Run files as mappings, and as TOML."""

from __future__ import annotations

import json
import os
import pathlib
import re
import tomllib
from collections.abc import Mapping, Sequence
from typing import Any, cast

Config = Mapping[str, Any] | str | os.PathLike[str]


def read(config: Config) -> tuple[str, dict[str, Any]]:
    """What messages call a run file, and its tables.

    Raises ValueError if it is not TOML.
    """
    if isinstance(config, Mapping):
        return "config", merged({}, config)
    try:
        path = pathlib.Path(config)
    except TypeError:
        kind = type(config).__name__
        raise TypeError(f"config: expected a mapping or a path, found {kind}") from None
    try:
        return str(path), tomllib.loads(path.read_text())
    except ValueError as error:
        raise ValueError(f"{path}: expected TOML: {error}") from None


def merged(tables: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """`tables` with other values: those of {"train.lr": 1} or {"train": {"lr": 1}}. None takes a key
    away."""
    result = dict(tables)
    for key, value in changes.items():
        if not isinstance(cast(Any, key), str):
            raise ValueError(f"config: expected keys that are text, found {key!r}")
        table, dot, rest = key.partition(".")
        if dot or isinstance(value, Mapping):
            change = cast(Mapping[str, Any], {rest: value} if dot else value)
            result[table] = merged(table_of(result, table), change)
        elif value is None:
            result.pop(key, None)
        else:
            result[key] = value
    return result


def table_of(tables: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    """The table of this name, empty if there is none."""
    value = tables.get(key)
    return cast(Mapping[str, Any], value) if isinstance(value, Mapping) else {}


def to_toml(tables: Mapping[str, Any]) -> str:
    """With a section for each table."""
    parts: list[str] = []
    for key, value in sorted(tables.items(), key=lambda item: isinstance(item[1], Mapping)):
        if isinstance(value, Mapping):
            lines = [_line(f"{key}.", *item) for item in table_of(tables, key).items()]
            parts += f"[{_key(key)}]\n", *lines
        else:
            parts.append(_line("", key, value))
    return "".join(parts)


def _line(table: str, key: str, value: Any) -> str:
    return f"{_key(key)} = {_value(table + key, value)}\n"


def _key(key: str) -> str:
    return key if re.fullmatch(r"[\w-]+", key, re.ASCII) else _quoted(key)


def _quoted(text: str) -> str:
    try:
        text.encode()
    except UnicodeEncodeError:
        raise ValueError(f"config: expected text that UTF-8 can hold, found {text!r}") from None
    return json.dumps(text, ensure_ascii=False)


def _value(key: str, value: Any) -> str:
    if hasattr(value, "tolist"):  # a number or an array of NumPy, or a tensor
        from ._numbers import array

        value = array(key, value).tolist()
    if isinstance(value, Mapping):
        table = cast(Mapping[str, Any], value)
        inside = (f"{_key(name)} = {_value(name, one)}" for name, one in table.items())
        return "{" + ", ".join(inside) + "}"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, (int, float)):
        return repr(value)
    if isinstance(value, (str, os.PathLike)):
        return _quoted(os.fspath(cast(str, value)))
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(_value(key, one) for one in cast(Sequence[Any], value)) + "]"
    raise ValueError(f"{key}: expected a value of a run file, found {type(value).__name__}")
