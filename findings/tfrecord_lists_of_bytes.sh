#!/usr/bin/env bash
# tfrecord 1.14.6, numpy 2.4.6: a feature of several byte strings, as the frames of a clip or the tokens of a sentence,
# is written to a TFRecord file as it is. Read again, it is an array of numpy's type S, for which zero bytes at the end
# of a string are not part of it: frames of int32, whose high bytes are mostly 0, lose bytes of their last number, and
# frames of any type the zeros that they end with, so that two samples of 16 bits and silence are two samples. Nothing
# is said. The same string is whole where it is the only one of its feature, and in a SequenceExample, where each step
# is a feature.
# https://github.com/vahidk/tfrecord, since issue 102: before, the first string alone was read
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q tfrecord==1.14.6 numpy==2.4.6 protobuf==7.36.2
cd "$folder"
venv/bin/python -W ignore - <<'PYTHON'
import struct

import numpy
import tfrecord
from tfrecord import example_pb2

clip = [numpy.array(frame, "<i4") for frame in ([1, 2, 3], [400, 500, 70000], [7, 0, 0])]
sound = [numpy.array(frame, "<i2") for frame in ([300, -1, 260, 5000], [300, 4000, 0, 0])]
lists = {"clip": [frame.tobytes() for frame in clip], "sound": [frame.tobytes() for frame in sound]}

writer = tfrecord.TFRecordWriter("data.tfrecord")
writer.write({key: (value, "byte") for key, value in lists.items()} | {"alone": (lists["clip"][2], "byte")})
writer.close()

with open("data.tfrecord", "rb") as file:
    (size,) = struct.unpack("<Q", file.read(12)[:8])
    example = example_pb2.Example.FromString(file.read(size))
for key, value in lists.items():
    assert list(example.features.feature[key].bytes_list.value) == value  # the file has all bytes

kinds = dict.fromkeys([*lists, "alone"], "byte")
(record,) = tfrecord.tfrecord_loader("data.tfrecord", None, kinds)
for key, value in lists.items():
    print(key, "written", [len(v) for v in value], "bytes, read", [len(v) for v in record[key]], record[key].dtype)
    assert all(read == wrote.rstrip(b"\0") for read, wrote in zip(record[key], value))
assert [len(v) for v in record["clip"]] == [9, 11, 1]
last = numpy.frombuffer(record["sound"][1], "<i2")
print("frame", sound[1].tolist(), "is", last.tolist())
assert last.tolist() == [300, 4000]
assert record["alone"] == lists["clip"][2] and len(record["alone"]) == 12

writer = tfrecord.TFRecordWriter("s.tfrecord")
writer.write({"steps": (3, "int")}, {"clip": (lists["clip"], "byte")})
writer.close()
((_, steps),) = tfrecord.tfrecord_loader("s.tfrecord", None, {"steps": "int"}, sequence_description={"clip": "byte"})
assert steps["clip"] == lists["clip"]
PYTHON
