"""Engines that wait for the next pass of the layers that they were planned for.

Modules of equal layers share them, and an engine packs weights anew that are not those of its last pass.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import threading
import weakref
from collections import OrderedDict
from collections.abc import Callable, MutableMapping

import torch
from torch.utils.weak import WeakIdKeyDictionary

from ._engine import Engine, Layers, use_openmp_of

use_openmp_of(ctypes.CDLL(None))  # torch's

_MOST_PASSES = 4
"""So many passes of a module may wait for their backward pass in an engine of their own."""

_FEW_STEPS = 512
"""Of all sequences. Packing weights takes up to 3% of a forward pass of so many (H 512), and an engine for
less takes little more memory than the weights that it has packed."""


class Lease:
    """An engine that is the caller's alone, until `give_back` or the end of this object."""

    x: torch.Tensor | None = None
    """What the engine reads in the backward pass."""
    address: int | None = None
    """Where that is in the caller's tensor, which may hold something else by then."""

    def __init__(self, passes: Passes, engines: _Engines, engine: Engine) -> None:
        self._passes = passes
        self._engines = engines
        self._engine: Engine | None = engine
        self._process = os.getpid()

    @property
    def engine(self) -> Engine:
        assert self._engine is not None
        return self._engine

    def wait(self) -> None:
        """For a backward pass. Meanwhile a later pass may take the engine."""
        self._passes.add_waiting(self)

    def claim(self) -> bool:
        """Ends the wait. False if the engine has gone, or stayed in the process that this one was
        forked from."""
        return self._process == os.getpid() and self._passes.has_waited(self)

    def give_back(self) -> None:
        if self._process != os.getpid():
            return
        with _lock:
            self._passes.has_waited(self)
            engine, self._engine, self.x = self._engine, None, None
            if engine is not None:
                self._engines.take_back(engine)

    __del__ = give_back


class _Engines:
    """Those of equal layers that no pass has, the last used last."""

    def __init__(self) -> None:
        self._idle: list[Engine] = []
        self._taken = self._most_taken = 0
        self.users: weakref.WeakSet[Passes] = weakref.WeakSet()

    def take(self, layers: Layers, seq_len: int, batch_size: int, weight: int) -> Engine:
        """One for layers whose first weight is at this address, best the one that had them before."""
        with _lock:
            engine = self._pop(lambda e: e.first_weight == weight and e.fits(seq_len, batch_size))
            engine = engine or self._pop(lambda e: e.fits(seq_len, batch_size))
            # Lengths that grow a little in each batch shall not plan an engine for each.
            if not engine and self._pop(lambda e: e.seq_len <= seq_len and e.batch_size <= batch_size):
                seq_len += seq_len // 4
        engine = engine or Engine(layers, seq_len, batch_size)
        with _lock:
            self._taken += 1
            self._most_taken = max(self._most_taken, self._taken)
        return engine

    def _pop(self, is_right: Callable[[Engine], bool]) -> Engine | None:
        """The last that is right. The garbage collector may end leases, and so change the list, between
        any two lines."""
        engine = next(filter(is_right, self._idle[::-1]), None)
        self._idle[:] = [e for e in self._idle if e is not engine]
        return engine

    def take_back(self, engine: Engine) -> None:
        self._taken -= 1
        self._idle.append(engine)
        # As many as were out at once, of the passes of modules that live.
        most = min(self._most_taken, _MOST_PASSES * len(self.users))
        del self._idle[: -max(_MOST_PASSES, most)]


class Passes:
    """Those of one module: the engines that they may have, and who of them waits."""

    def __init__(self) -> None:
        self._engines: dict[tuple[Layers, bool], _Engines] = {}
        # The oldest first. A graph that the garbage collector cannot see, as that of `x += out`, keeps
        # its passes for ever.
        self._waiting: OrderedDict[int, weakref.ref[Lease]] = OrderedDict()

    def lease(self, layers: Layers, seq_len: int, batch_size: int, weight: int) -> Lease:
        """An engine for layers whose first weight is at this address."""
        shares = not layers.forward_only or seq_len * batch_size >= _FEW_STEPS
        engines = self._engines.get((layers, shares))
        if engines is None:
            with _lock:
                engines = _shared.setdefault(layers, _Engines()) if shares else _Engines()
                engines = self._engines.setdefault((layers, shares), engines)
                engines.users.add(self)
        return Lease(self, engines, engines.take(layers, seq_len, batch_size, weight))

    def make_room(self) -> None:
        """For a pass that will wait: the oldest that does gives its engine back, and computes forward
        again when its backward pass comes."""
        with _lock:
            # The garbage collector may end leases between any two lines.
            while len(self._waiting) >= _MOST_PASSES:
                with contextlib.suppress(KeyError):
                    lease = self._waiting.popitem(last=False)[1]()
                    if lease is not None:
                        lease.give_back()

    def add_waiting(self, lease: Lease) -> None:
        with _lock:
            self.make_room()
            self._waiting[id(lease)] = weakref.ref(lease)

    def has_waited(self, lease: Lease) -> bool:
        with _lock:
            return self._waiting.pop(id(lease), None) is not None


_lock = threading.RLock()  # A lease may end, by the garbage collector, in a function that has it.
_shared: MutableMapping[Layers, _Engines] = weakref.WeakValueDictionary()
"""By modules of equal layers, for as long as one of these lives."""
_passes: MutableMapping[torch.UntypedStorage, dict[int, Passes]] = WeakIdKeyDictionary()
_computed = Passes()


def passes_of(weight: torch.Tensor) -> Passes:
    """Those of the module that this parameter is of, for as long as the parameter's memory lives. Weights
    that are no parameters, as those computed for a pass, share theirs.

    Of the memory, since torch does not swap tensors that have weak references.
    """
    if not isinstance(weight, torch.nn.Parameter):
        return _computed
    memory, address = weight.untyped_storage(), weight.data_ptr()
    with _lock:
        of_memory = _passes.setdefault(memory, {})
        return of_memory.setdefault(address, Passes())


def num_threads() -> int:
    """Cores for a pass: torch's, or one in a process that was forked, where other threads are lost."""
    return 1 if _forked else torch.get_num_threads()


_forked = False


def _after_fork() -> None:
    global _forked, _lock, _shared, _passes, _computed
    _forked, _lock, _computed = True, threading.RLock(), Passes()
    _shared, _passes = weakref.WeakValueDictionary(), WeakIdKeyDictionary()


os.register_at_fork(after_in_child=_after_fork)
