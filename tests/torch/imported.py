"""What an imported checkpoint computes, by PyTorch's modules, and what `import` said of it."""

import os
import subprocess

import h5py
import torch

from support import recurrent_layers, state_dict


def run_import(file, folder, *options):
    """Imports a file into `folder`; the finished process, whose stderr is text."""
    (folder / "imported.h5").unlink(missing_ok=True)
    command = [os.environ["QUADGATE_BIN"], "import", file, "-o", folder / "imported.h5", *options]
    return subprocess.run([str(word) for word in command], capture_output=True, text=True)


def imported(file, folder, *options):
    """As run_import, where it must work: the checkpoint and what was said."""
    done = run_import(file, folder, *options)
    assert done.returncode == 0, done.stderr
    return folder / "imported.h5", done.stderr


def refused(file, folder, *options):
    """Where it must not: the one line, which names the file; no checkpoint is there."""
    done = run_import(file, folder, *options)
    assert done.returncode in (1, 2), done.stderr
    assert done.stderr.count("\n") == 1 and str(file) in done.stderr, done.stderr
    assert not (folder / "imported.h5").exists()
    return done.stderr


def attributes(checkpoint):
    with h5py.File(checkpoint) as file:
        return dict(file["model"].attrs)


def outputs(checkpoint, x, each_step):
    """The head's outputs for x [N, T, I], or tokens [N, T]: [N, T, O] or, pooled, [N, O]."""
    state, model = state_dict(checkpoint), attributes(checkpoint)
    x = torch.as_tensor(x)
    if "embedding.weight" in state:
        x = state["embedding.weight"][x]
    if "conv.weight" in state:
        x = torch.nn.functional.conv1d(x.transpose(1, 2), state["conv.weight"], state["conv.bias"],
                                       padding=int(model["conv_padding"]))  # fmt: skip
        x = torch.nn.functional.max_pool1d(x.relu(), int(model["conv_pool_size"])).transpose(1, 2)
    rnn = recurrent_layers(model["cell"], int(model["input_size"]), int(model["hidden_size"]),
                           num_layers=int(model["num_layers"]), batch_first=True,
                           bidirectional=bool(model["bidirectional"]),
                           bias=bool(model.get("bias", 1)))  # fmt: skip
    rnn.load_state_dict({k[4:]: v for k, v in state.items() if k.startswith("rnn.")})
    with torch.no_grad():
        y, states = rnn(x)
        if not each_step:
            h_n = states[0] if isinstance(states, tuple) else states
            last = torch.cat(list(h_n[-(2 if rnn.bidirectional else 1) :]), -1)
            y = {"last": last, "mean": y.mean(1), "max": y.amax(1)}[model["pooling"]]
        return y @ state["head.weight"].T + state["head.bias"] if "head.weight" in state else y
