# Sweeps: data of each kind that Python has, to train on, to evaluate and to predict; wrong input.
# Tolerance: 1e-5 on outputs of the order of 1 beside the torch module, otherwise none.

import threading

import h5py
import numpy
import pandas
import pytest
import torch
from torch.nn.utils.rnn import pack_sequence
from torch.utils.data import DataLoader, Subset, TensorDataset

import quadgate
import quadgate._arrays
import quadgate._memory
import quadgate.dataset
from train_support import LABELS, ROWS, SERIES, expect_same_run

FRAMES = [pandas.DataFrame(row, columns=list("abc")) for row in ROWS]
KINDS = {
    "arrays": (ROWS, LABELS),
    "tensors": ([torch.tensor(row, requires_grad=True) for row in ROWS], torch.tensor(LABELS)),
    "frames": (FRAMES, pandas.Series(LABELS, index=range(100, 160))),
    "lists": ([row.tolist() for row in ROWS], LABELS.tolist()),
}


@pytest.mark.parametrize("kind", KINDS)
def test_data_of_each_kind(tmp_path, config, data, kind):
    x, y = KINDS[kind]
    arrays = {"train": (x[:40], y[:40]), "valid": (x[40:], y[40:])}
    result = quadgate.train(config, data=arrays)
    files = quadgate.train(config, output={"dir": tmp_path / "files"})
    expect_same_run(result.run_dir, files.run_dir)
    assert quadgate.evaluate(result, (x[40:], y[40:]))["loss"] == pytest.approx(
        quadgate.evaluate(result, data, split="valid")["loss"], abs=0
    )
    answer = quadgate.predict(result, x)
    assert "label" not in answer and answer["class_names"].tolist() == ["0", "1"]
    assert answer["predicted"].shape == (60,)
    assert numpy.array_equal(quadgate.predict(result, ROWS)["logits"], answer["logits"])


CUBE = 5 + 3 * numpy.random.default_rng(5).normal(size=(60, 4, 3))
WORDS = numpy.arange(400) % 3
IN_MEMORY = {
    "float64": ("classification", {"train": (CUBE, LABELS), "valid": (CUBE[:9], LABELS[:9])}),
    "float32 standardized": ("regression", {"train": (CUBE.astype("f4"), CUBE[:, 0]), "standardize": True}),
    "every second step": ("classification", {"train": (CUBE[:, ::2], LABELS)}),
    "float16": ("classification", {"train": (CUBE.astype("f2"), LABELS)}),
    "of other bytes": ("regression", {"train": (CUBE.astype(">f4"), CUBE[:, 0].astype(">f8"))}),
    "integers": ("classification", {"train": ((100 * CUBE).astype(int), LABELS.astype("u1"))}),
    "lists": ("tagging", {"train": (ROWS, [row[:, 0] > 0 for row in ROWS]), "standardize": True}),
    "names": ("classification", {"train": (CUBE, ["ja" if y else "nö" for y in LABELS])}),
    "series": ("forecast", {"train": SERIES, "valid_fraction": 0.2, "standardize": True}),
    "float32 series": ("forecast", {"train": SERIES.astype("f4"), "valid_fraction": 0.2}),
    "frame": ("forecast", {"train": pandas.DataFrame(SERIES, columns=["a", "ß"])}),
    "tokens": ("language_model", {"train": WORDS, "valid": WORDS[:100], "token_names": list("abc")}),
    "sentences": ("classification", {"train": (list(WORDS.reshape(100, 4)), WORDS[:100]), "token_names": list("abc")}),
}  # fmt: skip


SETTINGS = {
    "forecast": {"data.input_len": 8, "data.horizon": 3},
    "regression": {"train": {"shuffle_buffer": 16}},
    "language_model": {"model": {"embedding_size": 4}},
}


@pytest.mark.parametrize("case", IN_MEMORY)
def test_memory_gives_what_a_file_gives(tmp_path, config, case):
    task, arguments = IN_MEMORY[case]
    settings = SETTINGS.get("language_model" if "token_names" in arguments else task, {})
    quadgate.save_dataset(tmp_path / "file.h5", task, **arguments)
    files = quadgate.train(config, data=tmp_path / "file.h5", output={"dir": tmp_path / "files"}, **settings)
    ours = quadgate.train(config, data={"task": task, **arguments}, **settings)
    with h5py.File(ours.last) as a, h5py.File(files.last) as b:
        for group in ("model", "training"):
            assert a[group].attrs.keys() == b[group].attrs.keys()
            for name in a[group].attrs.keys() - {"run_file", "last_metrics"}:
                assert numpy.array_equal(a[group].attrs[name], b[group].attrs[name]), name
    expect_same_run(ours.run_dir, files.run_dir, [path.name for path in {files.best, files.last}])


def test_columns_may_have_any_name_and_frames_stand_beside_arrays(tmp_path, config):
    names = ["_mask", "detach"]
    settings = SETTINGS["forecast"]
    named = quadgate.train(config, data=pandas.DataFrame(SERIES, columns=names), threads=0, **settings)
    plain = quadgate.train(config, data=SERIES, output={"dir": tmp_path / "plain"}, **settings)
    expect_same_run(named.run_dir, plain.run_dir, ())
    mixed = [FRAMES[0], FRAMES[1].to_numpy(), *FRAMES[2:]]
    quadgate.train(config, data=(mixed, LABELS[: len(mixed)]), output={"dir": tmp_path / "mixed"})


def test_a_tensor_data_set_is_its_tensors(tmp_path, config):
    x, y = torch.tensor(CUBE), torch.tensor(LABELS)
    ours = quadgate.train(config, data={"train": TensorDataset(x, y), "valid": TensorDataset(x[:9], y[:9])})
    pairs = {"train": (x, y), "valid": (x[:9], y[:9])}
    expect_same_run(ours.run_dir, quadgate.train(config, data=pairs, output={"dir": tmp_path / "pairs"}).run_dir)
    assert quadgate.evaluate(ours, TensorDataset(x, y)) == quadgate.evaluate(ours, (x, y))
    answer = quadgate.predict(ours, TensorDataset(x))
    assert numpy.array_equal(answer["logits"], quadgate.predict(ours, x)["logits"])


@pytest.mark.parametrize("dtype", ["f4", "f8"])
def test_arrays_stay_where_they_are(monkeypatch, config, dtype):
    x = torch.from_numpy(CUBE.astype(dtype))
    file = quadgate._memory.File()
    quadgate.dataset.fill(file, "classification", (x, LABELS))
    assert numpy.shares_memory(file["train/x"], x.numpy())
    monkeypatch.setattr("tempfile.TemporaryDirectory", None)
    quadgate.train(config, data=(x, LABELS))


def test_threads_and_resumed_runs_have_their_own_data(tmp_path, config):
    def run(i):
        quadgate.train(config, data=(CUBE[i:], LABELS[i:]), output={"dir": tmp_path / str(i)}, threads=1)

    threads = [threading.Thread(target=run, args=(i,)) for i in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for i in range(3):
        quadgate.save_dataset(tmp_path / "file.h5", "classification", (CUBE[i:], LABELS[i:]))
        files = quadgate.train(config, data=tmp_path / "file.h5", output={"dir": tmp_path / f"files {i}"})
        expect_same_run(tmp_path / str(i), files.run_dir, ("checkpoint.h5",))
    with pytest.raises(ValueError, match="^data: not the data that .* was trained on"):
        quadgate.train(config, data=(CUBE[1:], LABELS[1:]), output={"dir": tmp_path / "0"}, resume=True)
    quadgate.train(config, data=(CUBE, LABELS), output={"dir": tmp_path / "0"}, resume=True, train={"epochs": 6})
    whole = quadgate.train(config, data=(CUBE, LABELS), output={"dir": tmp_path / "whole"}, train={"epochs": 6})
    expect_same_run(tmp_path / "0", whole.run_dir, ("checkpoint.h5",))


@pytest.mark.parametrize("x, y, task", [
    (numpy.stack([row[:3] for row in ROWS]), LABELS, "classification"),
    (numpy.stack([row[:3] for row in ROWS]), ["no" if y else "yes" for y in LABELS], "classification"),
    (ROWS, LABELS / 2, "regression"),
    (ROWS, pandas.DataFrame({"a": LABELS / 2, "b": LABELS / 3}), "regression"),
    (ROWS, [(row[:, 0] > 0).astype(int) for row in ROWS], "tagging"),
    (numpy.stack([row[:3] for row in ROWS]), numpy.stack([row[:3, 0] > 0 for row in ROWS]), "tagging"),
    (torch.tensor(numpy.stack([row[:3] for row in ROWS])).bfloat16(), LABELS, "classification"),
    (torch.ones(60, 4, 3).to(torch.float8_e4m3fn), LABELS, "classification"),
    (torch.complex(*2 * [torch.tensor(CUBE)]).conj().imag, LABELS, "classification"),
    (SERIES, None, "forecast"),
    (pandas.Series(SERIES[:, 0]), None, "forecast"),
    (SERIES[:, 0], None, "forecast"),
    (tuple(torch.tensor(CUBE)), tuple(torch.tensor(LABELS)), "classification"),
    (pandas.DataFrame(SERIES, columns=["a", "b"]), None, "forecast"),
])  # fmt: skip
def test_the_task_follows_from_the_data(tmp_path, config, x, y, task):
    window = {"input_len": 8, "horizon": 3} if task == "forecast" else {}
    result = quadgate.train(config, data=x if y is None else (x, y), train={"epochs": 1},
                            **{f"data.{key}": value for key, value in window.items()})  # fmt: skip
    assert result.best == result.last  # there is no valid split
    with h5py.File(result.last) as file:
        found = file["model"].attrs
        assert ("forecast" if "horizon" in found else found["task"]) == task
        if isinstance(x, pandas.DataFrame):
            assert list(found["feature_names"]) == ["a", "b"]
    metric = {"regression": "mse", "forecast": "mase"}.get(task, "accuracy")
    assert metric in quadgate.evaluate(result, x if y is None else (x, y))
    answer = quadgate.predict(result, x)
    if task == "forecast":
        assert answer["prediction"].shape == (1, 3, x[:1].size)
        windows = quadgate.predict(result, x, windows=True)
        assert windows["prediction"].shape == windows["truth"].shape == (120 - 8 - 3 + 1, 3, x[:1].size)


@pytest.mark.parametrize("standardize", [False, True])
def test_predictions_are_the_modules_outputs(tmp_path, config, standardize):
    x = 5 + 3 * numpy.stack([row[:3] for row in ROWS])
    split = {"train": (x, LABELS), "valid": (x, LABELS), "standardize": standardize}
    result = quadgate.train(config, data=split)
    model = result.model()
    with torch.no_grad():
        logits = model(model.standardize(torch.from_numpy(x)))
    answer = quadgate.predict(result, x)
    assert numpy.abs(answer["logits"] - logits.numpy()).max() < 1e-5
    assert (answer["predicted"] == logits.numpy().argmax(1)).all()


BAD = [
    (dict(train={"lr": -1}), ValueError, "config: train.lr: expected a finite number, at least 0, found -1"),
    (dict(train={"rate": 1}), ValueError, "config: unknown key 'train.rate'"),
    (dict(model={"hidden_size": None}), ValueError, "config: model.hidden_size: expected .*no such key"),
    (dict(model={"cell": object()}), ValueError, "cell: expected a value of a run file, found object"),
    (dict(data="missing.h5"), OSError, "missing.h5: No such file"),
    (dict(data={"valid": 1}), ValueError, "data: expected a train split, found valid"),
    (dict(data=(numpy.zeros((4, 3)), LABELS[:4])), ValueError,
     r"train: expected sequences of shape \[T, I\], found \(3,\) as number 0"),
    (dict(data=([ROWS[0], ROWS[1][:, :2]], [0, 1])), ValueError,
     r"train: expected sequences of shape \[T, 3\], found \(.*, 2\) as number 1"),
    (dict(data=(ROWS, LABELS[:5])), ValueError, "train: expected 60 targets, one a sequence, found 5"),
    (dict(data=(FRAMES[0], LABELS)), ValueError, "train: expected an array .*found a frame"),
    (dict(data=pandas.DataFrame({"date": ["x", "y"], "a": [1, 2]})), ValueError,
     "train: column 'date': expected numbers, found str"),
    (dict(data=([row * numpy.nan for row in ROWS], LABELS)), ValueError,
     "^data: dataset 'train/x' row 0: not finite"),
    (dict(data={"train": (CUBE * numpy.inf, LABELS), "standardize": True}), ValueError,
     "^train: expected finite numbers, found .*inf in column 0"),
    (dict(resume=True), OSError, "run: nothing to resume"),
    (dict(data=(CUBE + 1j, LABELS)), ValueError, "^train: expected real numbers, found complex128"),
    (dict(data=SERIES + 1j), ValueError, "^train: expected real numbers, found complex128"),
    (dict(data={"train": (CUBE, LABELS), "class_names": ["a", "b\0c"]}), ValueError, "without a null"),
    (dict(data={"train": (CUBE, LABELS), "compression": "gzip"}), ValueError, "compression: expected none"),
    (dict(threads=5000), ValueError, "threads: expected"),
    (dict(threads=1.5), ValueError, "threads: expected an integer, at least 0, found 1.5"),
    (dict(resume="no"), ValueError, "resume: expected True or False, found 'no'"),
    (dict(progress="no"), ValueError, "progress: expected True or False, found 'no'"),
    (dict(callbacks=[print, 3]), TypeError, "callbacks: expected functions, found int"),
    (dict(model={1: 2}), ValueError, "config: expected keys that are text, found 1"),
    (dict(model={"cell": "\ud800"}), ValueError, r"config: expected text that UTF-8 can hold, found '\\ud800'"),
    (dict(train={"lr": 1j}), ValueError, "^train.lr: expected a value of a run file, found complex"),
]  # fmt: skip


@pytest.mark.parametrize("arguments, error, message", BAD, ids=range(len(BAD)))
def test_wrong_input_is_named(tmp_path, config, arguments, error, message):
    with pytest.raises(error, match=message):
        quadgate.train(config, **arguments)
    assert not (tmp_path / "run").exists()


PAIRS = TensorDataset(torch.tensor(CUBE), torch.tensor(LABELS))
PACKED = pack_sequence(list(torch.tensor(CUBE)))
NO_TENSOR = "expected a dense tensor of numbers in memory, found a "
NO_NUMBERS = "^train: expected real numbers, found "
TEXT = CUBE.astype(str)
NOT_DATA = [
    ((torch.empty(60, 4, 3, device="meta"), LABELS), f"^train: {NO_TENSOR}Tensor of torch.float32, .* on meta"),
    ((CUBE, torch.empty(60, device="meta")), f"^train: targets: {NO_TENSOR}Tensor .* on meta"),
    (torch.tensor(SERIES).to_sparse(), f"^train: {NO_TENSOR}Tensor of torch.float64, torch.sparse_coo"),
    ((torch.zeros(60, 4, 3, dtype=torch.uint8).view(torch.bits8), LABELS), f"^train: {NO_TENSOR}Tensor of torch.bits8"),
    ((TEXT, LABELS), NO_NUMBERS + "<U32"),
    ((TEXT.astype(object), LABELS), NO_NUMBERS + "str"),
    (([row.astype(str).tolist() for row in ROWS], LABELS), NO_NUMBERS + "<U"),
    ({"train": (CUBE, TEXT[:, 0, 0]), "task": "regression"}, "^train: targets: expected real .*<U32"),
    (SERIES.astype("M8[s]"), NO_NUMBERS + "datetime64"),
    ((numpy.full((60, 4, 3), numpy.datetime64("2020")).astype(object), LABELS), NO_NUMBERS + "date"),
    (numpy.ma.masked_less(SERIES, 0), "^train: expected no masked values, found "),
    ([numpy.ma.masked_less(row, 0) for row in SERIES], "^train: expected no masked values, found "),
    ((numpy.array([[[numpy.timedelta64(3, "s"), 1]] * 4] * 60, object), LABELS), NO_NUMBERS + "timedelta64"),
    ((CUBE, numpy.ma.masked_equal(LABELS, 0)), "^train: targets: expected no masked values, found "),
    (([[[1, 2], [1]]] * 60, LABELS), "^train: expected an array, found a list whose parts differ in shape"),
    (pandas.DataFrame(SERIES, columns=["a", "a"]), "^train: expected each column once, found two called 'a'"),
    (([frame.set_axis(list("aab"), axis=1) for frame in FRAMES], LABELS), "^train: expected each column once"),
    (([FRAMES[0], FRAMES[1][list("acb")]], [0, 1]), r"^train: expected columns \['a', 'b', 'c'\].* number 1"),
    ({"train": (FRAMES, LABELS), "valid": ([FRAMES[0][list("acb")]], [0])}, "^valid: expected columns .*found"),
    ((None, LABELS), "^train: expected sequences, found NoneType"),
    ((CUBE, 3), "^train: expected targets, one a sequence, found int"),
    ({"train": (CUBE, LABELS), "valid": CUBE}, r"^valid: expected a pair \(x, y\), found ndarray"),
    ({"train": SERIES, "valid": SERIES}, "^valid: expected none, .* valid_fraction"),
    ({"train": SERIES, "valid_fraction": 2}, "^valid_fraction: expected a number from 0 to 1, found 2"),
    ({"train": (CUBE, LABELS), "valid_fraction": 0.2}, "^valid_fraction: expected none but for a forecast, found 0.2"),
    ({"train": (CUBE, LABELS), "validation": 1}, "^data: expected some of task, train, .*, found 'validation'"),
    ({"train": None, "valid": (CUBE, LABELS)}, "^data: expected a train split, found valid"),
    (list(PAIRS), r"^train: expected a pair .x, y., found a list of pairs"),
    (tuple(PAIRS), r"^train: expected a pair .x, y., found a tuple of pairs"),
    (TensorDataset(), "^train: expected a TensorDataset of one or two tensors, found 0"),
    (TensorDataset(*[torch.tensor(CUBE)] * 3), "^train: expected a TensorDataset of one or two tensors, found 3"),
    (DataLoader(PAIRS), "^train: expected arrays or lists of its items, found a DataLoader"),
    ((DataLoader(PAIRS), LABELS), "^train: expected arrays or lists of its items, found a DataLoader"),
    ({"train": Subset(PAIRS, [1, 2])}, "^train: expected arrays or lists of its items, found a Subset"),
    ({"train": (CUBE, LABELS), "valid": (PACKED, LABELS)}, "^valid: .*found a PackedSequence .unpack_sequence"),
    ({"train": (CUBE, LABELS), "class_names": "ab"}, "^class_names: expected a list, found 'ab'"),
]  # fmt: skip


@pytest.mark.parametrize("split, message", NOT_DATA, ids=range(len(NOT_DATA)))
def test_what_is_no_data_is_named(config, split, message):
    with pytest.raises(ValueError, match=message):
        quadgate.train(config, data=split)


def test_wrong_run_files_are_named(tmp_path, config):
    (tmp_path / "bad.toml").write_text("[data\n")
    with pytest.raises(ValueError, match="bad.toml: expected TOML: .*line 1"):
        quadgate.train(tmp_path / "bad.toml")
    with pytest.raises(TypeError, match="config: expected a mapping or a path, found int"):
        quadgate.train(5)
    with pytest.raises(OSError, match="none.toml"):
        quadgate.train(tmp_path / "none.toml")
    quadgate.train(config)
    with pytest.raises(OSError, match=r"already holds a run .* or resume=True$"):
        quadgate.train(config)


def test_sequences_of_two_steps_are_no_pairs(tmp_path, config):
    steps = [(row[0], row[1]) for row in CUBE]
    pairs = {"train": (steps, LABELS), "valid": (steps[:9], LABELS[:9])}
    result = quadgate.train(config, data=pairs)
    pairs = {"train": (CUBE[:, :2], LABELS), "valid": (CUBE[:9, :2], LABELS[:9])}
    arrays = quadgate.train(config, data=pairs, output={"dir": tmp_path / "arrays"})
    expect_same_run(result.run_dir, arrays.run_dir)
    assert (quadgate.predict(result, steps)["logits"] == quadgate.predict(arrays, CUBE[:, :2])["logits"]).all()


def test_wrong_data_of_a_model_are_named(tmp_path, config):
    result = quadgate.train(config)
    with pytest.raises(ValueError, match="^data: features: the model expects 3 .*, found 2"):
        quadgate.predict(result, [row[:, :2] for row in ROWS])
    with pytest.raises(ValueError, match=r"data: expected a pair \(x, y\), found one value"):
        quadgate.evaluate(result, ROWS)
    with pytest.raises(ValueError, match="labels: expected from 0 to 1, found 2"):
        quadgate.evaluate(result, (ROWS, LABELS + 1))
    with pytest.raises(ValueError, match="^data: expected sequences, found NoneType"):
        quadgate.predict(result, (None, LABELS))
    with pytest.raises(ValueError, match="^data: expected arrays, found a dict"):
        quadgate.evaluate(result, {"test": (ROWS, LABELS)})
    with pytest.raises(ValueError, match="^split: expected text, found 3"):
        quadgate.predict(result, ROWS, split=3)
    with pytest.raises(TypeError, match="model: expected a Result or the path of a checkpoint, .*found a Model"):
        quadgate.predict(result.model(), ROWS)
    with pytest.raises(OSError, match="none.h5"):
        quadgate.predict(tmp_path / "none.h5", ROWS)
    (tmp_path / "text.h5").write_text("no checkpoint")
    with pytest.raises(OSError, match="text.h5: expected an HDF5 file"):
        quadgate.predict(tmp_path / "text.h5", ROWS)
