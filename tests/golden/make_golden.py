#!/usr/bin/env python
"""Writes lstm.h5, curves.h5, optimizers.h5 and schedules.h5 beside this file, with PyTorch 2.13 on the CPU.

Run it again only for a newer PyTorch; the files are committed. Usage: make_golden.py
"""

import pathlib

import h5py
import numpy
import torch
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

HERE = pathlib.Path(__file__).parent


def write(group, **arrays):
    for name, array in arrays.items():
        if isinstance(array, torch.Tensor):
            array = array.detach().contiguous().numpy()
        group.create_dataset(name, data=array, track_times=False)


def write_weights(group, module):
    write(group, **{name: tensor for name, tensor in module.state_dict().items()})


def random(*shape):
    return torch.rand(shape) * 2 - 1


def lstm_case(file, name, seq_len, lengths, **sizes):
    """Forward and backward of a torch.nn.LSTM, time-major; the loss weighs every output."""
    lstm = torch.nn.LSTM(**sizes)
    batch, directions = len(lengths), 2 if lstm.bidirectional else 1
    x = random(seq_len, batch, lstm.input_size).requires_grad_()
    h0, c0 = (
        random(lstm.num_layers * directions, batch, lstm.hidden_size).requires_grad_()
        for _ in range(2)
    )
    ragged = min(lengths) < seq_len
    packed = pack_padded_sequence(x, torch.tensor(lengths), enforce_sorted=False) if ragged else x
    output, (h_n, c_n) = lstm(packed, (h0, c0))
    if ragged:
        output, _ = pad_packed_sequence(output, total_length=seq_len)
    steps = torch.arange(seq_len)[:, None] < torch.tensor(lengths)
    d_output = random(*output.shape) * steps[:, :, None]
    d_h_n, d_c_n = ((torch.zeros if ragged else random)(*h_n.shape) for _ in range(2))
    torch.autograd.backward([output, h_n, c_n], [d_output, d_h_n, d_c_n])

    group = file.create_group(name)
    group.attrs["num_layers"] = lstm.num_layers
    group.attrs["bidirectional"] = int(lstm.bidirectional)
    write(group, x=x, h0=h0, c0=c0, lengths=numpy.array(lengths, numpy.int64))
    write(group, output=output, h_n=h_n, c_n=c_n, d_output=d_output, d_h_n=d_h_n, d_c_n=d_c_n)
    write(group, d_x=x.grad, d_h0=h0.grad, d_c0=c0.grad)
    write_weights(group, lstm)
    write(group, **{f"d_{name}": tensor.grad for name, tensor in lstm.named_parameters()})


def recurrent_layers(cell, *sizes, **options):
    if cell.startswith("rnn_"):
        return torch.nn.RNN(*sizes, nonlinearity=cell.removeprefix("rnn_"), **options)
    return {"lstm": torch.nn.LSTM, "gru": torch.nn.GRU}[cell](*sizes, **options)


class Model(torch.nn.Module):
    """Recurrent layers with a linear head on h_n, or on every step for tagging."""

    def __init__(self, task, cell, input_size, hidden_size, output_size, **sizes):
        super().__init__()
        self.task = task
        self.rnn = recurrent_layers(cell, input_size, hidden_size, batch_first=True, **sizes)
        directions = 2 if self.rnn.bidirectional else 1
        self.head = torch.nn.Linear(directions * hidden_size, output_size)

    def forward(self, sequences):
        lengths = torch.tensor([len(sequence) for sequence in sequences])
        padded = torch.nn.utils.rnn.pad_sequence(sequences, batch_first=True)
        packed = pack_padded_sequence(padded, lengths, batch_first=True, enforce_sorted=False)
        output, states = self.rnn(packed)
        h_n = states[0] if isinstance(states, tuple) else states
        if self.task == "tagging":
            output, _ = pad_packed_sequence(output, batch_first=True)
            return self.head(torch.cat([row[:length] for row, length in zip(output, lengths)]))
        directions = 2 if self.rnn.bidirectional else 1
        return self.head(torch.cat(list(h_n[-directions:]), dim=1))


def curve(file, name, task, lengths, clip_norm, optimizer, settings, cell="lstm", **sizes):
    """Ten steps on two batches in turn, the second of them smaller: rows 0..5 and 6..9."""
    model = Model(task, cell, input_size=3, hidden_size=5, output_size=4, **sizes)
    sequences = [random(length, 3) for length in lengths]
    if task == "regression":
        targets = [random(4) for _ in lengths]
        criterion = torch.nn.MSELoss()
    else:
        shape = (lambda length: (length,)) if task == "tagging" else (lambda length: (1,))
        targets = [torch.randint(4, shape(length)) for length in lengths]
        criterion = torch.nn.CrossEntropyLoss()
    group = file.create_group(name)
    group.attrs.update(task=task, cell=cell, optimizer=optimizer.__name__.lower(), **settings)
    group.attrs["num_layers"] = model.rnn.num_layers
    group.attrs["bidirectional"] = int(model.rnn.bidirectional)
    if clip_norm:
        group.attrs["clip_norm"] = clip_norm
    write(group, x=torch.cat(sequences), lengths=numpy.array(lengths, numpy.int64))
    kind = "targets" if task == "regression" else "labels"
    write(group, **{kind: torch.stack(targets) if kind == "targets" else torch.cat(targets)})
    write_weights(group.create_group("start"), model)

    settings = {**settings}
    if "beta1" in settings:
        settings["betas"] = (settings.pop("beta1"), settings.pop("beta2"))
    descent = optimizer(model.parameters(), **settings)
    losses = []
    for step in range(10):
        rows = slice(0, 6) if step % 2 == 0 else slice(6, 10)
        expected = targets[rows]
        expected = torch.stack(expected) if task == "regression" else torch.cat(expected)
        loss = criterion(model(sequences[rows]), expected)
        descent.zero_grad()
        loss.backward()
        if clip_norm:
            torch.nn.utils.clip_grad_norm_(model.parameters(), clip_norm)
        descent.step()
        losses.append(loss.item())
    write(group, losses=numpy.array(losses, numpy.float32))
    write_weights(group.create_group("end"), model)


def optimizer_case(file, name, optimizer, **settings):
    """20 steps of an optimizer on 19 numbers, with gradients of its own at each step."""
    value = torch.nn.Parameter(random(19))
    gradients = random(20, 19)
    group = file.create_group(name)
    group.attrs["optimizer"] = optimizer.__name__.lower()
    for key, setting in settings.items():
        # A C++ program that is older than h5py cannot read its bool.
        group.attrs[key] = int(setting) if isinstance(setting, bool) else setting
    write(group, start=value, gradients=gradients)
    descent = optimizer([value], **settings)
    for gradient in gradients:
        value.grad = gradient.clone()
        descent.step()
    write(group, end=value)
    states = {k: v for k, v in descent.state[value].items() if k != "step" and v is not None}
    write(group.create_group("states"), **states)


EPOCHS, UPDATES = 20, 3


def schedule_case(file, name, kind, scheduler, warmup_steps=0, lr=0.1, **arguments):
    """The learning rates of 20 epochs of 3 updates."""
    descent = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=lr)
    schedule = scheduler(descent, **arguments) if scheduler else None
    warmup = warmup_steps and torch.optim.lr_scheduler.LinearLR(
        descent, start_factor=1 / warmup_steps, total_iters=warmup_steps - 1
    )
    # Better, worse, and better by less than the threshold.
    losses = [3, 2, 2.5, 2.2, 2.1, 1.9, 1.9, 1.8999, 1.95, 1.9, 1.85, 2, 2, 2, 2, 2, 1, 1, 1, 1]
    losses = numpy.array(losses, numpy.float32)
    rates = numpy.zeros((EPOCHS, UPDATES), numpy.float32)
    for epoch in range(EPOCHS):
        for update in range(UPDATES):
            rates[epoch, update] = descent.param_groups[0]["lr"]
            descent.step()
            if warmup:
                warmup.step()
            if kind == "one_cycle":
                schedule.step()
        if kind == "reduce_on_plateau":
            schedule.step(losses[epoch])
        elif kind in ("step", "cosine"):
            schedule.step()
    group = file.create_group(name)
    arguments.pop("cycle_momentum", None)
    group.attrs.update(kind=kind, lr=lr, warmup_steps=warmup_steps, **arguments)
    write(group, rates=rates, losses=losses)


def main():
    torch.manual_seed(1)
    torch.set_num_threads(1)
    with h5py.File(HERE / "lstm.h5", "w", libver="latest") as file:
        file.attrs["torch"] = str(torch.__version__)
        # The classic example of torch.nn.LSTM(5, 6, 2).
        lstm_case(file, "classic", 1, [1] * 3, input_size=5, hidden_size=6, num_layers=2)
        lstm_case(file, "one_layer", 6, [6] * 3, input_size=4, hidden_size=3)
        lstm_case(file, "two_bidirectional_layers", 4, [4] * 2, input_size=3, hidden_size=5,
                  num_layers=2, bidirectional=True)  # fmt: skip
        lstm_case(file, "packed", 5, [3, 5, 1, 4], input_size=3, hidden_size=4, num_layers=2)
        lstm_case(file, "packed_bidirectional", 5, [2, 1, 5], input_size=2, hidden_size=3,
                  num_layers=2, bidirectional=True)  # fmt: skip

    ragged = [4, 1, 6, 3, 5, 2, 6, 1, 2, 5]
    with h5py.File(HERE / "curves.h5", "w", libver="latest") as file:
        file.attrs["torch"] = str(torch.__version__)
        sgd, adam, adamw = torch.optim.SGD, torch.optim.Adam, torch.optim.AdamW
        curve(file, "classification_sgd", "classification", [5] * 10, 0.1, sgd,
              {"lr": 0.5, "momentum": 0.9})  # fmt: skip
        curve(file, "classification_adam", "classification", ragged, 0.1, adam,
              {"lr": 0.02, "weight_decay": 0.01}, bidirectional=True)  # fmt: skip
        curve(file, "classification_adamw", "classification", ragged, None, adamw,
              {"lr": 0.02, "beta1": 0.8, "beta2": 0.99, "eps": 1e-6, "weight_decay": 0.1},
              num_layers=2)  # fmt: skip
        curve(file, "regression_sgd", "regression", [6] * 10, None, sgd,
              {"lr": 0.2, "momentum": 0.5, "weight_decay": 0.01})  # fmt: skip
        curve(file, "tagging_adam", "tagging", ragged, 0.1, adam, {"lr": 0.02}, num_layers=2,
              bidirectional=True)  # fmt: skip
        for cell in ("gru", "rnn_tanh", "rnn_relu"):
            curve(file, f"{cell}_tagging", "tagging", ragged, 0.1, sgd,
                  {"lr": 0.5, "momentum": 0.9}, cell, num_layers=2,
                  bidirectional=True)  # fmt: skip
            curve(file, f"{cell}_classification", "classification", [5] * 10, None, adam,
                  {"lr": 0.02}, cell)  # fmt: skip

    with h5py.File(HERE / "optimizers.h5", "w", libver="latest") as file:
        file.attrs["torch"] = str(torch.__version__)
        sgd, rmsprop = torch.optim.SGD, torch.optim.RMSprop
        optimizer_case(file, "sgd", sgd, lr=0.1, weight_decay=0.1)
        optimizer_case(file, "sgd_momentum", sgd, lr=0.1, momentum=0.9, weight_decay=0.1)
        optimizer_case(file, "sgd_nesterov", sgd, lr=0.1, momentum=0.8, nesterov=True,
                       weight_decay=0.1)  # fmt: skip
        optimizer_case(file, "adam_defaults", torch.optim.Adam)
        optimizer_case(file, "adam", torch.optim.Adam, lr=0.02, betas=(0.8, 0.95), eps=1e-4,
                       weight_decay=0.1)  # fmt: skip
        optimizer_case(file, "adamw_defaults", torch.optim.AdamW)
        optimizer_case(file, "adamw", torch.optim.AdamW, lr=0.02, betas=(0.8, 0.95), eps=1e-4,
                       weight_decay=0.1)  # fmt: skip
        optimizer_case(file, "rmsprop_defaults", rmsprop)
        optimizer_case(file, "rmsprop", rmsprop, lr=0.02, alpha=0.9, eps=1e-4, momentum=0.5,
                       weight_decay=0.1)  # fmt: skip
        optimizer_case(file, "rmsprop_centered", rmsprop, lr=0.02, alpha=0.9, centered=True)
        optimizer_case(file, "rmsprop_centered_momentum", rmsprop, lr=0.02, centered=True,
                       momentum=0.9)  # fmt: skip

    with h5py.File(HERE / "schedules.h5", "w", libver="latest") as file:
        file.attrs["torch"] = str(torch.__version__)
        schedulers = torch.optim.lr_scheduler
        schedule_case(file, "warmup", "constant", None, warmup_steps=7)
        schedule_case(file, "step", "step", schedulers.StepLR, step_size=3)
        schedule_case(file, "step_warmup", "step", schedulers.StepLR, warmup_steps=11, step_size=2,
                      gamma=0.7)  # fmt: skip
        schedule_case(file, "cosine", "cosine", schedulers.CosineAnnealingLR, T_max=20)
        schedule_case(file, "cosine_and_back", "cosine", schedulers.CosineAnnealingLR, T_max=8,
                      eta_min=0.02)  # fmt: skip
        one_cycle = schedulers.OneCycleLR
        schedule_case(file, "one_cycle", "one_cycle", one_cycle, max_lr=0.3, total_steps=60,
                      cycle_momentum=False)  # fmt: skip
        schedule_case(file, "one_cycle_settings", "one_cycle", one_cycle, max_lr=0.3,
                      total_steps=61, pct_start=0.13, div_factor=5.0, final_div_factor=100.0,
                      cycle_momentum=False)  # fmt: skip
        for pct_start in (0.0, 1.0):
            schedule_case(file, f"one_cycle_pct_start_{pct_start:.0f}", "one_cycle", one_cycle,
                          max_lr=0.3, total_steps=61, pct_start=pct_start,
                          cycle_momentum=False)  # fmt: skip
        plateau = schedulers.ReduceLROnPlateau
        schedule_case(file, "plateau_defaults", "reduce_on_plateau", plateau)
        schedule_case(file, "plateau", "reduce_on_plateau", plateau, factor=0.5, patience=1,
                      threshold=0.01)  # fmt: skip
        schedule_case(file, "plateau_tiny", "reduce_on_plateau", plateau, lr=1e-7, patience=0)


if __name__ == "__main__":
    main()
