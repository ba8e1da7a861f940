"""The recurrent layers of a model computed by quadgate, and back."""

from __future__ import annotations

from typing import Any, NamedTuple

from ._extras import require

require("quadgate.accelerate", "torch", "torch")

import torch

from . import nn

_OURS: dict[type[torch.nn.Module], type[torch.nn.Module]] = {
    torch.nn.LSTM: nn.LSTM,
    torch.nn.GRU: nn.GRU,
    torch.nn.RNN: nn.RNN,
}
_TORCHS = {ours: torchs for torchs, ours in _OURS.items()}


class Swapped(NamedTuple):
    """What `accelerate` or `revert` did."""

    swapped: list[str]
    """The names of the modules that were swapped, "" for the model itself."""
    left: dict[str, str]
    """Why the other recurrent modules stay as they are, by name."""

    def __str__(self) -> str:
        lines = [f"swapped: {', '.join(name or 'the model' for name in self.swapped) or 'nothing'}"]
        return "\n".join(lines + [f"left {name}: {reason}" for name, reason in self.left.items()])


def accelerate(model: torch.nn.Module) -> Swapped:
    """Has quadgate compute every torch.nn.LSTM, GRU and RNN of a model, in place.

    The modules and their Parameters stay the objects that they are: an optimizer that was made before
    goes on, and so do hooks. Cells (torch.nn.LSTMCell), and classes derived from torch's, which may
    compute something else, are left, and the result says so. Returns what was done; print it.
    """
    return _swap(model, _OURS)


def revert(model: torch.nn.Module) -> Swapped:
    """Has torch compute the layers again that `accelerate` swapped, and every quadgate.nn.LSTM, GRU
    and RNN. Returns what was done."""
    return _swap(model, _TORCHS)


def _swap(
    model: Any, classes: dict[type[torch.nn.Module], type[torch.nn.Module]]
) -> Swapped:
    done = Swapped([], {})
    for name, module in model.named_modules():
        kind = module.__class__
        if kind in classes:
            module.__class__ = classes[kind]
            done.swapped.append(name)
        elif kind not in classes.values() and isinstance(
            module, (torch.nn.RNNBase, torch.nn.RNNCellBase)
        ):
            done.left[name] = _reason(module)
    return done


def _reason(module: torch.nn.Module) -> str:
    if isinstance(module, torch.nn.RNNCellBase):
        return f"{type(module).__name__} computes one step of one layer"
    return (
        f"{type(module).__qualname__} is derived from torch's class and may compute something else"
    )
