# Sweeps: state_dicts as training scripts, Lightning, wrappers of modules and safetensors write them,
# and modules whose part names or shapes leave open. Tolerance: none on weights, which are moved
# only; 1e-5 on outputs.

import argparse
import json
import re

import h5py
import numpy
import pandas
import pytest
import torch
from torch import nn

from imported import attributes, imported, outputs, refused
from support import evaluate, quadgate, state_dict, train


def modules(rnn, **more):
    return nn.ModuleDict({**more, "rnn": rnn} if "first" in more else {"rnn": rnn, **more})


def saved(folder, content, name="m.pt"):
    torch.save(content, folder / name)
    return folder / name


def same(checkpoint, module, head="fc"):
    found = state_dict(checkpoint)
    assert torch.equal(found["head.weight"], module[head].weight.float())
    for name, tensor in module["rnn"].state_dict().items():
        assert torch.equal(found[f"rnn.{name}"], tensor.float())


@pytest.mark.parametrize("key", ["model_state_dict", "state_dict", "model", "net"])
def test_a_state_dict_in_a_training_checkpoint(tmp_path, key):
    model = modules(nn.LSTM(3, 8), fc=nn.Linear(8, 2))
    optimizer = torch.optim.Adam(model.parameters())
    model["fc"](model["rnn"](torch.zeros(2, 1, 3))[0]).sum().backward()
    optimizer.step()
    content = {"epoch": 3, key: model.state_dict(), "optimizer": optimizer.state_dict(), "loss": 0.5,
               "random": torch.get_rng_state(), "options": argparse.Namespace(lr=0.1)}  # fmt: skip
    checkpoint, said = imported(saved(tmp_path, content), tmp_path)
    same(checkpoint, model)
    assert f"left out beside '{key}': 'epoch', 'optimizer', 'loss', 'random', 'options'" in said


def test_what_lightning_saves(tmp_path):
    model = modules(nn.GRU(3, 8), fc=nn.Linear(8, 2))
    content = {"epoch": 1, "global_step": 2**40, "pytorch-lightning_version": "2.5.0",
               "state_dict": {f"model.{k}": v for k, v in model.state_dict().items()},
               "loops": {"fit_loop": {"state_dict": {}}}, "callbacks": {"Best": {"dirpath": None}},
               "optimizer_states": [{"state": {0: {"step": torch.tensor(1.0)}}}],
               "hyper_parameters": {"sizes": {3, 8}, "raw": b"\0" * 300}}  # fmt: skip
    checkpoint, said = imported(saved(tmp_path, content, "last.ckpt"), tmp_path)
    same(checkpoint, model)
    assert "'hyper_parameters'" in said


def test_two_state_dicts_are_not_one(tmp_path):
    rnn, head = nn.LSTM(3, 8), nn.Linear(8, 2)
    file = saved(tmp_path, {"encoder": rnn.state_dict(), "head": head.state_dict()})
    assert "'encoder' and 'head'" in refused(file, tmp_path)
    file = saved(tmp_path, {**rnn.state_dict(), "head": head.state_dict()})
    assert "'head' and 'weight_ih_l0'" in refused(file, tmp_path)


def test_a_module_instead_of_its_state_dict(tmp_path):
    file = saved(tmp_path, nn.LSTM(3, 8))
    assert "'torch.nn.modules.rnn.LSTM', which is not run" in refused(file, tmp_path)


def test_names_that_wrappers_put_in_front(tmp_path):
    model = modules(nn.LSTM(3, 8), fc=nn.Linear(8, 2))
    for wrapped in (nn.DataParallel(model), torch.optim.swa_utils.AveragedModel(model)):
        checkpoint, said = imported(saved(tmp_path, wrapped.state_dict()), tmp_path)
        same(checkpoint, model)
        assert ("left out, as whole numbers that are no weights: 'n_averaged'" in said) == (
            "n_averaged" in wrapped.state_dict()
        )
    names = {f"model._orig_mod.{k}": v for k, v in model.state_dict().items()}
    same(imported(saved(tmp_path, names), tmp_path, "--map", "fc=head")[0], model)


def test_weights_that_would_be_lost(tmp_path):
    model = modules(nn.LSTM(3, 8), bn=nn.BatchNorm1d(8), fc=nn.Linear(8, 2))
    file = saved(tmp_path, model.state_dict())
    assert "'bn.running_mean'" in refused(file, tmp_path)
    checkpoint, said = imported(file, tmp_path, "--map", "bn=none")
    same(checkpoint, model)
    assert "left out, as told: 'bn.weight', 'bn.bias', 'bn.running_mean'" in said


def test_expanded_and_whole_numbers(tmp_path):
    model = modules(nn.GRU(3, 8), fc=nn.Linear(8, 2))
    state = model.state_dict()
    state["rnn.bias_ih_l0"] = torch.full((1,), -0.5).expand(24)
    state["fc.weight"] = torch.randn(1, 8).expand(2, 8)
    state["fc.bias"] = torch.tensor([3, -7])
    model.load_state_dict(state)
    checkpoint, said = imported(saved(tmp_path, state), tmp_path)
    same(checkpoint, model)
    assert torch.equal(state_dict(checkpoint)["head.bias"], torch.tensor([3.0, -7.0]))
    assert "took whole numbers as they are for 'head.bias'" in said


@pytest.mark.parametrize("weight", ["embedded", "out"])
def test_a_tied_weight_that_safetensors_saves_once(tmp_path, weight):
    safetensors = pytest.importorskip("safetensors.torch", reason="NOT TESTED: no safetensors")
    model = modules(nn.LSTM(6, 6, batch_first=True), embedded=nn.Embedding(11, 6),
                    out=nn.Linear(6, 11))  # fmt: skip
    model["out"].weight = model["embedded"].weight
    safetensors.save_model(model, tmp_path / "m.safetensors")
    checkpoint, _ = imported(tmp_path / "m.safetensors", tmp_path)
    assert attributes(checkpoint)["tie_weights"] == 1
    tokens = torch.arange(11).reshape(1, 11)
    expected = model["out"](model["rnn"](model["embedded"](tokens))[0])
    assert (outputs(checkpoint, tokens, True) - expected).abs().max() < 1e-5
    assert torch.equal(state_dict(checkpoint)["head.weight"], model[weight].weight)


@pytest.mark.parametrize("names", [("encoder", "decoder"), ("a", "b"), ("wte", "lm_head")])
def test_a_tied_weight_that_is_in_the_file_under_one_name(tmp_path, names):
    """As save_pretrained of transformers writes it."""
    embedding, head = names
    model = modules(nn.LSTM(6, 6, batch_first=True), **{embedding: nn.Embedding(11, 6), head: nn.Linear(6, 11)})
    model[head].weight = model[embedding].weight
    state = {k: v for k, v in model.state_dict().items() if k != f"{head}.weight"}
    checkpoint, said = imported(saved(tmp_path, state), tmp_path)
    assert f"assumed: '{head}.bias' is of a head whose weight is the embedding's" in said
    assert attributes(checkpoint)["tie_weights"] == 1
    tokens = torch.arange(11).reshape(1, 11)
    expected = model[head](model["rnn"](model[embedding](tokens))[0])
    assert (outputs(checkpoint, tokens, True) - expected).abs().max() < 1e-5


def test_what_a_trainer_keeps_beside_the_model_is_left_out_as_told(tmp_path):
    model = modules(nn.GRU(3, 8, batch_first=True), fc=nn.Linear(8, 2))
    state = {**model.state_dict(), "criterion.weight": torch.ones(2), "scale": torch.tensor(2.0)}
    file = saved(tmp_path, state).rename(tmp_path / "checkpoint.pth.tar")
    assert "'criterion.weight' (--map NAME=none leaves out" in refused(file, tmp_path)
    checkpoint, said = imported(file, tmp_path, "--map", "criterion=none", "--map", "scale=none")
    same(checkpoint, model)
    assert "left out, as told: 'criterion.weight', 'scale'" in said


def test_one_of_two_models_in_a_file(tmp_path):
    model = modules(nn.GRU(3, 8, batch_first=True), fc=nn.Linear(8, 2))
    state = {f"{of}.{k}": v * by for of, by in (("student", 1), ("teacher", 2))
             for k, v in model.state_dict().items()}  # fmt: skip
    file = saved(tmp_path, state)
    assert "--map NAME=none leaves one out" in refused(file, tmp_path)
    checkpoint, _ = imported(file, tmp_path, "--map", "teacher=none")
    same(checkpoint, model)


def test_a_matrix_that_may_be_head_or_embedding(tmp_path):
    model = modules(nn.LSTM(8, 8), layer=nn.Linear(8, 5, bias=False))
    file = saved(tmp_path, model.state_dict())
    assert "--map layer=PART" in refused(file, tmp_path)
    checkpoint, said = imported(file, tmp_path, "--map", "layer=head")
    same(checkpoint, model, "layer")
    assert "no bias" in said and not state_dict(checkpoint)["head.bias"].any()
    checkpoint, _ = imported(file, tmp_path, "--map", "layer=embedding")
    assert torch.equal(state_dict(checkpoint)["embedding.weight"], model["layer"].weight)
    assert "--map nothing=head: expected a module" in refused(file, tmp_path, "--map", "nothing=head")
    named = {k.replace("layer", "fc"): v for k, v in model.state_dict().items()}
    assert "head.weight" in state_dict(imported(saved(tmp_path, named), tmp_path)[0])
    named = {k.replace("layer", "embed"): v for k, v in model.state_dict().items()}
    assert "embedding.weight" in state_dict(imported(saved(tmp_path, named), tmp_path)[0])


def test_a_linear_that_may_stand_in_front(tmp_path):
    for name in ("fc", "layer"):
        model = nn.ModuleDict({name: nn.Linear(8, 8), "rnn": nn.LSTM(8, 8)})
        file = saved(tmp_path, model.state_dict())
        assert f"--map {name}=PART" in refused(file, tmp_path)
    model = modules(nn.LSTM(8, 8), fc=nn.Linear(8, 8))
    checkpoint, said = imported(saved(tmp_path, model.state_dict()), tmp_path)
    assert "'fc' [8, 8] is the head, though it would fit in front" in said
    model = nn.ModuleDict({"layer": nn.Linear(3, 4), "rnn": nn.LSTM(4, 8)})
    assert "'layer.weight'" in refused(saved(tmp_path, model.state_dict()), tmp_path)


def test_the_nonlinearity_of_an_rnn(tmp_path):
    model = modules(nn.RNN(3, 8, nonlinearity="relu"), fc=nn.Linear(8, 5))
    file = saved(tmp_path, model.state_dict())
    checkpoint, said = imported(file, tmp_path)
    assert attributes(checkpoint)["cell"] == "rnn_tanh"
    assert "assumed, as weights do not tell it: nonlinearity tanh" in said
    checkpoint, said = imported(file, tmp_path, "--nonlinearity", "relu")
    assert attributes(checkpoint)["cell"] == "rnn_relu" and "tanh" not in said
    file = saved(tmp_path, nn.LSTM(3, 8).state_dict())
    assert "--nonlinearity" in refused(file, tmp_path, "--nonlinearity", "relu")


@pytest.mark.parametrize("pooling", ["last", "mean", "max"])
@pytest.mark.parametrize("file", ["m.pt", "m.safetensors"])
def test_the_pooling_of_a_classifier(tmp_path, pooling, file):
    rng = numpy.random.default_rng(2)
    x = rng.normal(size=(9, 6, 3)).astype(numpy.float32)
    numpy.savez(tmp_path / "d.npz", x=x, y=numpy.arange(9) % 2)
    quadgate("prepare", "npz", tmp_path / "d.npz", "-o", tmp_path / "d.h5")
    model = modules(nn.LSTM(3, 8, bidirectional=True, batch_first=True), fc=nn.Linear(16, 2))
    if file.endswith(".pt"):
        file = saved(tmp_path, model.state_dict())
    else:
        safetensors = pytest.importorskip("safetensors.torch", reason="NOT TESTED: no safetensors")
        safetensors.save_file(model.state_dict(), tmp_path / file)
        file = tmp_path / file
    checkpoint, said = imported(file, tmp_path, "--pooling", pooling, "--like", tmp_path / "d.h5")
    assert "assumed" not in said
    quadgate("predict", checkpoint, "--data", tmp_path / "d.h5", "-o", tmp_path / "out.h5")
    with torch.no_grad():
        y, (h, _) = model["rnn"](torch.tensor(x))
        pooled = {"last": torch.cat(list(h), 1), "mean": y.mean(1), "max": y.max(1).values}[pooling]
        expected = model["fc"](pooled).numpy()
    with h5py.File(tmp_path / "out.h5") as found:
        assert numpy.abs(found["logits"][()] - expected).max() < 1e-5


def test_a_pooling_that_no_head_has(tmp_path):
    file = saved(tmp_path, modules(nn.LSTM(3, 8), fc=nn.Linear(8, 2)).state_dict())
    _, said = imported(file, tmp_path)
    assert "tell it: classification with pooling last (--task, --pooling)\n" in said
    assert "tell it: pooling last (--pooling)\n" in imported(file, tmp_path, "--task", "regression")[1]
    checkpoint, said = imported(file, tmp_path, "--pooling", "mean")
    assert "tell it: classification (--task)\n" in said
    assert "assumed" not in imported(file, tmp_path, "--task", "tagging")[1]
    line = refused(file, tmp_path, "--task", "tagging", "--pooling", "mean")
    assert "--pooling mean: expected a head that reads a whole sequence, found one at every step" in line
    bare = saved(tmp_path, nn.LSTM(3, 8).state_dict(), "bare.pt")
    assert "a whole sequence, found none" in refused(bare, tmp_path, "--pooling", "max")
    quadgate("import", file, "-o", tmp_path / "mean.h5", "--pooling", "mean")
    for name in ("own.pt", "own.onnx", "own.weights.h5"):
        quadgate("export", tmp_path / "mean.h5", "-o", tmp_path / name)
        assert "--pooling: expected" in refused(tmp_path / name, tmp_path, "--pooling", "max")
    line = refused(tmp_path / "own.weights.h5", tmp_path, "--pooling", "max")
    assert "--pooling: expected mean, as the file has it, found max" in line
    imported(tmp_path / "own.weights.h5", tmp_path, "--pooling", "mean")


def test_a_file_of_another_program_in_the_place_of_a_checkpoint(tmp_path):
    file = saved(tmp_path, modules(nn.LSTM(3, 8), fc=nn.Linear(8, 2)).state_dict())
    numpy.savez(tmp_path / "d.npz", x=numpy.ones((4, 5, 3)), y=numpy.arange(4) % 2)
    data = tmp_path / "d.h5"
    quadgate("prepare", "npz", tmp_path / "d.npz", "-o", data)
    hint = f"{file}: expected an HDF5 file, found another kind ('quadgate import {file} -o model.h5'"
    for command in (["evaluate", file, "--data", data], ["predict", file, "--data", data, "-o", "-"]):
        with pytest.raises(AssertionError, match="exit 1: quadgate: error: " + re.escape(hint)):
            quadgate(*command)
    with pytest.raises(AssertionError, match="exit 1: quadgate: error: " + re.escape(hint)):
        train(tmp_path, data, {"hidden_size": 8, "init": str(file)}, {"epochs": 1})
    with pytest.raises(AssertionError, match="none.pt: No such file or directory$"):
        quadgate("evaluate", tmp_path / "none.pt", "--data", data)
    with pytest.raises(AssertionError, match="exit 2: .*--output: expected a name in .h5, of a checkpoint"):
        quadgate("import", file, "-o", tmp_path / "other.pt")
    assert not (tmp_path / "other.pt").exists()


def language_model(folder):
    model = modules(nn.LSTM(6, 8), embedding=nn.Embedding(4, 6), decoder=nn.Linear(8, 4))
    return saved(folder, model.state_dict())


def test_a_language_model_generates_at_once(tmp_path):
    file = language_model(tmp_path)
    (tmp_path / "vocabulary.json").write_text(json.dumps({"b": 1, "a": 0, "\n": 3, "ä": 2}))
    checkpoint, _ = imported(file, tmp_path, "--task", "language_model", "--vocabulary",
                             tmp_path / "vocabulary.json")  # fmt: skip
    text = quadgate("generate", checkpoint, "--length", "20", "--prompt", "ab", "--seed", "1")
    assert text.startswith("ab") and set(text) <= set("abä\n")
    assert "expected" in refused(file, tmp_path, "--task", "language_model",
                                 "--vocabulary", __file__)  # fmt: skip


def test_a_language_model_is_evaluated_at_once(tmp_path):
    model = modules(nn.LSTM(6, 8), embedding=nn.Embedding(4, 6), decoder=nn.Linear(8, 4))
    names = ["a", "b", "c", "\n"]
    (tmp_path / "names.json").write_text(json.dumps(names))
    checkpoint, _ = imported(saved(tmp_path, model.state_dict()), tmp_path, "--task",
                             "language_model", "--vocabulary", tmp_path / "names.json")  # fmt: skip
    tokens = torch.randint(0, 4, (500,))
    with h5py.File(tmp_path / "d.h5", "w") as file:
        file.attrs.update(format="quadgate-dataset", task="language_model", token_names=names)
        file["train/x"] = file["test/x"] = tokens.to(torch.int32).numpy()
    logits = model["decoder"](model["rnn"](model["embedding"](tokens[:-1]))[0])
    expected = nn.functional.cross_entropy(logits, tokens[1:]).item()
    assert abs(evaluate(checkpoint, tmp_path / "d.h5")["loss"] - expected) < 1e-5


def test_a_tagger_tags_at_once(tmp_path):
    (tmp_path / "words.txt").write_text("<unk>\nthe\ncat\nsat\n")
    (tmp_path / "tags.txt").write_text("D\nN\nV\nX\n")
    checkpoint, said = imported(
        language_model(tmp_path), tmp_path, "--task", "tagging", "--vocabulary",
        tmp_path / "words.txt", "--classes", tmp_path / "tags.txt")  # fmt: skip
    assert "assumed" not in said
    (tmp_path / "in.txt").write_text("the cat sat\n")
    tags = quadgate("tag", checkpoint, tmp_path / "in.txt").split()
    assert [word.split("/")[0] for word in tags] == ["the", "cat", "sat"]
    assert all(word.split("/")[1] in "DNVX" for word in tags)


@pytest.mark.parametrize("name", ["back.pt", "back.safetensors"])
def test_back_under_the_names_of_the_script(tmp_path, name):
    model = nn.ModuleDict({"encoder": nn.ModuleDict({"lstm": nn.LSTM(3, 8, num_layers=2)}),
                           "fc": nn.Linear(8, 2)})  # fmt: skip
    checkpoint, _ = imported(saved(tmp_path, model.state_dict()), tmp_path)
    back = tmp_path / name
    names = ["--map", "encoder.lstm=rnn", "--map", "fc=head"]
    quadgate("export", checkpoint, "-o", back, *names)
    if name.endswith(".pt"):
        found = torch.load(back, weights_only=True)
    else:
        safetensors = pytest.importorskip("safetensors.torch", reason="NOT TESTED: no safetensors")
        found = safetensors.load_file(back)
    assert all(torch.equal(found[key], tensor) for key, tensor in model.state_dict().items())
    model.load_state_dict(found)  # strict
    before = state_dict(checkpoint)
    quadgate("import", back, "-o", tmp_path / "again.h5")
    again = state_dict(tmp_path / "again.h5")
    assert before.keys() == again.keys() and all(torch.equal(before[k], again[k]) for k in before)
    for arguments, part in (
        ([back, "--map", "e=embedding"], "--map e=embedding: expected a part of the model, head, rnn"),
        ([back, "--map", "e=lstm"], "--map: expected NAME=PART with a part of embedding, conv, rnn"),
        ([tmp_path / "m.onnx", *names], "--map: expected .pt or .safetensors"),
        ([back, "--only", "rnn", *names], "found --only rnn"),
    ):
        with pytest.raises(AssertionError, match=f"exit 2: quadgate: error: .*{re.escape(part)}"):
            quadgate("export", checkpoint, "-o", *arguments)


def test_what_is_known_of_the_data(tmp_path):
    """The names and the scale of a data set or of a checkpoint: raw files are answered at once."""
    rng = numpy.random.default_rng(1)
    rows = rng.normal(size=(20, 2, 5)) * 3 + 7  # [sequences, features, steps]
    text = "\n".join(":".join(",".join(map(repr, d)) for d in row.tolist()) + f":{'ab'[i % 2]}"
                     for i, row in enumerate(rows))  # fmt: skip
    (tmp_path / "a.ts").write_text(f"@classLabel true b a\n@data\n{text}\n")
    quadgate("prepare", "ts", tmp_path / "a.ts", "--standardize", "-o", tmp_path / "a.h5")
    model = modules(nn.LSTM(2, 8, batch_first=True), fc=nn.Linear(8, 2))
    file = saved(tmp_path, model.state_dict())
    checkpoint, _ = imported(file, tmp_path)
    with pytest.raises(AssertionError, match="import --like tells a model from elsewhere"):
        quadgate("predict", checkpoint, "--data", tmp_path / "a.h5", "-o", tmp_path / "out.csv")
    x = rows.transpose(0, 2, 1)
    x = (x - x.mean((0, 1))) / x.std((0, 1))
    with torch.no_grad():
        expected = model["fc"](model["rnn"](torch.tensor(x, dtype=torch.float32))[1][0][-1]).softmax(1)
    known = tmp_path / "a.h5"
    for checkpoint in (tmp_path / "like_data.h5", tmp_path / "like_model.h5"):
        quadgate("import", file, "--like", known, "-o", checkpoint)
        quadgate("predict", checkpoint, "--input", tmp_path / "a.ts", "--probabilities", "-o",
                 tmp_path / "out.csv")  # fmt: skip
        found = pandas.read_csv(tmp_path / "out.csv")[["p_b", "p_a"]].to_numpy()
        assert (torch.tensor(found) - expected).abs().max() < 1e-6
        known = checkpoint
    for other, line in (
        (modules(nn.LSTM(3, 8), fc=nn.Linear(8, 2)), "the model has 3 features, the data of"),
        (modules(nn.LSTM(2, 8), fc=nn.Linear(8, 3)), "expected a name for each of 3 classes, found 2"),
        (modules(nn.LSTM(2, 8), fc=nn.Linear(8, 2), embedded=nn.Embedding(5, 2)), "has 5 tokens"),
    ):
        assert line in refused(saved(tmp_path, other.state_dict(), "o.pt"), tmp_path, "--like",
                               tmp_path / "a.h5")  # fmt: skip


def test_a_forecast_like_another(tmp_path):
    (tmp_path / "s.csv").write_text("v\n" + "\n".join(map(str, range(50))))
    quadgate("prepare", "csv", tmp_path / "s.csv", "-o", tmp_path / "s.h5")
    one = saved(tmp_path, modules(nn.LSTM(1, 8), fc=nn.Linear(8, 4)).state_dict(), "one.pt")
    with pytest.raises(AssertionError, match="exit 2: .*s.h5: expected a checkpoint, as a data set"):
        quadgate("import", one, "--like", tmp_path / "s.h5", "-o", tmp_path / "none.h5")
    window = {"input_len": 6, "horizon": 4}
    forecaster = train(tmp_path, tmp_path / "s.h5", {"hidden_size": 8}, {"epochs": 1}, **window)
    quadgate("import", one, "--like", forecaster, "-o", tmp_path / "one.h5")
    future = quadgate("predict", tmp_path / "one.h5", "--input", tmp_path / "s.csv", "-o", "-")
    module = modules(nn.LSTM(1, 8), fc=nn.Linear(8, 4))
    module.load_state_dict(torch.load(one))
    with torch.no_grad():
        expected = module["fc"](module["rnn"](torch.arange(44.0, 50)[:, None])[0][-1])
    found = [float(line.split(",")[4]) for line in future.splitlines()[1:]]
    assert (torch.tensor(found) - expected).abs().max() < 1e-5
