"""Raw sequences and texts that a model answers: predictions and words beside what NumPy and torch.nn make
of the same file. Sweeps the kinds of files. Tolerance: 1e-5 of the values' spread, of probabilities
and bits."""

import csv
import importlib.util
import io
import os
import pathlib
import subprocess

import h5py
import numpy
import pytest
import torch

from support import Model, piped, quadgate, shared_data, state_dict, train


def labels_and_probabilities(text, names):
    rows = list(csv.DictReader(io.StringIO(text)))
    return ([row["predicted"] for row in rows], [row["label"] for row in rows],
            numpy.array([[float(row[f"p_{name}"]) for name in names] for row in rows]))  # fmt: skip


def test_unlabelled_sequences_of_ts(tmp_path):
    source = shared_data("JapaneseVowels_TRAIN.ts")
    test = shared_data("JapaneseVowels_TEST.ts")
    if not source:
        pytest.skip("no Japanese Vowels")
    quadgate("prepare", "ts", source, "--standardize", "-o", tmp_path / "old.h5")
    checkpoint = train(tmp_path, tmp_path / "old.h5", {"hidden_size": 12}, {"epochs": 3, "lr": 0.01})
    with h5py.File(checkpoint) as file:
        names = list(file["model"].attrs["class_names"])
        mean, std = file["model"].attrs["mean"][()], file["model"].attrs["std"][()]
    head, body = test.read_text().split("@data\n")
    lines = body.strip().split("\n")
    bare = [line.rsplit(":", 1)[0] for line in lines]
    unlabelled = tmp_path / "new.ts"
    unlabelled.write_text("@classLabel false\n@data\n" + "\n".join(bare) + "\n")
    unknown = tmp_path / "unknown.ts"
    unknown.write_text(head + "@data\n" + "\n".join(line + ":?" for line in bare) + "\n")
    x = [numpy.array([[float(v) for v in d.split(",")] for d in line.split(":")]).T for line in bare]
    lstm = Model(12, 9, hidden_size=12)
    lstm.load_state_dict(state_dict(checkpoint))
    with torch.no_grad():
        scaled = [torch.from_numpy(((s - mean) / std).astype(numpy.float32)) for s in x]
        expected = lstm(scaled).softmax(1).numpy()
    for file in (unlabelled, unknown, test):
        out = quadgate("predict", checkpoint, "--input", file, "--probabilities", "-o", "-")
        predicted, labels, found = labels_and_probabilities(out, names)
        assert numpy.abs(found - expected).max() < 1e-5
        assert predicted == [names[i] for i in expected.argmax(1)]
        assert labels == ([line.rsplit(":", 1)[1] for line in lines] if file == test else [""] * 370)
    quadgate("prepare", "--like", checkpoint, test, "-o", tmp_path / "test.h5")
    quadgate("prepare", "--like", checkpoint, unlabelled, "-o", tmp_path / "new.h5")
    quadgate("predict", checkpoint, "--data", tmp_path / "new.h5", "--probabilities", "-o",
             tmp_path / "out.h5")  # fmt: skip
    with h5py.File(tmp_path / "out.h5") as file:
        assert numpy.abs(file["probabilities"][()] - expected).max() < 1e-5
        assert "label" not in file
    true = numpy.array([names.index(line.rsplit(":", 1)[1]) for line in lines])
    accuracy = (expected.argmax(1) == true).mean()
    for arguments in (["--input", test], ["--data", tmp_path / "test.h5"]):
        metrics = quadgate("evaluate", checkpoint, *arguments, "--json")
        assert f'"accuracy":{accuracy:.6f}'[:-1] in metrics


def test_basic_motions_of_aeon(tmp_path):
    spec = importlib.util.find_spec("aeon")
    if spec is None:
        pytest.skip("no package aeon: scripts/setup --peers installs it")
    folder = pathlib.Path(spec.origin).parent / "datasets" / "data" / "BasicMotions"
    quadgate("prepare", "ts", folder / "BasicMotions_TRAIN.ts", "--standardize", "-o", tmp_path / "a.h5")
    checkpoint = train(tmp_path, tmp_path / "a.h5", {"hidden_size": 16}, {"epochs": 30, "lr": 0.01})
    _, body = (folder / "BasicMotions_TEST.ts").read_text().split("@data\n")
    lines = body.strip().split("\n")
    (tmp_path / "new.ts").write_text(
        "@classLabel false\n@data\n" + "\n".join(line.rsplit(":", 1)[0] for line in lines) + "\n")  # fmt: skip
    out = quadgate("predict", checkpoint, "--input", tmp_path / "new.ts", "-o", "-")
    predicted = [row["predicted"] for row in csv.DictReader(io.StringIO(out))]
    right = numpy.mean([p == line.rsplit(":", 1)[1] for p, line in zip(predicted, lines)])
    metrics = quadgate("evaluate", checkpoint, "--input", folder / "BasicMotions_TEST.ts", "--json")
    assert len(predicted) == 40 and f'"accuracy":{right:.4f}'.rstrip("0") in metrics
    assert right > 0.5


@pytest.mark.parametrize("task", ["classification", "regression", "tagging"])
def test_unlabelled_arrays_of_npz(tmp_path, task):
    rng = numpy.random.default_rng(4)
    x = rng.normal(size=(60, 6, 3)).astype(numpy.float32)
    y = {"classification": numpy.array(["up", "down"])[(x.sum((1, 2)) > 0).astype(int)],
         "regression": x.sum((1, 2))[:, None] * [1, 2], "tagging": (x.sum(2) > 0).astype(int)}[task]  # fmt: skip
    numpy.savez(tmp_path / "old.npz", x=x, y=y, feature_names=["a", "b", "c"])
    quadgate("prepare", "npz", tmp_path / "old.npz", "--standardize", "-o", tmp_path / "old.h5")
    checkpoint = train(tmp_path, tmp_path / "old.h5", {"hidden_size": 8}, {"epochs": 2})
    new = rng.normal(size=(7, 6, 3)).astype(numpy.float32) + 1
    numpy.savez(tmp_path / "new.npz", x=new[:, :, [2, 0, 1]], feature_names=["c", "a", "b"])
    quadgate("predict", checkpoint, "--input", tmp_path / "new.npz", "-o", tmp_path / "out.h5")
    lstm = Model(3, 2, hidden_size=8, tagging=task == "tagging")
    lstm.load_state_dict(state_dict(checkpoint))
    mean, std = x.reshape(-1, 3).astype(float).mean(0), x.reshape(-1, 3).astype(float).std(0)
    with torch.no_grad():
        expected = lstm(list(torch.from_numpy(((new - mean) / std).astype(numpy.float32)))).numpy()
    with h5py.File(tmp_path / "out.h5") as file:
        found = file["values" if task == "regression" else "logits"][()]
    assert numpy.abs(found - expected).max() < 1e-5


def test_npz_of_splits_or_with_targets_beside_a_series(tmp_path):
    rng = numpy.random.default_rng(6)
    x, y = rng.normal(size=(9, 6, 2)).astype(numpy.float32), rng.integers(0, 2, 9)
    numpy.savez(tmp_path / "old.npz", x=x, y=y)
    quadgate("prepare", "npz", tmp_path / "old.npz", "-o", tmp_path / "old.h5")
    checkpoint = train(tmp_path, tmp_path / "old.h5", {"hidden_size": 3}, {"epochs": 1})
    expected = quadgate("predict", checkpoint, "--input", tmp_path / "old.npz", "-o", "-")
    numpy.savez(tmp_path / "one.npz", x_train=x, y_train=y)
    assert quadgate("predict", checkpoint, "--input", tmp_path / "one.npz", "-o", "-") == expected
    program, two = os.environ["QUADGATE_BIN"], tmp_path / "two.npz"
    for other in ("x_test", "x_valid", "x_val"):
        numpy.savez(two, x_train=x, y_train=y, **{other: x, other.replace("x", "y"): y})
        for command in (["predict", "-o", "-"], ["evaluate"]):
            done = subprocess.run([program, *command, checkpoint, "--input", two], capture_output=True, text=True)
            assert (done.returncode, done.stdout) == (1, "")
            assert f"two.npz: expected rows of one split, found arrays x_train and {other} (" in done.stderr
            assert done.stderr.count("\n") == 1
    quadgate("prepare", "--like", checkpoint, two, "-o", tmp_path / "two.h5")
    assert quadgate("predict", checkpoint, "--data", tmp_path / "two.h5", "--split", "valid", "-o", "-") == expected
    series = x.reshape(-1, 2)
    numpy.savez(tmp_path / "series.npz", x=series)
    quadgate("prepare", "npz", tmp_path / "series.npz", "-o", tmp_path / "series.h5")
    (tmp_path / "second").mkdir()
    checkpoint = train(tmp_path / "second", tmp_path / "series.h5", {"hidden_size": 3}, {"epochs": 1},
                       input_len=5, horizon=2)  # fmt: skip
    numpy.savez(tmp_path / "more.npz", x=series, y=series, offsets=[0, 9])
    done = subprocess.run([program, "predict", checkpoint, "--input", tmp_path / "more.npz", "-o", "-"],
                          capture_output=True, text=True)  # fmt: skip
    assert done.returncode == 0 and "more.npz: not read: arrays 'y', 'offsets'" in done.stderr
    numpy.savez(tmp_path / "divided.npz", x_train=series)
    done = subprocess.run([program, "predict", checkpoint, "--input", tmp_path / "divided.npz", "-o", "-"],
                          capture_output=True, text=True)  # fmt: skip
    assert done.returncode == 1 and "divided.npz: array 'x': missing" in done.stderr


def conllu(path, sentences, tag):
    lines = []
    for sentence in sentences:
        for i, word in enumerate(sentence):
            fields = [str(i + 1), word, "_", tag(word), *["_"] * 6]
            lines.append("\t".join(fields))
        lines.append("")
    path.write_text("\n".join(lines) + "\n")


@pytest.mark.parametrize("level", ["words", "characters"])
def test_words_beside_their_tags(tmp_path, level):
    tag = lambda word: "NOUN" if word[0].isupper() else "VERB"
    old = [["Hund", "bellt"], ["Katze", "schläft", "Hund"], ["bellt", "Katze"]] * 4
    new = [["Hund", "schläft"], ["Maus", "bellt", "Katze", '"']]
    conllu(tmp_path / "old.conllu", old, tag)
    conllu(tmp_path / "new.conllu", new, lambda word: "_")
    quadgate("prepare", "conllu", tmp_path / "old.conllu", "--level", level, "-o", tmp_path / "old.h5")
    checkpoint = train(tmp_path, tmp_path / "old.h5", {"hidden_size": 8, "embedding_size": 5},
                       {"epochs": 5, "lr": 0.02})  # fmt: skip
    out = tmp_path / "out.csv"
    out.write_text(piped(tmp_path / "new.conllu", "predict", checkpoint, "--input", "-",
                         "--probabilities", "-o", "-"))  # fmt: skip
    rows = list(csv.DictReader(open(out)))
    tokens = [sum((list(word) if level == "characters" else [word] for word in s), []) for s in new]
    assert [row["token"] for row in rows] == sum(tokens, [])
    assert [(int(row["row"]), int(row["step"])) for row in rows] == [
        (i, j) for i, sentence in enumerate(tokens) for j in range(len(sentence))]  # fmt: skip
    with h5py.File(checkpoint) as file:
        names = list(file["model"].attrs["token_names"])
        classes = list(file["model"].attrs["class_names"])
    weights = state_dict(checkpoint)
    embedding = torch.nn.Embedding.from_pretrained(weights.pop("embedding.weight"))
    lstm = Model(5, len(classes), hidden_size=8, tagging=True)
    lstm.load_state_dict(weights)
    numbers = [[names.index(t) if t in names else 0 for t in sentence] for sentence in tokens]
    with torch.no_grad():
        expected = lstm([embedding(torch.tensor(n)) for n in numbers]).softmax(1).numpy()
    predicted, _, found = labels_and_probabilities(out.read_text(), classes)
    assert numpy.abs(found - expected).max() < 1e-5
    assert predicted == [classes[i] for i in expected.argmax(1)]


@pytest.mark.parametrize("level", ["words", "characters"])
def test_tokens_of_text_with_their_surprisal(tmp_path, level):
    (tmp_path / "old.txt").write_text("der Hund und die Katze und der Hund, so ist es\n" * 20)
    (tmp_path / "new.txt").write_text("die Katze und\nder Vogel ist der Hund\n" * 3)
    quadgate("prepare", "text", tmp_path / "old.txt", "--level", level, "-o", tmp_path / "old.h5")
    checkpoint = train(tmp_path, tmp_path / "old.h5", {"hidden_size": 8, "embedding_size": 6},
                       {"epochs": 2, "batch_size": 4, "lr": 0.02, "bptt_len": 7})  # fmt: skip
    text = (tmp_path / "new.txt").read_text()
    tokens = text.replace("\n", " <eos> ").split() if level == "words" else list(text)
    weights = state_dict(checkpoint)
    with h5py.File(checkpoint) as file:
        names = list(file["model"].attrs["token_names"])
    numbers = torch.tensor([names.index(t) if t in names else 0 for t in tokens])
    embedding = torch.nn.Embedding.from_pretrained(weights.pop("embedding.weight"))
    lstm = Model(6, len(names), hidden_size=8, tagging=True)
    lstm.load_state_dict(weights)
    with torch.no_grad():
        nats = -lstm([embedding(numbers[:-1])]).log_softmax(1)[range(len(numbers) - 1), numbers[1:]]
    out = piped(tmp_path / "new.txt", "predict", checkpoint, "--input", "-", "-o", "-")
    rows = list(csv.DictReader(io.StringIO(out, newline="")))
    assert [row["token"] for row in rows] == tokens
    assert rows[0]["surprisal"] == ""
    found = numpy.array([float(row["surprisal"]) for row in rows[1:]])
    assert numpy.abs(found - nats.numpy() / numpy.log(2)).max() < 1e-5
    quadgate("prepare", "--like", checkpoint, tmp_path / "new.txt", "-o", tmp_path / "new.h5")
    told = quadgate("predict", checkpoint, "--data", tmp_path / "new.h5", "-o", tmp_path / "o.h5")
    perplexity = numpy.exp(nats.numpy().mean())
    assert float(told.split("perplexity ")[1].split(",")[0]) == pytest.approx(perplexity, rel=1e-4)
    done = subprocess.run([os.environ["QUADGATE_BIN"], "predict", checkpoint, "-o", "-", "--input",
                           tmp_path / "new.txt"], capture_output=True, text=True)  # fmt: skip
    unknown = sum(token not in names for token in tokens)
    assert f"{unknown} of {len(tokens)} tokens are not in the vocabulary" in done.stderr
