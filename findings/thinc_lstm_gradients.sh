#!/usr/bin/env bash
# thinc 9.1.1, numpy 2.4.6: LSTM.v1 computes on the CPU what it should, and trains with other gradients. Those of the
# weights have the weights themselves in them: of sequences of one step the gradient is exactly the weights (of the two
# biases their sum), so that plain gradient descent only lets them decay. The step where a direction begins, the first
# or, reversed, the last, has no part in the weights' gradient and gets an input gradient of zero; the input gradients
# of the others are right, as are all of PyTorchLSTM.v1, the layer of the same library around torch 2.13.0.
# https://thinc.ai/docs/api-layers#lstm
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q thinc==9.1.1 torch==2.13.0 numpy==2.4.6
cd "$folder"
venv/bin/python -W ignore - <<'PYTHON'
import numpy
from thinc.api import LSTM, PyTorchLSTM, with_padded

random = numpy.random.default_rng(0)


def normal(*shape):
    return random.normal(size=shape).astype("f4")


def numeric(loss, array, step=0.02):
    """The gradient of loss by central differences, which are good to 1e-3 here."""
    gradient = numpy.zeros_like(array)
    for index in numpy.ndindex(*array.shape):
        value = array[index]
        array[index] = value + step
        more = loss()
        array[index] = value - step
        gradient[index] = (more - loss()) / (2 * step)
        array[index] = value
    return gradient


def gradients(model, lengths, weights=None):
    """Input gradients as the model has them and as they are, and the same for the weights of LSTM.v1."""
    x = [normal(length, 3) for length in lengths]
    model.initialize(X=x)
    if weights is not None:
        model.layers[0].set_param("LSTM", weights.copy())
    y, backward = model(x, is_train=True)
    dy = [normal(*part.shape) for part in y]
    dx = backward(dy)

    def loss():
        if weights is not None:
            model.layers[0].set_param("LSTM", weights)
        return sum((part.astype("f8") * d).sum() for part, d in zip(model.predict(x), dy))

    true = [numeric(loss, part) for part in x]
    if weights is None:
        return numpy.concatenate(dx), numpy.concatenate(true)
    return numpy.concatenate(dx), numpy.concatenate(true), model.layers[0].get_grad("LSTM"), numeric(loss, weights)


dx, true = gradients(PyTorchLSTM(4, 3), [5, 2])
print(f"PyTorchLSTM: input gradients off by {abs(dx - true).max():.1g}")
assert abs(dx - true).max() < 2e-3

weights = 0.4 * normal(144)  # W 16 x 3, its bias, R 16 x 4, its bias
for lengths in ([1, 1], [5, 2]):
    dx, true, dw, true_dw = gradients(with_padded(LSTM(4, 3)), lengths, weights)
    off, off_dw = abs(dx - true).max(axis=1), abs(dw - true_dw).max()
    print(f"LSTM, lengths {lengths}: weights' gradient off by {off_dw:.2g}, a step's of the input by {off.round(3)}")
    if lengths == [1, 1]:
        assert not dx.any()
        assert numpy.array_equal(dw[:48], weights[:48]) and numpy.array_equal(dw[64:128], weights[64:128])
        assert numpy.allclose(dw[48:64], weights[48:64] + weights[128:]) and not dw[128:].any()
    else:
        firsts = [0, 5]
        assert not dx[firsts].any() and off[firsts].min() > 0.02 and numpy.delete(off, firsts).max() < 2e-3
        assert off_dw > 0.5
PYTHON
