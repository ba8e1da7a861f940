# Sweeps how tokens are drawn, with Hugging Face's definitions written once more in NumPy: the
# repetition penalty, then temperature, top-k and top-p; and the surprisal of a text's tokens. The
# logits are PyTorch's. Tolerance: none on text; 1e-4 bits on a surprisal, 1e-5 relative on sums.

import json
import math
import os
import subprocess

import numpy
import pytest
import torch
from torch import nn

from imported import imported
from support import quadgate

LETTERS = ["<unk>", *"abcdefghij", "é", "樹", "\n", " "]
WORDS = ["<unk>", "the", "<eos>", "cat", "sat", "樹,", "mat", "on"]


class LanguageModel(nn.Module):
    def __init__(self, tokens, scale):
        super().__init__()
        self.embedding = nn.Embedding(tokens, 6)
        self.rnn = nn.LSTM(6, 16, batch_first=True)
        self.decoder = nn.Linear(16, tokens)
        with torch.no_grad():
            self.decoder.weight *= scale  # far from uniform
            self.decoder.bias *= scale

    @torch.no_grad()
    def logits(self, tokens):
        return self.decoder(self.rnn(self.embedding(torch.tensor([tokens])))[0])[0].numpy()


def checkpoint_of(folder, names, seed):
    torch.manual_seed(seed)
    model = LanguageModel(len(names), scale=6)
    torch.save(model.state_dict(), folder / "m.pt")
    (folder / "names.json").write_text(json.dumps(names))
    file, _ = imported(folder / "m.pt", folder, "--task", "language_model", "--vocabulary",
                       folder / "names.json")  # fmt: skip
    return model, file


def philox(key, counter):
    """Philox4x32-10."""
    words, keys = list(counter), [key & 0xFFFFFFFF, key >> 32]
    for _ in range(10):
        a, b = 0xD2511F53 * words[0], 0xCD9E8D57 * words[2]
        words = [b >> 32 ^ words[1] ^ keys[0], b & 0xFFFFFFFF,
                 a >> 32 ^ words[3] ^ keys[1], a & 0xFFFFFFFF]  # fmt: skip
        keys = [(keys[0] + 0x9E3779B9) & 0xFFFFFFFF, (keys[1] + 0xBB67AE85) & 0xFFFFFFFF]
    return words


def softmax(scores):
    weights = numpy.exp(scores - scores.max())
    return weights / weights.sum()


def processed(scores, text, temperature=1, top_k=0, top_p=1, repetition_penalty=1):
    """RepetitionPenalty-, NoBadWords-, Temperature-, TopK- and TopPLogitsWarper of transformers."""
    scores = scores.astype(numpy.float64)
    seen = sorted(set(text))
    scores[seen] = numpy.where(scores[seen] < 0, scores[seen] * repetition_penalty,
                               scores[seen] / repetition_penalty)  # fmt: skip
    scores[0] = -numpy.inf  # <unk>
    if temperature == 0:
        return scores
    scores = scores / temperature
    if top_k > 0:
        least = numpy.sort(scores)[-min(top_k, len(scores))]
        scores = numpy.where(scores < least, -numpy.inf, scores)
    if top_p < 1:
        order = numpy.argsort(scores, kind="stable")
        remove = numpy.cumsum(softmax(scores[order])) <= 1 - top_p
        remove[-1] = False
        scores[order[remove]] = -numpy.inf
    return scores


def generated(model, prompt, length, seed, options):
    text, context = list(prompt), list(prompt) or [LETTERS.index("\n")]
    for step in range(length):
        scores = processed(model.logits(context)[-1], text, **options)
        token = int(scores.argmax())
        if options.get("temperature") != 0:
            uniform = (philox(seed, (5, step, 0, 0))[0] >> 8) * 2.0**-24
            token = int(numpy.searchsorted(numpy.cumsum(softmax(scores)), uniform, side="right"))
        text.append(token)
        context.append(token)
    return "".join(LETTERS[token] for token in text)


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"temperature": 0},
        {"temperature": 0, "repetition_penalty": 1.7},
        {"temperature": 0.6},
        {"top_k": 1},
        {"top_k": 4},
        {"top_k": 4000},
        {"top_p": 0.5},
        {"top_p": 1e-9},
        {"repetition_penalty": 2.5},
        {"repetition_penalty": 0.7},
        {"temperature": 1.4, "top_k": 6, "top_p": 0.8, "repetition_penalty": 1.3},
    ],
    ids=str,
)
def test_the_drawn_text(tmp_path, options):
    model, checkpoint = checkpoint_of(tmp_path, LETTERS, seed=3)
    given = [f"--{name.replace('_', '-')}={value}" for name, value in options.items()]
    long = "abcé\n j樹" * 40  # it is read in pieces
    for prompt, seed in [("", 1), ("abé", 12345678901234567890), (long, 7)]:
        command = ["generate", checkpoint, "--prompt", prompt, "--length", 60, "--seed", seed, *given]
        expected = generated(model, [LETTERS.index(c) for c in prompt], 60, seed, options)
        assert quadgate(*command) == expected + "\n"
        assert quadgate(*command) == expected + "\n"


def scored(*arguments, text=None):
    done = subprocess.run([os.environ["QUADGATE_BIN"], "generate", *map(str, arguments), "--json"],
                          input=text, capture_output=True, text=True)  # fmt: skip
    assert done.returncode == 0, done.stderr
    *tokens, sums = map(json.loads, done.stdout.splitlines())
    return tokens, sums, done.stderr


def expected_bits(model, context, tokens):
    logits = torch.from_numpy(model.logits([*context, *tokens])[len(context) - 1 : -1])
    losses = nn.functional.cross_entropy(logits, torch.tensor(tokens), reduction="none")
    return losses.double() / math.log(2)


def expect_score(found, names, bits, characters):
    tokens, sums, _ = found
    assert [token["token"] for token in tokens] == names
    assert numpy.abs(numpy.array([t["bits"] for t in tokens]) - bits.numpy()).max() < 1e-4
    total = bits.sum().item()
    assert sums["tokens"] == len(names) and sums["characters"] == characters
    assert math.isclose(sums["bits"], total, rel_tol=1e-5)
    assert math.isclose(sums["bits_per_character"], total / characters, rel_tol=1e-5)
    assert math.isclose(sums["perplexity"], 2 ** (total / len(names)), rel_tol=1e-5)


def test_the_score_of_characters(tmp_path):
    model, checkpoint = checkpoint_of(tmp_path, LETTERS, seed=4)
    text = "abba é樹\ncab " * 40  # longer than the network reads at a time
    (tmp_path / "a.txt").write_text(text)
    tokens = [LETTERS.index(c) for c in text]
    bits = expected_bits(model, [LETTERS.index("\n")], tokens)
    expect_score(scored(checkpoint, "--score", tmp_path / "a.txt"), list(text), bits, len(text))
    expect_score(scored(checkpoint, "--score", "-", text=text), list(text), bits, len(text))
    bits = expected_bits(model, [LETTERS.index(c) for c in "ja"], tokens)
    found = scored(checkpoint, "--score", "-", "--prompt", "ja", text=text)
    expect_score(found, list(text), bits, len(text))


def test_the_score_of_words(tmp_path):
    model, checkpoint = checkpoint_of(tmp_path, WORDS, seed=5)
    text = "the cat sat\n\non the 樹, dog"
    names = ["the", "cat", "sat", "<eos>", "<eos>", "on", "the", "樹,", "dog", "<eos>"]
    tokens = [WORDS.index(name) if name in WORDS else 0 for name in names]
    bits = expected_bits(model, [WORDS.index("<eos>")], tokens)
    found = scored(checkpoint, "--score", "-", text=text)
    expect_score(found, names, bits, len(text) + 1)  # an end of line is taken to be there
    assert found[1]["unknown"] == 1 and "1 of 10 tokens are not in the vocabulary" in found[2]
    (tmp_path / "a.txt").write_text(text)
    shown = quadgate("generate", checkpoint, "--score", tmp_path / "a.txt").splitlines()
    assert shown[0].split() == [f"{bits[0]:.4f}", "the"]
    assert shown[10] == "10 tokens, 27 characters"


def test_bad_values_are_refused(tmp_path):
    _, checkpoint = checkpoint_of(tmp_path, LETTERS[1:], seed=6)
    (tmp_path / "a.txt").write_text("abX")
    (tmp_path / "empty.txt").write_text("")
    for arguments, expected in [
        (["--top-k", "-1"], "--top-k: expected 0 (all) or more, found -1"),
        (["--top-k", "1.5"], "--top-k"),
        (["--top-p", "0"], "--top-p: expected above 0 and at most 1, found 0"),
        (["--top-p", "1.01"], "--top-p: expected above 0 and at most 1, found 1.01"),
        (["--top-p", "nan"], "--top-p: expected above 0 and at most 1, found nan"),
        (["--repetition-penalty", "0"], "--repetition-penalty: expected a number above 0, found 0"),
        (["--repetition-penalty", "inf"], "--repetition-penalty: expected a number above 0"),
        (["--temperature", "nan"], "--temperature: expected 0 to 100, found nan"),
        (["--json"], "--score"),
        (["--score", tmp_path / "a.txt", "--top-k", "3"], "--top-k"),
        (["--score", tmp_path / "a.txt"],
         "a.txt: token 3: expected one of the vocabulary, found 'X'"),
        (["--score", tmp_path / "empty.txt"], "empty.txt: expected text, found none"),
        (["--score", tmp_path / "none.txt"], "none.txt"),
    ]:  # fmt: skip
        done = subprocess.run(
            [os.environ["QUADGATE_BIN"], "generate", checkpoint, *map(str, arguments)],
            capture_output=True, text=True)  # fmt: skip
        assert done.returncode != 0, arguments
        assert len(done.stderr.splitlines()) == 1 and expected in done.stderr, done.stderr
