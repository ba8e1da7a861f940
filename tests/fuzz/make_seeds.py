#!/usr/bin/env python3
"""Makes the seeds of the fuzz targets, from which libFuzzer begins: small files of every kind that
each reader knows, by the programs that write them.

    scripts/setup --peers
    build/peers/bin/python tests/fuzz/make_seeds.py build/release/bin/quadgate
"""

import gzip
import io
import os
import pathlib
import subprocess
import sys
import tempfile
import zipfile

os.environ["KERAS_BACKEND"] = "torch"

import h5py
import keras
import numpy
import onnx
import safetensors.torch
import torch

FUZZ = pathlib.Path(__file__).resolve().parent
GOLDEN = FUZZ.parent / "golden"
QUADGATE = pathlib.Path(sys.argv[1]).resolve()

RUN = """[data]
path = "data.h5"
[model]
hidden_size = 2
[train]
epochs = 1
batch_size = 2
optimizer = "rmsprop"
threads = 1
checkpoint_every_steps = 1
[output]
dir = "run"
"""


def quadgate(*arguments):
    subprocess.run([QUADGATE, *arguments], check=True, stdout=subprocess.DEVNULL)


def seed(target, name, content):
    """Writes a seed, which is bytes or text."""
    path = FUZZ / "seeds" / target / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.encode() if isinstance(content, str) else content)


def parts(*contents):
    """As take_part of fuzz_file.h takes them, the last one without its length."""
    *sized, last = contents
    return b"".join(len(part).to_bytes(2, "little") + part for part in sized) + last


def old_hdf5(path):
    """The file in the oldest format of HDF5, without a checksum, which would hide most changes."""

    def copy(source, target):
        for name, value in source.attrs.items():
            if name == "checksum":
                continue
            target.attrs.create(name, value, dtype=source.attrs.get_id(name).dtype)
        for name, item in source.items() if isinstance(source, h5py.Group) else ():
            if isinstance(item, h5py.Group):
                copy(item, target.create_group(name))
            elif item.id in known:
                target[name] = known[item.id]  # the one x of a forecast
            else:
                known[item.id] = target.create_dataset(
                    name, data=item[()], dtype=item.dtype, chunks=item.chunks, compression=item.compression)
                copy(item, known[item.id])

    memory, known = io.BytesIO(), {}
    with h5py.File(path) as source, h5py.File(memory, "w", libver="earliest") as target:
        copy(source, target)
    return memory.getvalue()


def layers(**modules):
    """The state_dict of a model of these layers."""
    return torch.nn.ModuleDict(modules).state_dict()


def torch_bytes(tensors):
    memory = io.BytesIO()
    torch.save(tensors, memory)
    return memory.getvalue()


def seed_torch(name, content):
    seed("torch_file", name, content)
    with zipfile.ZipFile(io.BytesIO(content)) as file:
        pickle = next(member for member in file.namelist() if member.endswith("data.pkl"))
        seed("torch_pickle", name.replace(".pt", ".pkl"), file.read(pickle))


class Tagged(torch.nn.Module):
    """Nodes around a recurrent layer that only arrange."""

    def __init__(self, pooling):
        super().__init__()
        self.pooling = pooling
        self.words = torch.nn.Embedding(3, 2)
        self.rnn = torch.nn.LSTM(2, 1, bidirectional=True, batch_first=True)
        self.fc = torch.nn.Linear(2, 2)

    def forward(self, x):
        y, (h_n, _) = self.rnn(self.words(x))
        if self.pooling == "state":
            return self.fc(torch.cat([h_n[-2], h_n[-1]], 1))
        return self.fc(y[:, -1] if self.pooling == "last" else y.mean(1))


def exported(module, dynamo):
    """What PyTorch exports, without the places in its sources."""
    x = torch.zeros(2, 3, dtype=torch.int64)
    torch.onnx.export(module.eval(), (x,), "model.onnx", dynamo=dynamo, opset_version=18)
    model = onnx.load("model.onnx")
    for part in (model.graph, *model.graph.node, *model.graph.value_info, *model.graph.input,
                 *model.graph.output, *model.graph.initializer):  # fmt: skip
        part.ClearField("doc_string")
        part.ClearField("metadata_props")
    return model.SerializeToString()


def make_models():
    """A trained model in the formats of all programs, and models that they wrote."""
    pathlib.Path("data.h5").write_bytes((GOLDEN / "dataset_v1_tagging.h5").read_bytes())
    pathlib.Path("run.toml").write_text(RUN)
    quadgate("train", "run.toml", "--set", "model.embedding_size=2", "--quiet")
    seed("run_file", "resolved.toml", pathlib.Path("run/run.toml").read_bytes())
    for extension in ("pt", "safetensors", "onnx", "weights.h5", "h5"):
        quadgate("export", "run/checkpoint.h5", "-o", f"model.{extension}")
    seed_torch("quadgate.pt", pathlib.Path("model.pt").read_bytes())
    seed("safetensors", "quadgate.safetensors", pathlib.Path("model.safetensors").read_bytes())
    seed("onnx_model", "quadgate.onnx", pathlib.Path("model.onnx").read_bytes())
    seed("keras_file", "quadgate.weights.h5", old_hdf5("model.weights.h5"))
    seed("state_dict", "model.h5", old_hdf5("model.h5"))
    seed("checkpoint", "tagger.h5", old_hdf5("run/checkpoint.h5"))
    seed("checkpoint", "golden.h5", old_hdf5(GOLDEN / "checkpoint_v1.h5"))

    torch.manual_seed(1)
    keras.utils.set_random_seed(1)
    lstm = layers(rnn=torch.nn.LSTM(2, 2, bidirectional=True, proj_size=1))
    gru = layers(encoder=torch.nn.GRU(2, 1, num_layers=2), head=torch.nn.Linear(1, 2))
    conv = layers(conv=torch.nn.Conv1d(1, 2, 3), rnn=torch.nn.RNN(2, 1), head=torch.nn.Linear(1, 1))
    for name, tensors, dtype in (("lstm", lstm, torch.float16), ("gru", gru, torch.bfloat16),
                                 ("conv", conv, torch.float64)):  # fmt: skip
        tensors = {key: tensor.to(dtype) for key, tensor in tensors.items()}
        seed_torch(f"{name}.pt", torch_bytes(tensors))
        seed("safetensors", f"{name}.safetensors", safetensors.torch.save(tensors))
    seed_torch("parameters.pt", torch_bytes(dict(torch.nn.GRU(1, 1).named_parameters())))
    tied = torch.nn.Embedding(2, 2)
    model = layers(embedding=tied, rnn=torch.nn.LSTM(2, 2), head=torch.nn.Linear(2, 2))
    model["head.weight"] = model["embedding.weight"]
    model["head.bias"] = torch.zeros(1).expand(2)
    seed_torch("training.pt", torch_bytes({"epoch": 1, "model_state_dict": model}))

    for name, module in (("lstm", torch.nn.LSTM(2, 1, bidirectional=True)), ("gru", torch.nn.GRU(2, 1)),
                         ("tanh", torch.nn.RNN(2, 1))):  # fmt: skip
        torch.onnx.export(module, torch.zeros(1, 1, 2), "model.onnx", dynamo=False)
        seed("onnx_model", f"{name}.onnx", pathlib.Path("model.onnx").read_bytes())
    for pooling in ("last", "state", "mean"):
        for dynamo in (False, True):
            name = f"{pooling}-{'dynamo' if dynamo else 'script'}.onnx"
            seed("onnx_model", name, exported(Tagged(pooling), dynamo))

    for name, recurrent in (("lstm", keras.layers.LSTM(1)), ("gru", keras.layers.GRU(1))):
        model = keras.Sequential([
            keras.layers.Input((None,)), keras.layers.Embedding(2, 1),
            keras.layers.Bidirectional(recurrent), keras.layers.Dense(1)])  # fmt: skip
        model.save_weights("keras.weights.h5")
        seed("keras_file", f"{name}.weights.h5", old_hdf5("keras.weights.h5"))
        seed("keras_config", f"{name}.json", model.to_json())
    start = keras.Input((6, 2))
    y = keras.layers.Conv1D(2, 3, padding="same", activation="relu")(start)
    y = keras.layers.SimpleRNN(2, return_sequences=True)(keras.layers.MaxPooling1D(2)(y))
    y = keras.layers.Dense(1, activation="sigmoid")(keras.layers.GlobalMaxPooling1D()(y))
    seed("keras_config", "functional.json", keras.Model(start, y).to_json())


TEXT = "ab ba\ncab é 蛋糕\n"
CSV = {
    "points.csv": "date,level,flow\n2020-01-01,1,2.5\n2020-01-02,,-3e2\n2020-01-03,4,NA\n",
    "commas.csv": '"time";"a ""b""";"c"\n01.02.2020 10:00;1,5;2\n01.02.2020 11:00;2,5;3\n',
    "groups.csv": "group\ttime\tx\na\t2020-01-01T00:00:00Z\t1\nb\t2020-01-01T00:00:00+01:00\t2\n"
                  "a\t2021-01-01T00:00:00.5Z\t3\n",
    "bare.csv": "1,2,3\r\n4,5,6\r\n",
    "excel.csv": 'sep=;\nday;"a, b";b\n2.1.20;"1.234,5";12\n3.1.20;-7;8\n',
    "epochs.csv": "time,at,x\n1577836800000,1,1\n1577836860000,2,\"12,000\"\n",
}  # fmt: skip
TS = {
    "labelled.ts": "#a comment\n@problemName x\n@timeStamps false\n@univariate false\n@dimensions 2\n"
                   "@classLabel true no yes\n@data\n1,2:3,4:no\n5,6,7:8,9,10:yes\n",
    "equal.ts": "@equalLength true\n@seriesLength 2\n@missing false\n@classLabel true a\n@data\n"
                "1,2.5e3:a\n-3,+4:a\n",
    "times.ts": "@timeStamps true\n@missing true\n@classLabel\tfalse\n@targetLabel true\n@data\n"
                "(0,1),(1,?):(0,2.5),(1,3):0.5\n(0,-1):(0,4):1\n",
    "series.tsf": "@relation x\n@attribute series_name string\n@attribute start_timestamp date\n"
                  "@frequency daily\n@horizon 2\n@missing true\n@equallength false\n@data\n"
                  "T1:2020-01-01 00-00-00:1,?,2.5\nT2:2020-01-02 00-00-00:-4,5e1\n",
}  # fmt: skip
CONLLU = (
    "# text = we've eaten\n1-2\twe've\t_\t_\t_\t_\t_\t_\t_\t_\n1\twe\t_\tPRON\t_\t_\t_\t_\t_\t_\n"
    "2\t've\t_\tAUX\t_\t_\t_\t_\t_\t_\n2.1\tit\t_\tPRON\t_\t_\t_\t_\t_\t_\n\n"
    "1\t蛋糕\t_\tNOUN\t_\t_\t_\t_\t_\tSpaceAfter=No\n\n"
)


def make_texts():
    for target, name, text in (("plain_text", "text.txt", TEXT), ("conllu", "words.conllu", CONLLU),
                               *(("csv", *item) for item in CSV.items()),
                               *(("ts", *item) for item in TS.items())):  # fmt: skip
        seed(target, name, text)
        seed(target, name + ".gz", gzip.compress(text.encode(), mtime=0))
    images = numpy.arange(8, dtype="u1").reshape(2, 2, 2)
    idx = (b"\0\0\x08\x03" + numpy.array(images.shape, ">i4").tobytes() + images.tobytes(),
           b"\0\0\x08\x01" + numpy.array(2, ">i4").tobytes() + b"\1\0")  # fmt: skip
    seed("idx", "plain", parts(*idx))
    seed("idx", "gzipped", parts(*(gzip.compress(part, mtime=0) for part in idx)))
    for name in ("ett_forecast/lstm", "ett_forecast/cnn_lstm", "shakespeare/run", "tagging/run"):
        example = FUZZ.parents[1] / "examples" / f"{name}.toml"
        seed("run_file", name.replace("/", "-") + ".toml", example.read_bytes())


def npy(array):
    memory = io.BytesIO()
    numpy.save(memory, array)
    return memory.getvalue()


ARRAYS = {
    "classes": {"x": numpy.arange(6.0).reshape(2, 3), "y": numpy.array(["ja", "é"])},
    "tags": {"x": numpy.arange(6, dtype="f4"), "offsets": numpy.array([0, 2, 6]),
             "y": numpy.arange(6, dtype="u1")},
    "values": {"x": numpy.ones((2, 2, 1), "f2"), "y": numpy.ones((2, 2), "f4")},
    "series": {"x": numpy.arange(6, dtype="i2").reshape(3, 2),
               "feature_names": numpy.array(["a", "b"])},
}  # fmt: skip


def make_arrays():
    """Files of NumPy, and the arrays in them, which the zip file's checksums hide; data sets."""
    for name, arrays in ARRAYS.items():
        memory = io.BytesIO()
        (numpy.savez_compressed if name == "tags" else numpy.savez)(memory, **arrays)
        seed("npz", f"{name}.npz", memory.getvalue())
        others = [arrays.get(key, numpy.array([0])) for key in ("y", "offsets")]
        seed("npy", name, parts(npy(others[0]), npy(others[1]), npy(arrays["x"])))
        numpy.savez("data.npz", **arrays)
        task = ("--valid-fraction", "0.5") if name != "tags" else ()
        quadgate("prepare", "npz", "data.npz", "-o", "data.h5", *task)
        seed("dataset", f"{name}.h5", old_hdf5("data.h5"))
    pathlib.Path("groups.csv").write_text("group,x\n" + "".join(f"{i % 2},{i}\n" for i in range(20)))
    quadgate("prepare", "csv", "groups.csv", "--group", "group", "--gzip", "-o", "data.h5")
    seed("dataset", "groups.h5", old_hdf5("data.h5"))
    for path in GOLDEN.glob("dataset_v*_*.h5"):
        seed("dataset", path.name.removeprefix("dataset_").removeprefix("v1_"), old_hdf5(path))


with tempfile.TemporaryDirectory() as folder:
    os.chdir(folder)
    make_models()
    make_texts()
    make_arrays()
