#!/usr/bin/env bash
# keras 3.15.1, jax 0.10.2: an RNN of several GRU or simple cells that is given its initial states, one array a cell,
# and a mask. A padded step repeats the output before it; on the jax backend it is the state of the first cell, where
# the output is that of the last. So the output behind a shorter sequence, the only one without return_sequences, is
# another layer's. Nothing is said where the cells have the same number of units; else jax raises an error. Without
# initial states, of LSTM cells, and with unroll=True it is right, as are the states that return_state gives. Steps
# that are masked before a sequence begins have the initial state for their output, with unroll=True zeros, as on the
# torch backend; that is so of a single GRU or LSTM, too. keras' numpy backend does both of these as jax does.
# https://keras.io/api/layers/recurrent_layers/rnn/
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q keras==3.15.1 jax==0.10.2 jaxlib==0.10.2 numpy==2.4.6
cd "$folder"
KERAS_BACKEND=jax venv/bin/python -W ignore - 2>log <<'PYTHON' || { tail -5 log; exit 1; }
import numpy
from keras import layers

SEQUENCES, STEPS, INPUTS, UNITS = 2, 5, 3, 4
random = numpy.random.default_rng(0)
x = random.normal(size=(SEQUENCES, STEPS, INPUTS)).astype("f4")
first, second = random.normal(size=(2, SEQUENCES, UNITS)).astype("f4")
behind = numpy.array([[1, 1, 1, 1, 1], [1, 1, 1, 0, 0]], bool)  # the second sequence is 3 steps and padding
before = behind[:, ::-1]


def stack(cell, **options):
    layer = layers.RNN([cell(UNITS), cell(UNITS)], **options)
    layer(x)
    weights = numpy.random.default_rng(1)
    layer.set_weights([weights.normal(0, 0.5, w.shape) for w in layer.get_weights()])
    return layer


def by_hand(layer, row, length):
    """The states of both simple cells behind the first steps of a sequence."""
    h = [first[row], second[row]]
    w = layer.get_weights()
    for value in x[row, :length]:
        for k in range(2):
            kernel, recurrent, bias = w[3 * k : 3 * k + 3]
            value = h[k] = numpy.tanh(value @ kernel + h[k] @ recurrent + bias)
    return h


def apart(p, q):
    return float(abs(numpy.asarray(p) - numpy.asarray(q)).max())


for cell in (layers.SimpleRNNCell, layers.GRUCell):
    layer = stack(cell, return_state=True)
    y, h_first, h_second = layer(x, mask=behind, initial_state=[first, second])
    alone = layer(x[1:, :3], initial_state=[first[1:], second[1:]])  # without padding
    if cell is layers.SimpleRNNCell:
        for row, length in ((0, 5), (1, 3)):
            assert apart(by_hand(layer, row, length), [h_first[row], h_second[row]]) < 1e-5
    print(f"{cell.__name__}: full sequence off by {apart(y[0], h_second[0]):.1g}, shorter one by", end=" ")
    print(f"{apart(y[1], alone[0][0]):.2f}, from the first cell's state by {apart(y[1], alone[1][0]):.1g}")
    assert apart(y[0], h_second[0]) < 1e-6 and apart(y[1], alone[0][0]) > 0.05
    assert apart(h_second[1], alone[0][0]) < 1e-6 and apart(y[1], alone[1][0]) < 1e-6
    y = stack(cell, unroll=True)(x, mask=behind, initial_state=[first, second])
    assert apart(y[1], alone[0][0]) < 1e-6
    y, _, h_second = layer(x, mask=behind)
    assert apart(y, h_second) < 1e-6

starts = {}
for unroll in (False, True):
    layer = layers.GRU(UNITS, return_sequences=True, unroll=unroll)
    y = numpy.asarray(layer(x, mask=before, initial_state=first))[1, :2]
    starts[unroll] = y
    print(f"GRU, unroll={unroll}: outputs of masked first steps", y.round(2).tolist())
assert (starts[False] == first[1]).all() and not starts[True].any()
PYTHON
