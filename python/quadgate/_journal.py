"""Optuna's file of a study, with whole lines alone."""

from __future__ import annotations

import os
from typing import Any

from optuna.storages.journal import JournalFileBackend


class Journal(JournalFileBackend):
    """Optuna leaves half a line where the disk is full or the machine stops. The next line joins it, and
    from then on no study of the file can be read."""

    def __init__(self, path: str) -> None:
        super().__init__(path)
        self._path = path
        with open(path, "rb+") as file:
            file.truncate(file.read().rfind(b"\n") + 1)

    def append_logs(self, logs: list[dict[str, Any]]) -> None:
        size = os.path.getsize(self._path)
        try:
            super().append_logs(logs)
        except OSError:
            os.truncate(self._path, size)
            raise
