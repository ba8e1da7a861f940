"""Studies of Optuna, new ones and such to go on with."""

from __future__ import annotations

import contextlib
import os
import pathlib
from collections.abc import Generator, Mapping
from types import NoneType
from typing import Any

import optuna
import sqlalchemy
from optuna.storages import BaseStorage, JournalStorage
from sqlalchemy.exc import ArgumentError, OperationalError

from . import _program
from ._journal import Journal
from ._trials import ended


@contextlib.contextmanager
def quiet_optuna() -> Generator[None]:
    """It writes lines to the terminal otherwise."""
    before = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    try:
        yield
    finally:
        optuna.logging.set_verbosity(before)


def expect_storage(storage: Any) -> None:
    """Raises TypeError or ValueError if storage is neither a path nor a URL that SQLAlchemy knows, and
    ImportError if it is that of a database whose module is missing."""
    if not isinstance(storage, (str, os.PathLike, NoneType)):
        raise TypeError(f"storage: expected a path or a URL, found {type(storage).__name__}")
    if not isinstance(storage, str) or "://" not in storage:
        return
    try:
        url = sqlalchemy.make_url(storage)
        url.get_dialect().import_dbapi()
    except (ArgumentError, ValueError):
        raise _refusal(storage) from None
    except ImportError as error:
        message = f"storage: expected {error.name} to be installed, which {_shown(storage)!r} needs"
        raise ImportError(message, name=error.name) from None
    if url.get_backend_name() == "sqlite" and url.database in (None, "", ":memory:"):
        raise _refusal(storage)  # in memory, where each thread has its own


def _refusal(storage: str) -> ValueError:
    return ValueError(
        f"storage: expected a file or a URL as sqlite:///studies.db, found {_shown(storage)!r}"
    )


def _shown(storage: str) -> str:
    """Without the password of a URL."""
    if "://" not in storage:
        return storage
    try:
        return sqlalchemy.make_url(storage).render_as_string(hide_password=True)
    except (ArgumentError, ValueError):
        return f"{storage.partition('://')[0]}://***"


def opened(
    folder: pathlib.Path,
    storage: str | os.PathLike[str] | None,
    monitor: str,
    prune: bool,
    settings: Mapping[str, Any],
) -> optuna.Study:
    """A new study, or one of the same settings to go on with."""
    name, place = str(folder), os.fspath(folder / "study.log" if storage is None else storage)
    found = _storage(place)
    pruner = optuna.pruners.MedianPruner() if prune else optuna.pruners.NopPruner()
    if name in optuna.get_all_study_names(found):
        study = optuna.load_study(study_name=name, storage=found, pruner=pruner)
        if ended(study):
            _expect_same(study.user_attrs["settings"], settings, place)
            return study
        optuna.delete_study(study_name=name, storage=found)
    study = optuna.create_study(
        study_name=name,
        storage=found,
        direction="minimize" if _program.lower_is_better(monitor) else "maximize",
        pruner=pruner,
    )
    study.set_user_attr("settings", dict(settings))
    return study


def _storage(place: str) -> BaseStorage:
    if "://" not in place:
        return JournalStorage(Journal(place))
    try:
        return optuna.storages.get_storage(place)
    except OperationalError as error:
        raise OSError(f"{_shown(place)}: {error.orig}") from None
    except (ArgumentError, TypeError, ValueError):  # "?timeout=x"
        raise _refusal(place) from None


def _expect_same(before: Mapping[str, Any], settings: Mapping[str, Any], place: str) -> None:
    for key in sorted(before.keys() | settings.keys()):
        if before.get(key) != settings.get(key):
            raise ValueError(
                f"{key}: expected {before.get(key)!r} as in the study in {_shown(place)}, found"
                f" {settings.get(key)!r}"
            )
