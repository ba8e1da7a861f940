# Sweeps the columns of CoNLL-U that classes are made of, read once more in Python; small letters of
# each capital one of the scripts that lemma scripts know; and the tags and lemmas that a model gives
# back of the words that it was trained on, and CoNLL-U files that it fills. Tolerance: none.

import csv
import gzip
import io
import os
import subprocess

import h5py
import numpy
import pytest

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


# What is no word stays as it is: comments, multiword tokens, empty nodes, other columns, ends of lines.
FILE = """\ufeff# newdoc id = 1
# text = The studies were in New York
1	The	?	DET	A1	B=C	2	det	_	_
2-3	studies were	_	_	_	_	_	_	_	SpaceAfter=No
2	studies	_	_	_	_	0	root	_	ner=B-ORG|SpaceAfter=No
3	were	_	X	_	_	2	dep	2:dep	Entity=(e1)
3.1	gone	go	VERB	_	_	_	_	2:dep	NER=B-EMPTY
4	in	_	X	_	_	2	dep	_	Gloss=x|NER=I-ORG|Z=1
5	New	_	X	_	_	2	dep	_	_
6	York	_	X	_	_	2	dep	_	_


# sent_id = 2
1	Mary	_	X	_	_	2	dep	_	_
2	cities	_	X	_	_	0	root	_	_"""


def filled(text, column, values):
    """The column of a CoNLL-U text with these values; of NER in MISC."""
    place = {"UPOS": 3, "XPOS": 4, "FEATS": 5, "LEMMA": 2, "NER": 9}[column]
    lines, values = text.split("\n"), iter(values)
    for i, line in enumerate(lines):
        columns = line.split("\t")
        if line.startswith("#") or not columns[0].isdigit():
            continue
        value = next(values)
        if column == "NER":
            kept = [item for item in columns[9].split("|")
                    if item != "_" and item.split("=")[0].lower() not in ("ner", "entity")]  # fmt: skip
            value = "|".join(kept + ([f"NER={value}"] if value != "O" else [])) or "_"
        columns[place] = value
        lines[i] = "\t".join(columns)
    return "\n".join(lines)


def tag(*arguments, **options):
    command = [os.environ["QUADGATE_BIN"], "tag", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, **options)


def predicted(checkpoint, file):
    """The class of each word or, of LEMMA, the lemma, by predict."""
    out = quadgate("predict", checkpoint, "--input", file, "-o", "-")
    return [row["predicted"] for row in csv.DictReader(io.StringIO(out))]


def apply(script, form):
    small, rest = script.startswith("lower"), script.removeprefix("lower")
    cut, end = rest[1:].split("+")
    form = form.lower() if small else form
    return form[: len(form) - int(cut)] + end


def test_predict_gives_lemmas(tmp_path):
    """Those that the rules make of the words of the file, also of words that the model does not know;
    without the words, the rules."""
    prepare(tmp_path, SENTENCES, "LEMMA")
    checkpoint = train(tmp_path, tmp_path / "a.h5", {"hidden_size": 8, "embedding_size": 8},
                       {"epochs": 15, "batch_size": 3, "lr": 0.05})  # fmt: skip
    new = [[*SENTENCES[0], ("Книги", "книга", "NN", "_", "_"), ("Copies", "copy", "NNS", "_", "_")]]
    write_conllu(tmp_path / "new.conllu", new)
    quadgate("predict", checkpoint, "--input", tmp_path / "new.conllu", "-o", tmp_path / "new.csv")
    rows = list(csv.DictReader(open(tmp_path / "new.csv", newline="")))
    assert [row["token"] for row in rows] == [word[0] for word in new[0]]
    assert [row["label"] for row in rows] == [word[1] for word in new[0]]
    quadgate("prepare", "--like", checkpoint, tmp_path / "new.conllu", "-o", tmp_path / "new.h5")
    program = [os.environ["QUADGATE_BIN"], "predict", checkpoint]
    done = subprocess.run([*program, "--data", tmp_path / "new.h5", "-o", "-"], capture_output=True, text=True)
    rules = [row["predicted"] for row in csv.DictReader(io.StringIO(done.stdout))]
    assert "note: classes are what to take off a word's end and to put there: predict --input" in done.stderr
    with h5py.File(tmp_path / "a.h5") as file:
        assert set(rules) <= set(file.attrs["class_names"])
    assert [row["predicted"] for row in rows] == [apply(r, word[0]) for r, word in zip(rules, new[0])]
    assert [row["predicted"] for row in rows] != rules


@pytest.mark.parametrize("column", ["UPOS", *COLUMNS])
def test_a_conllu_file_is_filled(tmp_path, column):
    write_conllu(tmp_path / "a.conllu", SENTENCES)
    quadgate("prepare", "conllu", tmp_path / "a.conllu", "--column", column, "--min-count", 1, "-o",
             tmp_path / "a.h5")  # fmt: skip
    checkpoint = train(tmp_path, tmp_path / "a.h5", {"hidden_size": 8, "embedding_size": 8},
                       {"epochs": 15, "batch_size": 3, "lr": 0.05})  # fmt: skip
    file, out = tmp_path / "new.conllu", tmp_path / "out.conllu"
    forms = ["The", "studies", "were", "in", "New", "York", "Mary", "cities"]
    file.write_text(filled(FILE, "UPOS", ["X"] * 8).replace("\tB-EMPTY", "\t_"), encoding="utf-8")
    plain = tmp_path / "plain.conllu"  # that predict reads: without two kinds of entities
    plain.write_text("".join(f"{i if i < 7 else i - 6}\t{form}\t_\t_\t_\t_\t_\t_\t_\t_\n"
                             + ("\n" if i == 6 else "") for i, form in enumerate(forms, 1)))
    values = predicted(checkpoint, plain)
    expected = filled(file.read_text(encoding="utf-8-sig"), column, values)
    done = tag(checkpoint, file, "-o", out)
    assert (done.returncode, done.stderr) == (0, b"")
    assert out.read_bytes().decode() == expected
    assert tag(checkpoint, file).stdout.decode() == expected
    # From a pipe, with other ends of lines, and from a gzipped file.
    windows = expected.replace("\n", "\r\n").encode()
    assert tag(checkpoint, "-o", out, input=file.read_bytes().replace(b"\n", b"\r\n")).returncode == 0
    assert out.read_bytes() == windows
    (tmp_path / "new.conllu.gz").write_bytes(gzip.compress(file.read_bytes()))
    assert tag(checkpoint, tmp_path / "new.conllu.gz").stdout.decode() == expected


def test_words_of_characters_get_one_value(tmp_path):
    sentences = [[("ab", "_", "_", "_", "_"), ("cd", "_", "_", "_", "_"), ("é", "_", "_", "_", "_")]]
    write_conllu(tmp_path / "a.conllu", sentences)
    quadgate("prepare", "conllu", tmp_path / "a.conllu", "--level", "characters", "--min-count", 1,
             "-o", tmp_path / "a.h5")  # fmt: skip
    checkpoint = train(tmp_path, tmp_path / "a.h5", {"hidden_size": 8, "embedding_size": 4},
                       {"epochs": 30, "batch_size": 1, "lr": 0.05})  # fmt: skip
    text = (tmp_path / "a.conllu").read_text(encoding="utf-8")
    assert tag(checkpoint, tmp_path / "a.conllu").stdout.decode() == text


def test_what_is_no_conllu_is_named(tmp_path):
    prepare(tmp_path, SENTENCES, "XPOS")
    checkpoint = train(tmp_path, tmp_path / "a.h5", {"hidden_size": 4, "embedding_size": 4}, {"epochs": 1})
    file = tmp_path / "x.conllu"
    line = "\t".join(["{}", "{}", *"________"])
    for text, problem in {
        "The studies\n": "x.conllu:1: expected 10 columns with tabs between, found 1",
        "# a\n" + line.format(1, "The") + "\n" + line.format(3, "x"): "x.conllu:3: ID: expected 2, found '3'",
        line.format(1, ""): "x.conllu:1: FORM: expected a word, found nothing",
        "# nothing\n\n": "x.conllu: expected sentences in CoNLL-U, found none",
    }.items():
        file.write_text(text)
        done = tag(checkpoint, file, "-o", tmp_path / "out.conllu", text=True)
        assert done.returncode == 1 and done.stderr.endswith(problem + "\n"), done.stderr
        assert not (tmp_path / "out.conllu").exists()
    file.write_text(line.format(1, "The"))
    for output, problem in {"x.conllu": "expected another file than the input",
                            "y.conllu.gz": "expected a name without .gz",
                            "a.h5": "expected no data set"}.items():  # fmt: skip
        done = tag(checkpoint, file, "-o", tmp_path / output, text=True)
        assert done.returncode == 2 and problem in done.stderr
    done = subprocess.run([os.environ["QUADGATE_BIN"], "predict", checkpoint, "--input", file, "-o",
                           tmp_path / "out.conllu"], capture_output=True, text=True)  # fmt: skip
    assert done.returncode == 2 and "quadgate tag" in done.stderr
