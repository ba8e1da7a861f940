"""The program's commands in this process: ctypes over python/native/commands.cpp.

HDF5 files are read by the program `quadgate` beside this package, in processes of its own.
"""

from __future__ import annotations

import contextlib
import ctypes
import functools
import json
import logging
import os
import pathlib
import re
import signal
import threading
from collections.abc import Callable, Generator, Sequence
from typing import Any, cast

from ._options import count_of, flag_of, text_of

_logger = logging.getLogger("quadgate")

_HERE = pathlib.Path(__file__).parent
_TEXT, _SIZE, _FLAG = ctypes.c_char_p, ctypes.c_int64, ctypes.c_int
_TEXTS = ctypes.POINTER(_TEXT)
_HANDLE = ctypes.c_void_p
_TELL = ctypes.CFUNCTYPE(ctypes.c_int, _TEXT, _TEXT)
_STOPS = ctypes.CFUNCTYPE(ctypes.c_int)

_DONE, _STOPPED = 0, 75
_LEVELS = {"message": logging.INFO, "note": logging.INFO, "warning": logging.WARNING}
_ERRORS = {
    error.__name__: error for error in (ValueError, OSError, MemoryError, RuntimeError)
}  # fmt: skip


class _Listener(ctypes.Structure):
    _fields_ = [("tell", _TELL), ("stops", _STOPS)]


class _Table(ctypes.Structure):
    _fields_ = [
        ("time", _TEXT), ("group", _TEXT), ("known", _TEXTS), ("static", _TEXTS), ("calendar", _TEXT),
        ("resample", _TEXT), ("missing", _TEXT), ("valid_fraction", ctypes.c_double),
        ("standardize", _FLAG), ("standardize_series", _FLAG),
    ]  # fmt: skip


class _Folds(ctypes.Structure):
    _fields_ = [
        (name, _SIZE) for name in ("folds", "test_size", "gap", "max_train_size", "jobs", "threads")
    ]


@functools.cache
def _library() -> ctypes.CDLL:
    library = ctypes.CDLL(str(_HERE / "_commands.so"))
    library.quadgate_set_program.argtypes, library.quadgate_set_program.restype = [_TEXT], None
    listener = ctypes.POINTER(_Listener)
    library.quadgate_prepare.argtypes = [listener, _TEXT, _TEXT, ctypes.POINTER(_Table)]
    library.quadgate_train.argtypes = [listener, _TEXT, _TEXT, _SIZE, _FLAG]
    library.quadgate_backtest.argtypes = [listener, _TEXT, ctypes.POINTER(_Folds)]
    library.quadgate_evaluate.argtypes = [
        listener, _TEXT, _TEXTS, _TEXT, _TEXT, _SIZE, _SIZE, _SIZE,
    ]  # fmt: skip
    library.quadgate_predict.argtypes = [
        listener, _TEXT, _TEXTS, _TEXT, _TEXT, _TEXT, _TEXT, _SIZE, _SIZE, _FLAG,
    ]  # fmt: skip
    library.quadgate_memory_open.argtypes, library.quadgate_memory_open.restype = [_TEXT], _HANDLE
    library.quadgate_memory_close.argtypes, library.quadgate_memory_close.restype = [_HANDLE], None
    library.quadgate_memory_add.argtypes = [
        _HANDLE, _TEXT, _TEXT, _SIZE, ctypes.POINTER(_SIZE), ctypes.c_void_p,
    ]  # fmt: skip
    for kind, values in (("integers", _SIZE), ("numbers", ctypes.c_double), ("texts", _TEXT)):
        setter = getattr(library, f"quadgate_memory_set_{kind}")
        setter.argtypes = [_HANDLE, _TEXT, _TEXT, _SIZE, ctypes.POINTER(values)]
    library.quadgate_lower_is_better.argtypes = [_TEXT]
    library.quadgate_expect_known_key.argtypes = [listener, _TEXT, _TEXT]
    library.quadgate_default_threads.argtypes = [listener]
    library.quadgate_set_program(os.fsencode(_HERE / "bin" / "quadgate"))
    return library


def _in_python(line: str) -> str:
    """A line with arguments in the place of the program's options."""
    line = re.sub(r"(?<!\S)--resume\b", "resume=True", line)
    return re.sub(r"(?<!\S)--([a-z][a-z-]*)", lambda option: option[1].replace("-", "_"), line)


class _Call:
    """What a command tells. Nothing that these functions raise could get through the command: it
    stops, and the call raises it then."""

    def __init__(
        self, on_epoch: Callable[[dict[str, Any]], bool] | None, stops: Callable[[], bool]
    ) -> None:
        self.on_epoch = on_epoch
        self.is_told_to_stop = stops
        self.error: BaseException | None = None
        self.interrupted = False
        self.stopped = False
        self.result = ""

    def interrupt(self) -> None:
        self.interrupted = True

    def stops(self) -> bool:
        stopped = self.stopped or self.interrupted or self.error is not None
        return stopped or self.is_told_to_stop()

    def tell(self, kind: bytes, text: bytes) -> bool:
        try:
            self._take(kind.decode(), text.decode(errors="replace"))
        except BaseException as error:
            self.error = self.error or error
        return self.stops()

    def _take(self, kind: str, text: str) -> None:
        if kind == "epoch":
            if self.on_epoch is not None and self.on_epoch(json.loads(text)):
                self.stopped = True
        elif kind == "result":
            self.result = text
        elif kind in _LEVELS:
            _logger.log(_LEVELS[kind], "%s", _in_python(text))
        else:
            self.error = self.error or _ERRORS[kind](_in_python(text))


@contextlib.contextmanager
def interrupts(act: Callable[[], None]) -> Generator[None]:
    """Ctrl-C acts, where it would raise KeyboardInterrupt."""
    handler = signal.getsignal(signal.SIGINT)
    if threading.current_thread() is not threading.main_thread() or not callable(handler):
        yield
        return

    def handle(*_: Any) -> None:
        act()

    signal.signal(signal.SIGINT, handle)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, handler)


def _run(command: str, *arguments: Any, on_epoch: Callable[[dict[str, Any]], bool] | None = None,
         stops: Callable[[], bool] = bool) -> str:  # fmt: skip
    call = _Call(on_epoch, stops)
    listener = _Listener(_TELL(call.tell), _STOPS(call.stops))
    with interrupts(call.interrupt):
        status = getattr(_library(), command)(ctypes.byref(listener), *arguments)
    if call.error is not None:
        raise call.error
    if call.interrupted:
        raise KeyboardInterrupt
    if status not in (_DONE, _STOPPED):
        raise RuntimeError(f"{command}: ended with {status}")
    return call.result


def prepare(
    table: pathlib.Path,
    output: pathlib.Path,
    *,
    time: str | None,
    group: str | None,
    known: Sequence[str],
    static: Sequence[str],
    calendar: Sequence[str],
    resample: str | None,
    missing: str | None,
    valid_fraction: float,
    standardize: bool,
) -> None:
    """Writes the data set of a table as `quadgate prepare csv` does; standardize: each series, where
    there are several, by its own rows."""
    names = _Table(
        time=(time or "").encode(), group=(group or "").encode(), known=_names(known),
        static=_names(static), calendar=",".join(calendar).encode(), resample=(resample or "").encode(),
        missing=(missing or "").encode(), valid_fraction=valid_fraction,
        standardize=standardize and group is None, standardize_series=standardize and group is not None,
    )  # fmt: skip
    _run("quadgate_prepare", os.fsencode(table), os.fsencode(output), ctypes.byref(names))


def train(name: str, run_text: str, threads: int | None, resume: bool,
          on_epoch: Callable[[dict[str, Any]], bool],
          stops: Callable[[], bool] = bool) -> None:  # fmt: skip
    """Trains as a run file says, until on_epoch or stops returns True.

    name: what messages call the run file.
    """
    _run("quadgate_train", os.fsencode(name), run_text.encode(), count_of("threads", threads),
         flag_of("resume", resume), on_epoch=on_epoch, stops=stops)  # fmt: skip


def lower_is_better(metric: str) -> bool:
    """Whether a metric of `evaluate` is an error."""
    return bool(_library().quadgate_lower_is_better(metric.encode()))


def expect_known_key(key: str, where: str) -> None:
    """Raises ValueError unless run files have this key; where begins the message."""
    _run("quadgate_expect_known_key", key.encode(), where.encode())


def default_threads() -> int:
    """How many threads compute where nobody says it."""
    return int(_run("quadgate_default_threads"))


def backtest(run_file: pathlib.Path, *, folds: int, test_size: int | None, gap: int,
             max_train_size: int | None, jobs: int | None,
             threads: int | None) -> dict[str, Any]:  # fmt: skip
    """What `quadgate backtest --json` prints, of series."""
    how = _Folds(folds, test_size or 0, gap, max_train_size or 0, jobs or 0, threads or 0)
    return json.loads(_run("quadgate_backtest", os.fsencode(run_file), ctypes.byref(how)))


def evaluate(checkpoint: pathlib.Path, data: list[pathlib.Path], split: str | None,
             threads: int | None, top_k: int | None, season: int | None,
             table: pathlib.Path | None = None) -> dict[str, Any]:  # fmt: skip
    """The metrics that `quadgate evaluate --json` prints, of data sets or a table (--input)."""
    text = _run("quadgate_evaluate", os.fsencode(checkpoint), _paths(data), _path(table),
                text_of("split", split), count_of("threads", threads), count_of("top_k", top_k),
                count_of("season", season))  # fmt: skip
    return json.loads(text)


def predict(checkpoint: pathlib.Path, data: list[pathlib.Path], split: str | None,
            output: pathlib.Path, threads: int | None, steps: int | None, windows: bool,
            table: pathlib.Path | None = None, future: pathlib.Path | None = None) -> None:  # fmt: skip
    """Writes predictions as `quadgate predict -o OUTPUT.h5` does, of data sets or a table (--input), and
    a table of the rows behind its own."""
    _run("quadgate_predict", os.fsencode(checkpoint), _paths(data), _path(table), _path(future),
         text_of("split", split), os.fsencode(output), count_of("threads", threads),
         count_of("steps", steps), flag_of("windows", windows))  # fmt: skip


def _paths(paths: Sequence[pathlib.Path]) -> Any:
    return _list([os.fsencode(path) for path in paths])


def _names(names: Sequence[str]) -> Any:
    """In quotes, since the program takes lists with commas."""
    return _list(['"{}"'.format(name.replace('"', '""')).encode() for name in names])


def _list(texts: Sequence[bytes]) -> Any:
    for text in texts:
        if b"\0" in text:
            raise ValueError(f"expected text without a null in it, found {text!r}")
    return (_TEXT * (len(texts) + 1))(*texts, None)


def _path(path: pathlib.Path | None) -> bytes | None:
    return None if path is None else os.fsencode(path)


class MemoryFile:
    """A data set in memory, which commands open by its name until it is closed (memory.cpp)."""

    def __init__(self, name: str) -> None:
        self._handle = _library().quadgate_memory_open(name.encode())
        if self._handle is None:
            raise MemoryError(f"{name}: out of memory")

    def close(self) -> None:
        _library().quadgate_memory_close(self._handle)

    def add(self, name: str, dtype: str, shape: ctypes.Array[ctypes.c_int64], address: int) -> None:
        """A dataset, whose elements at this address must stay there."""
        self._call("add", name, dtype.encode(), len(shape), shape, address)

    def set(self, group: str, name: str, value: Any) -> None:
        """An attribute: integers, other numbers or texts, one or several."""
        values = value.tolist() if hasattr(value, "tolist") else value
        values = list(cast(list[Any], values)) if isinstance(values, (list, tuple)) else [values]
        if all(isinstance(one, int) for one in values):
            kind, array = "integers", (_SIZE * len(values))(*values)
        elif all(isinstance(one, (int, float)) for one in values):
            kind, array = "numbers", (ctypes.c_double * len(values))(*values)
        else:
            kind, array = "texts", _list([str(one).encode() for one in values])
        self._call(f"set_{kind}", group, name.encode(), len(values), array)

    def _call(self, function: str, name: str, *arguments: Any) -> None:
        function = f"quadgate_memory_{function}"
        if not getattr(_library(), function)(self._handle, name.encode(), *arguments):
            raise MemoryError(f"{name}: out of memory")
