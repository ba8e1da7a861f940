# Sweeps the columns of CoNLL-U that classes are made of, read once more in Python; small letters of
# each capital one of the scripts that lemma scripts know; and the tags and lemmas that a model gives
# back of the words that it was trained on. Tolerance: none.

import os
import subprocess

import h5py
import numpy

from support import quadgate, train

SENTENCES = [
    [("The", "the", "DT", "Definite=Def", "_"), ("Studies", "study", "NNS", "Number=Plur", "_"),
     ("of", "of", "IN", "_", "_"), ("New", "New", "NNP", "_", "NER=B-LOC|SpaceAfter=No"),
     ("York", "York", "NNP", "Number=Sing", "NER=I-LOC"), ("were", "be", "VBD", "Tense=Past", "_")],
    [("Mary", "Mary", "NNP", "Number=Sing", "NER=B-PER"), ("studies", "study", "VBZ", "_", "_"),
     ("cities", "city", "NNS", "Number=Plur", "_")],
    [("Книги", "книга", "NN", "Number=Plur", "_"), ("were", "be", "VBD", "Tense=Past", "_")],
]  # fmt: skip
COLUMNS = {"LEMMA": 1, "XPOS": 2, "FEATS": 3, "NER": 4}


def write_conllu(path, sentences):
    with open(path, "w", encoding="utf-8") as file:
        for sentence in sentences:
            print("# a sentence\n1-2\tx\t_\t_\t_\t_\t_\t_\t_\t_", file=file)
            for i, (form, lemma, xpos, feats, misc) in enumerate(sentence, 1):
                print(i, form, lemma, "X", xpos, feats, 0, "root", "_", misc, sep="\t", file=file)
            print(file=file)
    return path


def class_of(word, column):
    if column == "LEMMA":
        return script(*word[:2])
    if column == "NER":
        return word[4].split("|")[0].removeprefix("NER=").replace("_", "O")
    return word[COLUMNS[column]]


def script(form, lemma):
    """The shortest of the two suffix rules."""
    prefix = lambda a, b: next((i for i, (c, d) in enumerate(zip(a, b)) if c != d), min(len(a), len(b)))
    small = "".join(c.lower() if len(c.lower()) == 1 else c for c in form)
    as_is, lowered = prefix(form, lemma), prefix(small, lemma)
    kept = max(as_is, lowered)
    return f"{'lower' if lowered > as_is else ''}-{len(form) - kept}+{lemma[kept:]}"


def prepare(folder, sentences, column, *more):
    write_conllu(folder / "a.conllu", sentences)
    quadgate("prepare", "conllu", folder / "a.conllu", "--column", column, "--min-count", 1, "-o",
             folder / "a.h5", *more)  # fmt: skip
    with h5py.File(folder / "a.h5") as file:
        assert file.attrs["tag_column"] == column
        names = list(file.attrs["class_names"])
        return names, [names[y] for y in file["train/y"]]


def test_the_classes_of_each_column(tmp_path):
    for column in COLUMNS:
        names, found = prepare(tmp_path, SENTENCES, column)
        expected = [class_of(word, column) for sentence in SENTENCES for word in sentence]
        assert found == expected and names == list(dict.fromkeys(expected))


def test_small_letters_are_those_of_python(tmp_path):
    ranges = [(0x41, 0x250), (0x386, 0x3FF), (0x400, 0x530), (0x531, 0x557), (0x1E00, 0x1F00)]
    letters = [chr(c) for first, end in ranges for c in range(first, end)]
    letters = [c for c in letters if c.isalpha() and len(c.lower()) == 1]
    # Letters of phonetic alphabets and of Coptic have their small ones elsewhere.
    outside = [c for c in letters if c != c.lower() and (0x181 <= ord(c) < 0x1CD or
               ord(c) in [0x1F1, 0x1F2, 0x1F4, 0x1F6, 0x1F7] or 0x220 <= ord(c) < 0x250 or
               0x3CF <= ord(c) < 0x400 or ord(c) in [0x370, 0x372, 0x376, 0x37F, 0x1E9E])]  # fmt: skip
    words = [(c + "x", c.lower() + "x", "_", "_", "_") for c in letters if c not in outside]
    _, found = prepare(tmp_path, [words], "LEMMA")
    wrong = [word for word, name in zip(words, found) if name != script(*word[:2])]
    assert not wrong
    assert len(words) > 700 and sum(name == "lower-0+" for name in found) > 300


def tagged(checkpoint, text):
    done = subprocess.run([os.environ["QUADGATE_BIN"], "tag", str(checkpoint)], input=text,
                          capture_output=True, text=True)  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


def test_a_model_writes_what_it_was_trained_on(tmp_path):
    text = "".join(" ".join(word[0] for word in sentence) + "\n" for sentence in SENTENCES)
    for column in COLUMNS:
        prepare(tmp_path, SENTENCES, column)
        model = {"hidden_size": 24, "embedding_size": 12, "bidirectional": True,
                 "crf": column in ("LEMMA", "NER")}  # fmt: skip
        checkpoint = train(tmp_path, tmp_path / "a.h5", model,
                           {"epochs": 120, "batch_size": 3, "lr": 0.05, "seed": 1})  # fmt: skip
        expected = [f"{word[0]}/{word[1] if column == 'LEMMA' else class_of(word, column)}"
                    for sentence in SENTENCES for word in sentence]  # fmt: skip
        assert tagged(checkpoint, text) == expected
        for path in tmp_path.glob("run/*"):
            path.unlink()


def test_classes_of_other_files_and_missing_lemmas_are_told(tmp_path):
    write_conllu(tmp_path / "t.conllu", [[("Cats", "cat", "NNS", "_", "_"), ("x", "_", "_", "_", "_")]])
    write_conllu(tmp_path / "a.conllu", SENTENCES)
    done = subprocess.run([os.environ["QUADGATE_BIN"], "prepare", "conllu", str(tmp_path / "a.conllu"),
                           "--test", str(tmp_path / "t.conllu"), "--column", "LEMMA", "-o",
                           str(tmp_path / "a.h5")], capture_output=True, text=True)  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "words without LEMMA, which do not count: 1\n" in done.stdout
    assert "1 of 7 classes of LEMMA are in no sentence of" in done.stderr
    with h5py.File(tmp_path / "a.h5") as file:
        assert numpy.array_equal(file["test/y"], [6, -100])
