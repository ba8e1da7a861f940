# Sweeps directions, tags and ragged lengths: training steps of a tagger with a conditional random
# field from PyTorch's initial weights, what it predicts, and the way of its weights to torch and
# back. The loss in torch is the forward algorithm in double, which is compared with the sum over all
# taggings. Tolerance: 1e-4 absolute on weights as in training_test.py, 1e-5 on losses and
# probabilities, none on tags.

import itertools
import os
import pathlib
import subprocess
import sys

import h5py
import numpy
import pytest
import torch
from torch import nn

from imported import imported
from support import (Model, evaluate, max_difference, quadgate, state_dict, train,
                     write_dataset, write_state_dict)  # fmt: skip

sys.path.insert(0, str(pathlib.Path(__file__).parents[2] / "python"))
import quadgate as package  # noqa: E402


class CRF(nn.Module):
    """torchcrf.CRF's parameters and its -log likelihood, of one sequence."""

    def __init__(self, tags):
        super().__init__()
        self.start_transitions = nn.Parameter(torch.empty(tags).uniform_(-0.5, 0.5))
        self.end_transitions = nn.Parameter(torch.empty(tags).uniform_(-0.5, 0.5))
        self.transitions = nn.Parameter(torch.empty(tags, tags).uniform_(-0.5, 0.5))

    def score(self, emissions, tags):
        steps = range(len(tags))
        score = self.start_transitions[tags[0]] + self.end_transitions[tags[-1]]
        score = score + sum(emissions[t, tags[t]] for t in steps)
        return score + sum(self.transitions[tags[t - 1], tags[t]] for t in steps[1:])

    def log_sum(self, emissions):
        alphas = self.start_transitions + emissions[0]
        for step in emissions[1:]:
            alphas = torch.logsumexp(alphas[:, None] + self.transitions, 0) + step
        return torch.logsumexp(alphas + self.end_transitions, 0)

    def loss(self, emissions, tags):
        return self.log_sum(emissions) - self.score(emissions, tags)


class Tagger(Model):
    def __init__(self, input_size, tags, hidden_size, **sizes):
        super().__init__(input_size, tags, hidden_size, tagging=True, **sizes)
        self.crf = CRF(tags)

    def pieces(self, sequences):
        return self(sequences).double().split([len(s) for s in sequences])

    def loss(self, sequences, labels):
        crf = self.crf.double()
        losses = [crf.loss(e, t) for e, t in zip(self.pieces(sequences), labels)]
        return sum(losses) / sum(map(len, labels))


def sequences_and_labels(count, size, tags, longest, seed):
    torch.manual_seed(seed)
    lengths = torch.randint(1, longest + 1, (count,)).tolist()
    return ([torch.randn(n, size) for n in lengths], [torch.randint(0, tags, (n,)) for n in lengths])


def test_the_loss_is_that_of_all_taggings():
    torch.manual_seed(1)
    crf = CRF(3).double()
    for length in range(1, 6):
        emissions = torch.randn(length, 3, dtype=torch.double)
        scores = [crf.score(emissions, t) for t in itertools.product(range(3), repeat=length)]
        assert abs(torch.logsumexp(torch.stack(scores), 0) - crf.log_sum(emissions)) < 1e-12


@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize("tags", [3, 20])
def test_training_steps(tmp_path, bidirectional, tags):
    sequences, labels = sequences_and_labels(12, 4, tags, 9, seed=tags)
    splits = {name: ([s.numpy() for s in sequences], torch.cat(labels).numpy())
              for name in ["train", "valid"]}  # fmt: skip
    write_dataset(tmp_path / "d.h5", "tagging", splits, class_names=[str(i) for i in range(tags)])
    model = Tagger(4, tags, 10, bidirectional=bidirectional)
    write_state_dict(tmp_path / "init.h5", model)
    checkpoint = train(
        tmp_path, tmp_path / "d.h5",
        {"hidden_size": 10, "bidirectional": bidirectional, "crf": True,
         "init": str(tmp_path / "init.h5")},
        {"epochs": 6, "batch_size": 12, "lr": 0.5, "optimizer": "sgd", "shuffle": False})  # fmt: skip
    optimizer = torch.optim.SGD(model.parameters(), lr=0.5)
    for _ in range(6):
        optimizer.zero_grad()
        model.loss(sequences, labels).backward()
        optimizer.step()
    found = state_dict(checkpoint)
    assert set(found) == set(model.state_dict())
    for name, tensor in model.state_dict().items():
        assert max_difference(found[name], tensor.float()) < 1e-4, name

    # What is learnt, in the same weights.
    model.load_state_dict(found)
    result = evaluate(checkpoint, tmp_path / "d.h5", "valid")
    loss = model.loss(sequences, labels).item()
    assert abs(result["loss"] - loss) < 1e-5 * (1 + loss)
    best = package.load(checkpoint).crf.decode(
        nn.utils.rnn.pad_sequence(model.pieces(sequences), batch_first=True).float(),
        torch.tensor([len(s) for s in sequences]))  # fmt: skip
    correct = sum(int((torch.tensor(b) == t).sum()) for b, t in zip(best, labels))
    assert abs(result["accuracy"] - correct / sum(map(len, labels))) < 1e-9
    quadgate("predict", checkpoint, "--data", tmp_path / "d.h5", "--split", "valid", "-o",
             tmp_path / "p.h5")  # fmt: skip
    with h5py.File(tmp_path / "p.h5") as file:
        assert file["predicted"][()].tolist() == [tag for tags in best for tag in tags]
        probabilities = file["probability"][()]
    expected = []
    for emissions, of_sequence in zip(model.pieces(sequences), best):
        emissions = emissions.detach().requires_grad_()
        model.crf.double().log_sum(emissions).backward()  # its gradient is the probability
        expected += emissions.grad[range(len(of_sequence)), of_sequence].tolist()
    assert numpy.abs(probabilities - expected).max() < 1e-5


def test_weights_go_to_torch_and_back(tmp_path):
    model = Tagger(4, 5, 6)
    torch.save({f"tagger.{k}": v for k, v in model.state_dict().items()}, tmp_path / "m.pt")
    checkpoint, said = imported(tmp_path / "m.pt", tmp_path)
    assert "assumed" not in said
    with h5py.File(checkpoint) as file:
        assert file["model"].attrs["crf"] == 1 and file["model"].attrs["task"] == "tagging"
    for extension in [".pt", ".safetensors"]:
        quadgate("export", checkpoint, "-o", tmp_path / f"e{extension}")
        again, _ = imported(tmp_path / f"e{extension}", tmp_path)
        for name, tensor in model.state_dict().items():
            assert torch.equal(state_dict(again)[name], tensor.float()), name
    saved = torch.load(tmp_path / "e.pt", weights_only=True)
    CRF(5).load_state_dict({k[4:]: v for k, v in saved.items() if k.startswith("crf.")})
    for extension in [".onnx", ".weights.h5"]:
        done = subprocess.run([os.environ["QUADGATE_BIN"], "export", str(checkpoint), "-o",
                               str(tmp_path / f"e{extension}")], capture_output=True, text=True)  # fmt: skip
        assert done.returncode != 0 and "has no crf: expected none, found one" in done.stderr
        assert len(done.stderr.splitlines()) == 1


def test_what_does_not_fit_is_refused(tmp_path):
    sequences, labels = sequences_and_labels(3, 4, 2, 5, seed=1)
    labels[1][0] = -100
    splits = {"train": ([s.numpy() for s in sequences], torch.cat(labels).numpy())}
    write_dataset(tmp_path / "d.h5", "tagging", splits, class_names=["a", "b"])
    run = f"[data]\npath = '{tmp_path}/d.h5'\n[model]\nhidden_size = 3\n[output]\ndir = '{tmp_path}/run'\n[train]\nepochs = 1\n"
    (tmp_path / "run.toml").write_text(run)
    for settings, expected in [
        (["model.crf=true"], "label: expected 0 to 1 at every step for a crf, found -100"),
        (["model.crf=true", "train.label_smoothing=0.1"], "crf: expected label_smoothing 0"),
        (["model.crf=true", "train.class_weights=[1, 2]"], "crf: expected no class_weights"),
        (["model.crf=2"], "model.crf: expected true or false"),
    ]:
        sets = [word for setting in settings for word in ("--set", setting)]
        done = subprocess.run([os.environ["QUADGATE_BIN"], "train", str(tmp_path / "run.toml"),
                               "--quiet", *sets], capture_output=True, text=True)  # fmt: skip
        assert done.returncode != 0 and expected in done.stderr, done.stderr
        assert len(done.stderr.splitlines()) == 1
