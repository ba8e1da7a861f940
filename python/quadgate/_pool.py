"""Engines that wait for the next pass of the layers that they were planned for."""

from __future__ import annotations

import ctypes
import os
import threading
from collections import defaultdict
from collections.abc import MutableMapping

import torch
from torch.utils.weak import WeakIdKeyDictionary

from ._engine import Engine, Layers, use_openmp_of

use_openmp_of(ctypes.CDLL(None))  # torch's

_MOST_PASSES = 4
"""So many passes of a layer may wait for their backward pass in an engine of their own."""


class Lease:
    """An engine that is the caller's alone, until `give_back` or the end of this object."""

    x: torch.Tensor
    """What the engine reads in the backward pass."""
    address: int | None
    """Where that is in the caller's tensor, which may hold something else by then."""

    def __init__(self, pool: _Pool, engine: Engine) -> None:
        self._pool, self.engine = pool, engine
        self._process = os.getpid()

    def give_back(self) -> None:
        pool, self._pool = self._pool, None
        if pool is not None and self._process == os.getpid():
            pool.take_back(self.engine)

    def __del__(self) -> None:
        self.give_back()


class _Pool:
    """The engines of one module."""

    def __init__(self) -> None:
        # A lease may end, by the garbage collector, in `lease` itself.
        self._lock = threading.RLock()
        self._idle: defaultdict[Layers, list[Engine]] = defaultdict(list)
        self._leased = 0

    def lease(self, layers: Layers, seq_len: int, batch_size: int) -> Lease:
        with self._lock:
            idle = self._idle[layers]
            engine = next((e for e in reversed(idle) if e.fits(seq_len, batch_size)), None)
            if engine is not None:
                idle.remove(engine)
            else:
                # Lengths that grow a little in each batch shall not plan an engine for each.
                smaller = [e for e in idle if e.seq_len <= seq_len and e.batch_size <= batch_size]
                if smaller:
                    seq_len += seq_len // 4
                idle[:] = [e for e in idle if e not in smaller]
                smaller.clear()
                engine = Engine(layers, seq_len, batch_size)
            self._leased += 1
            return Lease(self, engine)

    def take_back(self, engine: Engine) -> None:
        with self._lock:
            self._leased -= 1
            idle = self._idle[engine.layers]
            idle.append(engine)
            del idle[:-_MOST_PASSES]

    def may_keep(self) -> bool:
        """Whether another pass may keep its engine until its backward pass."""
        return self._leased <= _MOST_PASSES


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
