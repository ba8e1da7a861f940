"""Checkpoints as PyTorch modules."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

from ._extras import require

require("quadgate.load", "torch", "torch", "h5py", "numpy")

import numpy
import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from ._checkpoint import opened

_CELLS = {"lstm": nn.LSTM, "gru": nn.GRU, "rnn_tanh": nn.RNN, "rnn_relu": nn.RNN}


def load(path: str | os.PathLike[str]) -> Model:
    """The model of a checkpoint, in eval mode. It takes x [N, T, I], or tokens [N, T], and lengths [N], and
    returns [N, output_size], or [N, T, output_size] where each step has an output (Model.forward).

    Raises OSError, naming the file, if it cannot be read, and ValueError if it is no checkpoint, or one
    of a newer program.
    """
    with opened(path) as file:
        config = dict(file["model"].attrs)
        weights = {name: torch.from_numpy(value[()]) for name, value in file["state_dict"].items()}
    model = Model(config)
    model.load_state_dict(weights)
    return model.eval()


class Crf(nn.Module):
    """A linear-chain conditional random field, with the names of pytorch-crf."""

    def __init__(self, num_tags: int) -> None:
        super().__init__()
        self.start_transitions = nn.Parameter(torch.zeros(num_tags))
        self.end_transitions = nn.Parameter(torch.zeros(num_tags))
        self.transitions = nn.Parameter(torch.zeros(num_tags, num_tags))

    @torch.no_grad()
    def decode(self, emissions: Tensor, lengths: Tensor | None = None) -> list[list[int]]:
        """The best tags of each sequence (Viterbi).

        emissions: the outputs of a Model, [N, T, C]; lengths: as there.
        """
        if lengths is None:
            lengths = torch.full((emissions.shape[0],), emissions.shape[1])
        return [self._best(row[: int(length)]) for row, length in zip(emissions, lengths)]

    def _best(self, emissions: Tensor) -> list[int]:
        scores = self.start_transitions + emissions[0]
        behind: list[Tensor] = []
        for step in emissions[1:]:
            scores, before = (scores[:, None] + self.transitions).max(0)
            scores = scores + step
            behind.append(before)
        tags = [int((scores + self.end_transitions).argmax())]
        for before in reversed(behind):
            tags.append(int(before[tags[-1]]))
        return tags[::-1]


class Model(nn.Module):
    """What `quadgate train` trains: an embedding, a normalization and a convolution if there are
    some, recurrent layers, pooling, a linear head. Submodules have the names of the checkpoint's
    tensors: `embedding`, `norm`, `conv`, `rnn`, `head`, `crf`.

    config: the attributes of a checkpoint's group `model`.
    """

    def __init__(self, config: dict[str, Any]) -> None:
        super().__init__()
        self.config = config
        self.task: str = config["task"]
        self.pooling: str = config.get("pooling", "last")
        self.class_names = _names(config, "class_names")
        self.feature_names = _names(config, "feature_names")
        self.token_names = _names(config, "token_names")
        # [I], or [series, I] where each series is standardized by its own.
        self.series_names = _names(config, "series_names")
        prefix = "series_" if self.series_names else ""
        self.mean = _numbers(config, prefix + "mean")
        self.std = _numbers(config, prefix + "std")
        if self.mean is not None and self.std is not None:
            if self.series_names:
                self.mean = self.mean.reshape(len(self.series_names), -1)
                self.std = self.std.reshape(len(self.series_names), -1)
            # Known columns come once more, of the rows to forecast.
            again = [self.feature_names.index(name) for name in _names(config, "known_names")]
            self.mean = torch.cat([self.mean, self.mean[..., again]], dim=-1)
            self.std = torch.cat([self.std, self.std[..., again]], dim=-1)
        input_size = int(config["input_size"])
        self.embedding: nn.Embedding | None = None
        if "vocabulary_size" in config:
            padding = config.get("padding_index")
            size = int(config.get("conv_input_size", input_size))
            self.embedding = nn.Embedding(
                int(config["vocabulary_size"]), size, None if padding is None else int(padding)
            )
        self.conv: nn.Conv1d | None = None
        if "conv_kernel_size" in config:
            self.conv = nn.Conv1d(
                int(config["conv_input_size"]),
                input_size,
                int(config["conv_kernel_size"]),
                padding=int(config.get("conv_padding", 0)),
            )
        self.norm: Normalization | None = None
        if "normalize" in config or config.get("residual"):
            columns = [self.feature_names.index(name) for name in _names(config, "target_names")]
            size = int(config.get("conv_input_size", input_size))
            if "quantiles" in config:
                columns = [column for column in columns for _ in config["quantiles"]]
            rest = {"gaussian": 1, "student_t": 2}.get(config.get("loss", ""), 0)
            levels = [i for column in columns for i in [column] + [-1] * rest]
            without = [int(i) for i in config.get("without_level", [])]
            kind = config.get("normalize", "residual")
            self.norm = Normalization(kind, size, levels, without=without)
        self.pool_size = int(config.get("conv_pool_size", 1))
        self.rnn = _recurrent(config, input_size)
        features = int(config.get("proj_size", 0)) or int(config["hidden_size"])
        self.head = nn.Linear(
            features * (2 if self.rnn.bidirectional else 1), int(config["output_size"])
        )
        # Whose tags `decode` finds; else each step's tag is that of its largest output.
        self.crf = Crf(int(config["output_size"])) if config.get("crf") else None
        if config.get("tie_weights"):
            assert self.embedding is not None
            self.head.weight = self.embedding.weight

    def standardize(self, x: Tensor, series: Sequence[str] | None = None) -> Tensor:
        """Features in original units as the model was trained on them.

        series: of a model that standardizes each series by its own scale, the name of each row's.
        """
        if self.mean is None or self.std is None:
            return x
        mean, std = self.mean.to(x.device), self.std.to(x.device)
        if self.series_names:
            if series is None or len(series) != len(x):
                raise ValueError(f"series: expected {len(x)} names, one a row, found {series}")
            numbers = [self.series_names.index(name) for name in series]
            mean, std = mean[numbers, None], std[numbers, None]
        return ((x.double() - mean) / std).to(self.head.weight.dtype)

    def forward(self, x: Tensor, lengths: Tensor | None = None) -> Tensor:
        """The head's outputs: logits of classes, or (standardized) values.

        x: features [N, T, I], or tokens [N, T].
        lengths: [N], what of each row counts; None: all T steps.
        Returns [N, output_size], or [N, T, output_size] where each step has an output.
        """
        if lengths is None:
            lengths = torch.full((x.shape[0],), x.shape[1], dtype=torch.long)
        lengths = lengths.to("cpu", torch.long)
        if self.embedding is not None:
            x = self.embedding(x)
        levels: list[Tensor] = []
        if self.norm is not None:
            x, *levels = self.norm(x, lengths.to(x.device))
        if self.conv is not None:
            x, lengths = self._convolve(x, lengths)
        packed = pack_padded_sequence(x, lengths, batch_first=True, enforce_sorted=False)
        output, final = self.rnn(packed)
        y, _ = pad_packed_sequence(output, batch_first=True, total_length=x.shape[1])
        if self.task == "tagging":
            return self.head(y)
        h_n: Tensor = final[0] if isinstance(self.rnn, nn.LSTM) else final
        outputs = self.head(self._pool(y, h_n, lengths))
        return outputs if self.norm is None else self.norm.restore(outputs, *levels)

    def _convolve(self, x: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        assert self.conv is not None
        inside = torch.arange(x.shape[1]) < lengths[:, None]  # what lies beyond is not to be seen
        x = torch.where(inside[:, :, None].to(x.device), x, 0.0).transpose(1, 2)
        x = torch.nn.functional.max_pool1d(self.conv(x).relu(), self.pool_size)
        outside = self.conv.kernel_size[0] - 1 - 2 * int(self.conv.padding[0])
        return x.transpose(1, 2), (lengths - outside) // self.pool_size

    def _pool(self, y: Tensor, h_n: Tensor, lengths: Tensor) -> Tensor:
        if self.pooling == "last":
            return torch.cat(list(h_n[-2:]), 1) if self.rnn.bidirectional else h_n[-1]
        inside = (torch.arange(y.shape[1]) < lengths[:, None])[:, :, None].to(y.device)
        if self.pooling == "mean":
            return torch.where(inside, y, 0.0).sum(1) / lengths[:, None].to(y)
        return torch.where(inside, y, -torch.inf).amax(1)


class Normalization(nn.Module):
    """Takes the level of each window's columns out of the features and puts it back into outputs.

    kind: "last" subtracts the last values, "instance" is RevIN (https://github.com/ts-kim/RevIN),
        "residual" adds the last values to the outputs alone.
    columns: of the features, that the outputs are of, in turns; -1 for one without a level.
    without: the features that stay as they are, as those of the calendar.
    """

    def __init__(
        self,
        kind: str,
        num_features: int,
        columns: list[int],
        eps: float = 1e-5,
        without: list[int] | None = None,
    ) -> None:
        super().__init__()
        self.without = without or []
        self.kind = kind
        self.columns = columns
        self.eps = eps
        if kind == "instance":
            self.affine_weight = nn.Parameter(torch.ones(num_features))
            self.affine_bias = nn.Parameter(torch.zeros(num_features))

    def forward(self, x: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """x [N, T, I] without its levels; the levels and scales [N, I]."""
        if self.kind != "instance":
            level = x[torch.arange(len(x), device=x.device), lengths - 1].clone()
            level[:, self.without] = 0.0
            return x - level[:, None] if self.kind == "last" else x, level, torch.ones_like(level)
        inside = (torch.arange(x.shape[1], device=x.device) < lengths[:, None])[:, :, None]
        count = lengths[:, None].to(x)
        level = torch.where(inside, x, 0.0).sum(1) / count
        level[:, self.without] = 0.0
        x = x - level[:, None]
        scale = (torch.where(inside, x**2, 0.0).sum(1) / count + self.eps).sqrt()
        scale[:, self.without] = 1.0
        return x / scale[:, None] * self.affine_weight + self.affine_bias, level, scale

    def restore(self, outputs: Tensor, level: Tensor, scale: Tensor) -> Tensor:
        """The head's outputs [N, output_size] with the levels."""
        each = self.columns * (outputs.shape[1] // len(self.columns))
        if self.kind == "instance":
            outputs = outputs - self.affine_bias[each]
            outputs = outputs / (self.affine_weight[each] + self.eps**2) * scale[:, each]
        has_level = (torch.tensor(each) >= 0).to(outputs)
        return outputs + has_level * level[:, each]


def _recurrent(config: dict[str, Any], input_size: int) -> nn.RNNBase:
    cell = config["cell"]
    more: dict[str, Any] = {}
    if cell == "lstm":
        more["proj_size"] = int(config.get("proj_size", 0))
    elif cell != "gru":
        more["nonlinearity"] = cell.removeprefix("rnn_")
    return _CELLS[cell](
        input_size,
        int(config["hidden_size"]),
        int(config["num_layers"]),
        bias=bool(config.get("bias", 1)),
        batch_first=True,
        dropout=float(config["dropout"]),
        bidirectional=bool(config["bidirectional"]),
        **more,
    )


def _names(config: dict[str, Any], key: str) -> list[str]:
    return [name.decode() if isinstance(name, bytes) else str(name) for name in config.get(key, [])]


def _numbers(config: dict[str, Any], key: str) -> Tensor | None:
    return torch.from_numpy(numpy.array(config[key], numpy.float64)) if key in config else None
