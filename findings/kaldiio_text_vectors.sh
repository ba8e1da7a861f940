#!/usr/bin/env bash
# kaldiio 2.18.1, kaldi_native_io 1.23.0 (Kaldi's own code), numpy 2.4.6: text archives of vectors are read wrongly. An
# empty vector of int32 (labels of frames, alignments) is a key alone on its line: kaldiio takes the next line for the
# vector, so that the next utterance is gone, and where its name is a number, that is the first label. The last vector
# of an archive, where it is one label of one digit, gets the end of its own key in front of it where that is a digit.
# Nothing is said. Where the names are no numbers, both are errors, and the archive ends there. A float vector is int32
# where its first number has no point: Kaldi writes 1 for 1.0. If another is not whole, as 0.25 after 2, numpy refuses
# the line. Float matrices, and binary archives, are read right.
# https://kaldi-asr.org/doc/io.html
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q kaldiio==2.18.1 kaldi_native_io==1.23.0 numpy==2.4.6
cd "$folder"
venv/bin/python - <<'PYTHON'
import kaldi_native_io as kaldi
import kaldiio
import numpy


def write(kind, how, values):
    """Kaldi writes the archive and reads it again."""
    with getattr(kaldi, f"{kind}Writer")(f"{how}:{kind}.ark") as file:
        for key, value in values.items():
            file.write(key, value)
    with getattr(kaldi, f"Sequential{kind}Reader")(f"ark:{kind}.ark") as file:
        assert {key: numpy.array(value).tolist() for key, value in file} == {
            key: numpy.array(value).tolist() for key, value in values.items()
        }
    return f"{kind}.ark"


def read(path):
    """What kaldiio reads of it, and the error that ends it."""
    found = {}
    try:
        for key, value in kaldiio.load_ark(path):
            found[key] = value
    except Exception as error:
        print(f"  {type(error).__name__}: {error}")
        return found, type(error).__name__
    return found, None


def lists(found):
    return {key: value.tolist() for key, value in found.items()}


print("labels:")
labels = {"101": [1, 2], "102": [], "103": [3, 4], "104": [5]}
found, error = read(write("Int32Vector", "ark,t", labels))
print(" ", lists(found))
assert error is None and lists(found) == {"101": [1, 2], "102": [103, 3, 4], "104": [4, 5]}
found, error = read(write("Int32Vector", "ark", labels))
assert error is None and lists(found) == labels
for labels in ({"a": [1, 2], "b": [], "c": [3, 4]}, {"a": [1, 2], "b": [5]}):
    found, error = read(write("Int32Vector", "ark,t", labels))
    assert list(found) == ["a"] and error == "RuntimeError"

print("vectors of floats:")
floats = {"a": numpy.array([0.5, 1, 2], "f4"), "b": numpy.array([1, 2], "f4"), "c": numpy.array([2, 0.25], "f4")}
found, error = read(write("FloatVector", "ark,t", floats))
print(" ", {key: value.dtype.name for key, value in found.items()})
assert {key: value.dtype.name for key, value in found.items()} == {"a": "float32", "b": "int32"}
assert error == "ValueError"
found, error = read(write("FloatVector", "ark", floats))
assert error is None and all(value.dtype == "f4" and (value == floats[key]).all() for key, value in found.items())
found, error = read(write("FloatMatrix", "ark,t", {key: value[None] for key, value in floats.items()}))
assert error is None and all(value.dtype == "f4" and (value[0] == floats[key]).all() for key, value in found.items())
PYTHON
