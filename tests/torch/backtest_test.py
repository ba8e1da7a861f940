# Sweeps series of one and several groups with gap, test size and sliding windows, sequences to
# classify, to regress and to tag: the rows of each fold against scikit-learn's TimeSeriesSplit,
# StratifiedKFold and KFold; scale against numpy; weights against a training on the same rows that
# `prepare` made; metrics against `evaluate`. Other rows to test on leave the weights as they are,
# bit for bit. Tolerance: none, but 1e-6 relative of mean and std, of float32 values.

import csv
import json
import shutil

import h5py
import numpy
import pytest

from support import evaluate, quadgate, state_dict, toml_value, write_dataset

WINDOW = {"input_len": 6, "horizon": 2}


def splitter(name, *options, **more):
    """One of scikit-learn's, which need not be installed."""
    return getattr(pytest.importorskip("sklearn.model_selection"), name)(*options, **more)


def run_file(folder, data, model=None, train=None, **data_keys):
    tables = {
        "data": {"path": str(data), **data_keys},
        "model": {"hidden_size": 3, **(model or {})},
        "train": {"epochs": 2, "lr": 0.02, **(train or {})},
        "output": {"dir": str(folder / "run")},
    }
    lines = []
    for table, keys in tables.items():
        lines += [f"[{table}]", *(f"{key} = {toml_value(value)}" for key, value in keys.items())]
    (folder / "run.toml").write_text("\n".join(lines) + "\n")
    return folder / "run.toml"


def backtest(folder, data, *options, **keys):
    """Returns the run folder, and which rows each fold has."""
    quadgate("backtest", run_file(folder, data, **keys), *options, "--quiet")
    return folder / "run", json.loads((folder / "run" / "folds.json").read_text())["folds"]


def write_table(path, sizes, seed=0):
    rng = numpy.random.default_rng(seed)
    series = [(rng.normal(size=(size, 2)) * [3, 50] + [1, 7]).astype(numpy.float32) for size in sizes]
    with open(path, "w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["group", "a", "b"])
        for group, rows in enumerate(series):
            writer.writerows([f"g{group}", *map(repr, row.tolist())] for row in rows)
    return series


def prepare_table(folder, sizes, *options):
    series = write_table(folder / "a.csv", sizes)
    options += ("--group", "group") if len(sizes) > 1 else ("--columns", "a,b")
    quadgate("prepare", "csv", folder / "a.csv", *options, "-o", folder / "a.h5")
    return series


def weights(folder, fold):
    return state_dict(folder / f"fold-{fold}" / "checkpoint.h5")


def same_bits(a, b):
    return all((a[name].numpy() == b[name].numpy()).all() for name in a) and a.keys() == b.keys()


SPLITTERS = [
    ((75,), {}, ["--folds", 3]),
    ((75,), {"test_size": 5}, ["--folds", 4, "--test-size", 5]),
    ((75,), {"gap": 2, "max_train_size": 20}, ["--folds", 3, "--gap", 2, "--max-train-size", 20]),
    ((80, 75, 91), {}, ["--folds", 2]),
    ((80, 75, 91), {"test_size": 7, "gap": 3}, ["--folds", 3, "--test-size", 7, "--gap", 3]),
]


@pytest.mark.parametrize("sizes, settings, options", SPLITTERS)
def test_series_are_divided_as_scikit_learn_does(tmp_path, sizes, settings, options):
    series = prepare_table(tmp_path, sizes, "--standardize")
    folder, folds = backtest(tmp_path, tmp_path / "a.h5", *options, **WINDOW)
    settings = {"test_size": min(sizes) // (options[1] + 1), **settings}
    for number, rows in enumerate(series):
        expected = list(splitter("TimeSeriesSplit", options[1], **settings).split(rows))
        for fold, (train, test) in zip(folds, expected, strict=True):
            assert fold[number]["train"] == [train[0], train[-1] + 1]
            assert fold[number]["test"] == [test[0], test[-1] + 1]
    for number, fold in enumerate(folds):
        trained = numpy.concatenate([
            rows[slice(*fold[i]["train"])].astype(float) for i, rows in enumerate(series)
        ])  # fmt: skip
        with h5py.File(folder / f"fold-{number}" / "data.h5") as file:
            assert file.attrs["mean"] == pytest.approx(trained.mean(0), rel=1e-6)
            assert file.attrs["std"] == pytest.approx(trained.std(0), rel=1e-6)
            held = file["train/x"][()] * file.attrs["std"] + file.attrs["mean"]
        kept = [rows[fold[i]["train"][0] : fold[i]["test"][1]] for i, rows in enumerate(series)]
        numpy.testing.assert_allclose(held, numpy.concatenate(kept), rtol=1e-5, atol=1e-5)


def test_sliding_folds_are_as_long_as_the_first(tmp_path):
    series = prepare_table(tmp_path, (70,))
    _, folds = backtest(tmp_path, tmp_path / "a.h5", "--folds", 4, "--sliding", **WINDOW)
    expected = splitter("TimeSeriesSplit", 4, max_train_size=14).split(series[0])
    for [fold], (train, _) in zip(folds, expected, strict=True):
        assert fold["train"] == [train[0], train[-1] + 1]


def test_a_fold_of_a_series_is_a_run_on_its_rows(tmp_path):
    series = prepare_table(tmp_path, (60,), "--valid-fraction", 0.2)[0]
    folder, folds = backtest(tmp_path, tmp_path / "a.h5", "--folds", 3, **WINDOW)
    for number, [fold] in enumerate(folds):
        (_, trained), (_, valid), (_, end) = fold["train"], fold["valid"], fold["test"]
        assert valid - trained == round(0.2 * valid)
        own = tmp_path / f"own-{number}"
        own.mkdir()
        with open(own / "a.csv", "w", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(["time", "a", "b"])
            writer.writerows([i, *map(repr, row.tolist())] for i, row in enumerate(series[:end]))
        quadgate("prepare", "csv", own / "a.csv", "--time", "time", "--columns", "a,b",
                 "--valid-from", trained, "--test-from", valid, "-o", own / "a.h5")  # fmt: skip
        quadgate("train", run_file(own, own / "a.h5", **WINDOW), "--quiet")
        checkpoint = own / "run" / "checkpoint.h5"
        assert same_bits(state_dict(checkpoint), weights(folder, number))
        told = json.loads((folder / f"fold-{number}" / "test.json").read_text())
        assert told == evaluate(own / "run" / "best.h5", own / "a.h5")


def test_a_fold_keeps_times_and_what_they_make(tmp_path):
    values = write_table(tmp_path / "a.csv", (60,))[0]
    days = numpy.datetime64("2024-02-01") + numpy.arange(60)
    with open(tmp_path / "a.csv", "w") as file:
        print("day,a,b", *(f"{d},{a!r},{b!r}" for d, (a, b) in zip(days, values.tolist())),
              sep="\n", file=file)  # fmt: skip
    quadgate("prepare", "csv", tmp_path / "a.csv", "--time", "day", "--calendar", "weekday,month",
             "--standardize", "-o", tmp_path / "a.h5")  # fmt: skip
    folder, folds = backtest(tmp_path, tmp_path / "a.h5", "--folds", 3, "--sliding", **WINDOW)
    with h5py.File(tmp_path / "a.h5") as whole:
        for number, [fold] in enumerate(folds):
            rows = slice(fold["train"][0], fold["test"][1])
            with h5py.File(folder / f"fold-{number}" / "data.h5") as file:
                for name in ("feature_names", "source_calendar", "source_step", "format_version"):
                    assert numpy.all(file.attrs[name] == whole.attrs[name]), name
                assert (file["train/time"][()] == whole["train/time"][rows]).all()
                assert (file["train/x"][:, 2:] == whole["train/x"][rows, 2:]).all()
                assert (file.attrs["mean"][2:] == 0).all() and (file.attrs["std"][2:] == 1).all()


def test_a_fold_keeps_static_and_known_columns(tmp_path):
    """As `prepare` makes them of the rows of the fold alone, whose scale is measured in its train rows."""
    rng = numpy.random.default_rng(3)
    stores = {"Ulm": ("small", 10.0), "Bonn": ("large", 35.0)}
    rows = [(store, *stores[store], i, rng.integers(0, 2), rng.normal() * 4 + 9)
            for store in stores for i in range(60)]  # fmt: skip
    options = ["--time", "row", "--group", "store", "--static", "kind,area", "--known", "promo",
               "--columns", "promo,sales", "--standardize"]  # fmt: skip

    def write(path, end):
        with open(path, "w") as file:
            print("store,kind,area,row,promo,sales", file=file)
            print(*(",".join(map(str, row)) for row in rows if row[3] < end), sep="\n", file=file)

    write(tmp_path / "a.csv", 60)
    quadgate("prepare", "csv", tmp_path / "a.csv", *options, "-o", tmp_path / "a.h5")
    folder, folds = backtest(tmp_path, tmp_path / "a.h5", "--folds", 3, **WINDOW, targets=["sales"])
    for number, fold in enumerate(folds):
        assert [part["train"] for part in fold] == [fold[0]["train"]] * 2
        (_, trained), (_, end) = fold[0]["train"], fold[0]["test"]
        own = tmp_path / f"own-{number}"
        own.mkdir()
        write(own / "a.csv", end)
        quadgate("prepare", "csv", own / "a.csv", *options, "--test-from", trained, "-o", own / "a.h5")
        quadgate("train", run_file(own, own / "a.h5", **WINDOW, targets=["sales"]), "--quiet")
        checkpoint = own / "run" / "checkpoint.h5"
        with h5py.File(checkpoint) as file:
            assert {"kind=small", "kind=large", "area"} < set(file["model"].attrs["feature_names"])
            assert list(file["model"].attrs["known_names"]) == ["promo"]
        ours, theirs = state_dict(checkpoint), weights(folder, number)
        assert ours.keys() == theirs.keys()
        for name, tensor in ours.items():  # of values that were stored in float32 before
            assert abs(tensor - theirs[name]).max() < 1e-5
        told = json.loads((folder / f"fold-{number}" / "test.json").read_text())
        expected = evaluate(checkpoint, own / "a.h5")
        assert told["count"] == expected["count"]
        assert told["mse"] == pytest.approx(expected["mse"], rel=1e-4)


def test_means_and_spreads_are_numpys(tmp_path):
    prepare_table(tmp_path, (60,))
    folder, _ = backtest(tmp_path, tmp_path / "a.h5", "--folds", 4, **WINDOW)
    results = json.loads((folder / "backtest.json").read_text())
    assert [f["mse"] for f in results["folds"]] == [
        evaluate(folder / f"fold-{i}" / "checkpoint.h5", folder / f"fold-{i}" / "data.h5")["mse"]
        for i in range(4)
    ]
    with open(folder / "backtest.csv", newline="") as file:
        table = {row["metric"]: row for row in csv.DictReader(file)}
    for path in ["mse", "skill", "mse_raw.b", "baselines.a.last.mase", "steps.2.b.r2"]:
        values = []
        for part in [*results["folds"], results["mean"], results["sd"]]:
            for key in path.split("."):
                part = part[key]
            values.append(part)
        assert [float(table[path][f"fold-{i}"]) for i in range(4)] == values[:4]
        expected = [numpy.mean(values[:4]), numpy.std(values[:4], ddof=1)]
        assert values[4:] == pytest.approx(expected, rel=1e-12)
        assert [float(table[path][name]) for name in ("mean", "sd")] == values[4:]


def write_sequences(path, task, scale=True, seed=0):
    """65 rows in two splits, of three classes or of values."""
    rng = numpy.random.default_rng(seed)
    lengths = rng.integers(2, 6, 65)
    x = [rng.normal(size=(length, 2)) for length in lengths]
    y = {
        "classification": rng.integers(0, 3, 65),
        "regression": rng.normal(size=(65, 2)).astype(numpy.float32),
        "tagging": [rng.integers(0, 3, length) for length in lengths],
    }[task]
    join = numpy.concatenate if task == "tagging" else numpy.array
    splits = {"train": (x[:50], join(y[:50])), "test": (x[50:], join(y[50:]))}
    attributes = {"mean": [0.5, -1.0], "std": [2.0, 3.0]} if scale else {}
    write_dataset(path, task, splits, **attributes)
    return x, y


@pytest.mark.parametrize("task", ["classification", "regression", "tagging"])
def test_sequences_are_divided_as_scikit_learn_does(tmp_path, task):
    x, y = write_sequences(tmp_path / "a.h5", task)
    folder, folds = backtest(tmp_path, tmp_path / "a.h5", "--folds", 4, "--no-shuffle")
    how = splitter("StratifiedKFold" if task == "classification" else "KFold", 4)
    for number, (train, test) in enumerate(how.split(numpy.zeros(65), y)):
        assert folds[number] == {"test": test.tolist()}
        scaled = numpy.concatenate([x[i] for i in train]) * [2.0, 3.0] + [0.5, -1.0]
        with h5py.File(folder / f"fold-{number}" / "data.h5") as file:
            assert set(file) == {"train", "test"}
            assert file.attrs["mean"] == pytest.approx(scaled.mean(0), rel=1e-6)
            assert file.attrs["std"] == pytest.approx(scaled.std(0), rel=1e-6)
            held = file["train/x"][()] * file.attrs["std"] + file.attrs["mean"]
            numpy.testing.assert_allclose(held, scaled, rtol=1e-5, atol=1e-5)
            join = numpy.concatenate if task == "tagging" else numpy.array
            assert (file["test/y"][()] == join([y[i] for i in test])).all()
            assert (file["train/y"][()] == join([y[i] for i in train])).all()
        told = json.loads((folder / f"fold-{number}" / "test.json").read_text())
        assert told == evaluate(folder / f"fold-{number}" / "checkpoint.h5",
                                folder / f"fold-{number}" / "data.h5")  # fmt: skip


def test_drawn_folds_have_the_shares_of_scikit_learn(tmp_path):
    _, y = write_sequences(tmp_path / "a.h5", "classification")
    _, folds = backtest(tmp_path, tmp_path / "a.h5", "--folds", 4, "--seed", 3)
    expected = splitter("StratifiedKFold", 4, shuffle=True, random_state=0).split(y, y)
    for fold, (_, test) in zip(folds, expected, strict=True):
        assert (numpy.bincount(y[fold["test"]]) == numpy.bincount(y[test])).all()
    assert sorted(sum((fold["test"] for fold in folds), [])) == list(range(65))
    assert folds[0]["test"] != next(splitter("StratifiedKFold", 4).split(y, y))[1].tolist()


def change(path, where, value):
    with h5py.File(path, "a") as file:
        dataset, rows = where
        held = file[dataset][()]
        held[rows] = value
        file[dataset][...] = held


@pytest.mark.parametrize("options", [[], ["--gap", 2]])
def test_rows_to_test_on_do_not_leak_into_a_series(tmp_path, options):
    prepare_table(tmp_path, (60,), "--standardize", "--valid-fraction", 0.2)
    options = ["--folds", 3, *options]
    folder, [[fold], *_] = backtest(tmp_path, tmp_path / "a.h5", *options, **WINDOW)
    before = weights(folder, 0)
    for first, leaves_as_it_is in [(fold["valid"][1], True), (fold["train"][1] - 1, False)]:
        shutil.rmtree(folder)
        change(tmp_path / "a.h5", ("train/x", slice(first, None)), 9)
        backtest(tmp_path, tmp_path / "a.h5", *options, **WINDOW)
        assert same_bits(before, weights(folder, 0)) == leaves_as_it_is


def test_rows_to_test_on_do_not_leak_into_classes(tmp_path):
    write_sequences(tmp_path / "a.h5", "classification")
    keys = {"train": {"class_weights": "balanced"}}
    folder, folds = backtest(tmp_path, tmp_path / "a.h5", "--folds", 3, "--no-shuffle", **keys)
    before = weights(folder, 0)
    with h5py.File(tmp_path / "a.h5") as file:
        offsets = file["train/offsets"][()]
    steps = lambda row: slice(offsets[row], offsets[row + 1])
    inside = [row for row in folds[0]["test"] if row < 50]
    outside = [row for row in range(50) if row not in folds[0]["test"]]
    for rows, leaves_as_it_is in [(inside, True), (outside[:1], False)]:
        shutil.rmtree(folder)
        for row in rows:
            change(tmp_path / "a.h5", ("train/x", steps(row)), 5)
        backtest(tmp_path, tmp_path / "a.h5", "--folds", 3, "--no-shuffle", **keys)
        assert same_bits(before, weights(folder, 0)) == leaves_as_it_is


def test_words_to_test_on_do_not_leak_into_the_vocabulary(tmp_path):
    rng = numpy.random.default_rng(5)
    words = [f"w{i}" for i in range(12)]

    def write(sentences):
        with open(tmp_path / "a.conllu", "w") as file:
            for sentence in sentences:
                for i, word in enumerate(sentence, 1):
                    tag = "NOUN" if int(word[1:]) % 2 else "VERB"
                    print(i, word, "_", tag, *"______", sep="\t", file=file)
                print(file=file)
        quadgate("prepare", "conllu", tmp_path / "a.conllu", "-o", tmp_path / "a.h5")
        model = {"embedding_size": 4}
        folder, folds = backtest(tmp_path, tmp_path / "a.h5", "--folds", 3, "--no-shuffle",
                                 model=model)  # fmt: skip
        assert folds[0] == {"test": list(range(10))}
        result = weights(folder, 0)
        with h5py.File(folder / "fold-0" / "data.h5") as file:
            names = list(file.attrs["token_names"])
            tokens = file["train/x"][()].ravel()[: len(sentences[10])]
            assert [names[t] for t in tokens if t] == [w for w in sentences[10] if w in names]
        shutil.rmtree(folder)
        return names, result

    sentences = [list(rng.choice(words, 4)) + ["w1", "w2"] for _ in range(30)]
    names, before = write(sentences)
    counts = {w: sum(s.count(w) for s in sentences[10:]) for w in words}
    frequent = [w for w in words if counts[w] >= 2]
    assert names[1:] == sorted(frequent, key=lambda w: (-counts[w], w))
    assert len(frequent) < len({w for s in sentences for w in s})
    others, after = write([["w20", "w30", "w31", "w20"]] * 10 + sentences[10:])
    assert others == names
    assert same_bits(before, after)
