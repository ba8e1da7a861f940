# Sweeps two, three and seven classes, a class a sequence and a step, labels that do not count and
# classes that no item has, and tags of entities in every form that seqeval knows: what evaluate
# tells against the definitions in numpy, and against scikit-learn where it is installed. Tolerance:
# 1e-6; of float32 logits, ROC areas differ by less.

import importlib.util
import itertools
import json
import os
import subprocess

import h5py
import numpy
import pytest

from support import evaluate, quadgate, state_dict, train, write_dataset

IGNORED = -100


def predictions(checkpoint, data, folder):
    """Labels, predictions, log-softmax and sentence numbers of the items that count."""
    quadgate("predict", checkpoint, "--data", data, "-o", folder / "out.h5")
    with h5py.File(folder / "out.h5") as file:
        labels, logits = file["label"][()], file["logits"][()].astype(float)
        offsets = file["offsets"][()] if "offsets" in file else numpy.arange(len(labels) + 1)
    sentences = numpy.repeat(numpy.arange(len(offsets) - 1), numpy.diff(offsets))
    scores = logits - numpy.log(numpy.exp(logits).sum(1, keepdims=True))
    counts = labels != IGNORED
    return labels[counts], logits.argmax(1)[counts], scores[counts], sentences[counts]


def score(labels, predicted, c):
    hits = ((labels == c) & (predicted == c)).sum()
    of_predicted, support = (predicted == c).sum(), (labels == c).sum()
    return numpy.array([hits / max(of_predicted, 1), hits / max(support, 1),
                        2 * hits / max(of_predicted + support, 1)])  # fmt: skip


def area(is_positive, scores):
    difference = scores[is_positive][:, None] - scores[~is_positive]
    return ((difference > 0) + (difference == 0) / 2).mean()


def class_metrics(labels, predicted, scores, classes):
    occurring = [c for c in range(classes) if (labels == c).any() or (predicted == c).any()]
    macro = numpy.mean([score(labels, predicted, c) for c in occurring], axis=0)
    weighted = numpy.mean([score(labels, predicted, c) for c in labels], axis=0)
    present = [c for c in range(classes) if 0 < (labels == c).sum() < len(labels)]
    areas = [area(labels == c, scores[:, c]) for c in ([1] if classes == 2 else present)]
    found = {"roc_auc": numpy.mean(areas)}
    found["balanced_accuracy"] = numpy.mean([score(labels, predicted, c)[1] for c in set(labels)])
    for kind, values in {"macro": macro, "weighted": weighted}.items():
        for name, value in zip(("precision", "recall", "f1"), values):
            found[f"{name}_{kind}"] = value
    for k in (2, 5):
        ranks = (scores > scores[numpy.arange(len(labels)), labels][:, None]).sum(1)
        found[f"top{k}_accuracy"] = (ranks < k).mean()
    return found


def sklearn_metrics(labels, predicted, scores, classes):
    if not importlib.util.find_spec("sklearn"):
        return {}
    from sklearn import metrics

    found = {"balanced_accuracy": metrics.balanced_accuracy_score(labels, predicted)}
    for kind in ("macro", "weighted"):
        values = metrics.precision_recall_fscore_support(labels, predicted, average=kind,
                                                         zero_division=0)  # fmt: skip
        for name, value in zip(("precision", "recall", "f1"), values):
            found[f"{name}_{kind}"] = value
    probabilities = numpy.exp(scores)
    if len(set(labels)) == classes:
        found["roc_auc"] = (
            metrics.roc_auc_score(labels, probabilities[:, 1]) if classes == 2
            else metrics.roc_auc_score(labels, probabilities, multi_class="ovr", average="macro",
                                       labels=range(classes))
        )  # fmt: skip
        if classes > 5:
            found["top5_accuracy"] = metrics.top_k_accuracy_score(labels, probabilities, k=5)
    return found


def random_split(rng, rows, classes, tagging, shift, drawn=None):
    """Features that tell a little of the class; fewer and fewer items of each next one."""
    lengths = rng.integers(2, 9, rows)
    count = lengths.sum() if tagging else rows
    weights = 0.7 ** numpy.arange(drawn or classes)
    labels = rng.choice(drawn or classes, count, p=weights / weights.sum())
    of_steps = labels if tagging else numpy.repeat(labels, lengths)
    x = rng.normal(size=(lengths.sum(), 3)) + shift * numpy.stack(
        [of_steps, of_steps % 2, of_steps % 3], axis=1)  # fmt: skip
    labels[rng.random(count) < 0.1] = IGNORED
    return numpy.split(x, numpy.cumsum(lengths)[:-1]), labels


@pytest.mark.parametrize("tagging", [False, True])
@pytest.mark.parametrize("classes", [2, 3, 7])
def test_classes(tmp_path, classes, tagging):
    rng = numpy.random.default_rng(10 * classes + tagging)
    names = [f"class {c}" for c in range(classes)]
    # The test split lacks the last of seven classes.
    splits = {"train": random_split(rng, 60, classes, tagging, 0.4),
              "test": random_split(rng, 90, classes, tagging, 0.4, min(classes, 6))}  # fmt: skip
    data = tmp_path / "data.h5"
    write_dataset(data, "tagging" if tagging else "classification", splits, class_names=names)
    checkpoint = train(tmp_path, data, {"hidden_size": 8}, {"epochs": 12, "lr": 0.02, "batch_size": 8})
    labels, predicted, scores, _ = predictions(checkpoint, data, tmp_path)
    assert len(set(predicted)) > 1
    found = evaluate(checkpoint, data)
    expected = class_metrics(labels, predicted, scores, classes)
    for name, value in expected.items():
        if not name.startswith("top"):
            assert found[name] == pytest.approx(value, abs=1e-6), name
    assert ("top5_accuracy" in found) == (classes > 5)
    for k in [2, 5]:
        if k < classes:
            top = json.loads(quadgate("evaluate", checkpoint, "--data", data, "--top-k", k, "--json"))
            assert top[f"top{k}_accuracy"] == pytest.approx(expected[f"top{k}_accuracy"], abs=1e-6)
    for c, name in enumerate(names):
        row = found["classes"][name]
        values = [row["precision"], row["recall"], row["f1"]]
        assert values == pytest.approx(score(labels, predicted, c), abs=1e-6)
        assert row["support"] == (labels == c).sum()
        if row["support"] == 0:
            assert row["roc_auc"] is None
        else:
            assert row["roc_auc"] == pytest.approx(area(labels == c, scores[:, c]), abs=1e-6)
        for other, other_name in enumerate(names):
            pairs = ((labels == c) & (predicted == other)).sum()
            assert found["confusion"][name][other_name] == pairs
    for name, value in sklearn_metrics(labels, predicted, scores, classes).items():
        assert found[name] == pytest.approx(value, abs=1e-6), name


def entities(tags):
    """seqeval's get_entities: (type, first, last) of each entity of a sentence."""
    found, before, first = [], ("O", ""), 0
    for step, tag in enumerate([*tags, "O"]):
        place, kind = (tag[0], tag[2:]) if tag != "O" else ("O", "")
        apart = before[1] != kind
        if before[0] != "O" and (before[0] in "ES" or place in "BSO" or apart):
            found.append((before[1], first, step - 1))
        if place != "O" and (place in "BS" or before[0] in "ESO" or apart):
            first = step
        before = (place, kind)
    return found


@pytest.mark.parametrize("kind", ["BIO", "BIOES"])
def test_entities(tmp_path, kind):
    rng = numpy.random.default_rng(7)
    names = ["O"] + [f"{place}-{name}" for name in ("PER", "LOC", "in-2") for place in kind if place != "O"]  # fmt: skip
    splits = {name: random_split(rng, 80, len(names), True, 0.3) for name in ("train", "test")}
    data = tmp_path / "data.h5"
    write_dataset(data, "tagging", splits, class_names=names)
    checkpoint = train(tmp_path, data, {"hidden_size": 8}, {"epochs": 12, "lr": 0.02, "batch_size": 8})
    labels, predicted, _, sentences = predictions(checkpoint, data, tmp_path)
    truth, tagged = ([[names[c] for c in values[sentences == n]] for n in range(80)]
                     for values in (labels, predicted))  # fmt: skip
    expected, guessed = (
        {(n, *entity) for n, tags in enumerate(sentence) for entity in entities(tags)}
        for sentence in (truth, tagged)
    )
    hits = len(expected & guessed)
    assert hits > 5
    found = evaluate(checkpoint, data)
    assert found["entity_precision"] == pytest.approx(hits / len(guessed), abs=1e-6)
    assert found["entity_recall"] == pytest.approx(hits / len(expected), abs=1e-6)
    f1 = 2 * hits / (len(guessed) + len(expected))
    assert found["entity_f1"] == pytest.approx(f1, abs=1e-6)
    for name in ("PER", "LOC", "in-2"):
        of_type = [{e for e in some if e[1] == name} for some in (expected, guessed)]
        row = found["entities"][name]
        assert row["support"] == len(of_type[0])
        f1 = 2 * len(of_type[0] & of_type[1]) / (len(of_type[0]) + len(of_type[1]))
        assert row["f1"] == pytest.approx(f1, abs=1e-6)


def field_marginals(logits, weights):
    """The probability of each tag at each step, by all taggings."""
    steps, classes = logits.shape
    taggings = numpy.array(list(itertools.product(range(classes), repeat=steps)))
    scores = logits[numpy.arange(steps), taggings].sum(1)
    scores += weights["crf.start_transitions"][taggings[:, 0]]
    scores += weights["crf.transitions"][taggings[:, :-1], taggings[:, 1:]].sum(1)
    scores += weights["crf.end_transitions"][taggings[:, -1]]
    probabilities = numpy.exp(scores - scores.max())
    probabilities /= probabilities.sum()
    return numpy.stack([probabilities @ (taggings == c) for c in range(classes)], axis=1)


def test_the_best_tagging_of_a_random_field(tmp_path):
    rng = numpy.random.default_rng(3)
    names = ["O", "B-X", "I-X"]
    splits = {name: random_split(rng, 60, 3, True, 0.5) for name in ("train", "test")}
    for _, labels in splits.values():
        labels[labels == IGNORED] = 0
    data = tmp_path / "data.h5"
    write_dataset(data, "tagging", splits, class_names=names)
    settings = {"epochs": 8, "lr": 0.02, "batch_size": 8}
    checkpoint = train(tmp_path, data, {"hidden_size": 8, "crf": True}, settings)
    quadgate("predict", checkpoint, "--data", data, "-o", tmp_path / "out.h5")
    with h5py.File(tmp_path / "out.h5") as file:
        labels, predicted = file["label"][()], file["predicted"][()]
        logits, offsets = file["logits"][()].astype(float), file["offsets"][()]
    weights = {name: value.numpy() for name, value in state_dict(checkpoint).items()}
    marginals = numpy.concatenate([field_marginals(logits[first:end], weights)
                                   for first, end in zip(offsets, offsets[1:])])  # fmt: skip
    found = evaluate(checkpoint, data)
    assert found["accuracy"] == pytest.approx((labels == predicted).mean(), abs=1e-6)
    for c, name in enumerate(names):
        row = found["classes"][name]
        values = [row["precision"], row["recall"], row["f1"]]
        assert values == pytest.approx(score(labels, predicted, c), abs=1e-6)
        assert row["roc_auc"] == pytest.approx(area(labels == c, marginals[:, c]), abs=1e-6)


def test_tables_are_printed_and_others_refused(tmp_path):
    rng = numpy.random.default_rng(1)
    data = tmp_path / "data.h5"
    splits = {name: random_split(rng, 20, 3, True, 1) for name in ("train", "test")}
    write_dataset(data, "tagging", splits, class_names=["O", "B-α", "I-α"])
    checkpoint = train(tmp_path, data, {"hidden_size": 4}, {"epochs": 1})
    command = ["evaluate", checkpoint, "--data", data]
    text = quadgate(*command, "--by", "class", "--by", "confusion", "--by", "entity")
    lines = [line.split() for line in text.splitlines()]
    found = evaluate(checkpoint, data)
    row = found["classes"]["B-α"]
    assert ["class", "precision", "recall", "f1", "support", "roc_auc"] in lines
    assert ["B-α", *(f"{row[name]:.6g}" for name in ("precision", "recall", "f1")),
            str(row["support"]), f"{row['roc_auc']:.6g}"] in lines  # fmt: skip
    assert ["O", *map(str, found["confusion"]["O"].values())] in lines
    assert ["entity", "precision", "recall", "f1", "support"] in lines
    for option, line in {
        ("--by", "step"): "--by: expected class, entity or confusion, found 'step'",
        ("--top-k", "3"): "--top-k: expected 1 to 2, below the 3 classes, found 3",
    }.items():
        done = subprocess.run([os.environ["QUADGATE_BIN"], *map(str, command), *option],
                              capture_output=True, text=True)  # fmt: skip
        assert (done.returncode, done.stdout) == (2, "")
        assert done.stderr == f"quadgate: error: {line}\n"


def test_names_of_any_kind_are_told_or_refused(tmp_path):
    rng = numpy.random.default_rng(2)
    splits = {name: random_split(rng, 20, 3, False, 1) for name in ("train", "test")}

    def model_and_data(folder, names):
        folder.mkdir()
        write_dataset(folder / "data.h5", "classification", splits, class_names=names)
        checkpoint = train(folder, folder / "data.h5", {"hidden_size": 4}, {"epochs": 1})
        return checkpoint, folder / "data.h5"

    found = evaluate(*model_and_data(tmp_path / "empty", ["", "b", "c"]))
    assert set(found["confusion"]) == set(found["confusion"][""]) == {"", "b", "c"}
    found = evaluate(*model_and_data(tmp_path / "bytes", numpy.array([b"b\xff", b"b", b"c"])))
    assert "b\ufffd" in found["classes"]
    checkpoint, data = model_and_data(tmp_path / "twice", ["b", "b", "c"])
    command = [os.environ["QUADGATE_BIN"], "evaluate", checkpoint, "--data", data, "--json"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "quadgate: error: --json: expected names that differ, found 'b' twice\n"
