"""Engines that wait for the next pass of the layers that they were planned for."""

from __future__ import annotations

import contextlib
import ctypes
import os
import threading
import weakref
from collections import OrderedDict, defaultdict
from collections.abc import MutableMapping

import torch
from torch.utils.weak import WeakIdKeyDictionary

from ._engine import Engine, Layers, use_openmp_of

use_openmp_of(ctypes.CDLL(None))  # torch's

_MOST_PASSES = 4
"""So many passes of a module may wait for their backward pass in an engine of their own."""


class Lease:
    """An engine that is the caller's alone, until `give_back` or the end of this object."""

    x: torch.Tensor | None = None
    """What the engine reads in the backward pass."""
    address: int | None = None
    """Where that is in the caller's tensor, which may hold something else by then."""

    def __init__(self, pool: _Pool, engine: Engine) -> None:
        self._pool = pool
        self._engine: Engine | None = engine
        self._process = os.getpid()

    @property
    def engine(self) -> Engine:
        assert self._engine is not None
        return self._engine

    def take(self) -> Engine | None:
        """The engine, which is no longer the caller's; None if it has gone."""
        engine, self._engine, self.x = self._engine, None, None
        return engine

    def wait(self) -> None:
        """For a backward pass. Meanwhile a later pass may take the engine."""
        self._pool.add_waiting(self)

    def claim(self) -> bool:
        """Ends the wait. False if the engine has gone, or stayed in the process that this one was
        forked from."""
        return self._process == os.getpid() and self._pool.has_waited(self)

    def give_back(self) -> None:
        if self._process == os.getpid():
            self._pool.take_back(self)

    __del__ = give_back


class _Pool:
    """The engines of one module."""

    def __init__(self) -> None:
        # A lease may end, by the garbage collector, in `lease` itself.
        self._lock = threading.RLock()
        self._idle: defaultdict[Layers, list[Engine]] = defaultdict(list)
        # The oldest first. A graph that the garbage collector cannot see, as that of `x += out`, keeps
        # its passes for ever.
        self._waiting: OrderedDict[int, weakref.ref[Lease]] = OrderedDict()

    def lease(self, layers: Layers, seq_len: int, batch_size: int) -> Lease:
        with self._lock:
            idle = self._idle[layers]
            engine = next((e for e in reversed(idle) if e.fits(seq_len, batch_size)), None)
            if engine is not None:
                # The garbage collector may have put others in its place meanwhile.
                idle[:] = [e for e in idle if e is not engine]
            else:
                # Lengths that grow a little in each batch shall not plan an engine for each.
                smaller = [e for e in idle if e.seq_len <= seq_len and e.batch_size <= batch_size]
                if smaller:
                    seq_len += seq_len // 4
                idle[:] = [e for e in idle if e not in smaller]
                smaller.clear()
                engine = Engine(layers, seq_len, batch_size)
            return Lease(self, engine)

    def take_back(self, lease: Lease) -> None:
        with self._lock:
            self._waiting.pop(id(lease), None)
            engine = lease.take()
            if engine is not None:
                idle = self._idle[engine.layers]
                idle.append(engine)
                del idle[:-_MOST_PASSES]

    def make_room(self) -> None:
        """For a pass that will wait: the oldest that does gives its engine back, and computes forward
        again when its backward pass comes."""
        with self._lock:
            # The garbage collector may end leases between any two lines.
            while len(self._waiting) >= _MOST_PASSES:
                with contextlib.suppress(KeyError):
                    lease = self._waiting.popitem(last=False)[1]()
                    if lease is not None:
                        lease.give_back()

    def add_waiting(self, lease: Lease) -> None:
        with self._lock:
            self.make_room()
            self._waiting[id(lease)] = weakref.ref(lease)

    def has_waited(self, lease: Lease) -> bool:
        with self._lock:
            return self._waiting.pop(id(lease), None) is not None


_pools: MutableMapping[torch.Tensor, _Pool] = WeakIdKeyDictionary()
_computed = _Pool()
_lock = threading.Lock()


def pool_of(weight: torch.Tensor) -> _Pool:
    """The engines of the module that this weight is of, for as long as the weight lives. Weights that
    are computed for each pass share theirs."""
    if not weight.is_leaf:
        return _computed
    with _lock:
        pool = _pools.get(weight)
        if pool is None:
            pool = _pools[weight] = _Pool()
        return pool


def num_threads() -> int:
    """Cores for a pass: torch's, or one in a process that was forked, where other threads are lost."""
    return 1 if _forked else torch.get_num_threads()


_forked = False


def _after_fork() -> None:
    global _forked, _pools, _computed, _lock
    _forked, _pools, _computed, _lock = True, WeakIdKeyDictionary(), _Pool(), threading.Lock()


os.register_at_fork(after_in_child=_after_fork)
