#!/usr/bin/env bash
# hls4ml 1.3.0, keras 3.15.1 on jax 0.10.2, backend Vitis, io_parallel: three recurrent layers of Keras are converted
# and compiled without an error, and are others. LSTM and GRU with go_backwards=True read their input forwards:
# the numbers are those of the layer without it. A SimpleRNN becomes a project whose firmware loads its weights and
# has no call that computes it; predict() gives what lies in memory. A GRU with reset_after=False keeps its bias'
# first value as bias and the second as recurrent bias, of 12 values here. Plain LSTM and GRU are right to the
# precision of their fixed point numbers and tables, 1e-2. The table of what is supported has all of RNN, LSTM, GRU.
# https://fastmachinelearning.org/hls4ml/intro/status.html
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q hls4ml==1.3.0 keras==3.15.1 jax==0.10.2 numpy==2.4.6
cd "$folder"
KERAS_BACKEND=jax venv/bin/python -W ignore - <<'PYTHON'
import contextlib
import io
import pathlib

import hls4ml
import keras
import numpy
from keras import layers

x = numpy.random.default_rng(0).normal(size=(8, 6, 5)).astype("f4")


def convert(name, layer):
    """The Keras model, what hls4ml makes of it, what it printed, and the lines of the firmware that compute."""
    inputs = keras.Input((6, 5))
    model = keras.Model(inputs, layer(inputs))
    random = numpy.random.default_rng(1)
    model.set_weights([0.4 * random.normal(size=w.shape).astype("f4") for w in model.get_weights()])
    told = io.StringIO()
    with contextlib.redirect_stdout(told):
        config = hls4ml.utils.config_from_keras_model(
            model, granularity="name", backend="Vitis", default_precision="ap_fixed<32,12>")  # fmt: skip
        made = hls4ml.converters.convert_from_keras_model(
            model, hls_config=config, output_dir=name, backend="Vitis", io_type="io_parallel")  # fmt: skip
        made.compile()
    lines = pathlib.Path(name, "firmware/myproject.cpp").read_text().splitlines()
    calls = [line for line in lines if "nnet::" in line and "load_weights" not in line]
    assert not any("WARNING" in line for line in told.getvalue().splitlines()), told.getvalue()
    return model, made, calls


for kind in (layers.LSTM, layers.GRU):
    plain, made, calls = convert(f"plain_{kind.__name__}", kind(4))
    right = abs(made.predict(x) - numpy.asarray(plain(x))).max()
    backward, made, calls = convert(f"backward_{kind.__name__}", kind(4, go_backwards=True))
    got = made.predict(x)
    off, forward = abs(got - numpy.asarray(backward(x))).max(), abs(got - numpy.asarray(plain(x))).max()
    print(f"{kind.__name__}: off by {right:.2g}; go_backwards: off by {off:.2g}, from forwards by {forward:.2g}")
    assert len(calls) == 1 and right < 0.03 and forward < 0.03 and off > 0.15

model, made, calls = convert("simple", layers.SimpleRNN(4))
print(f"SimpleRNN: {calls} compute")
assert not calls

model, made, calls = convert("before", layers.GRU(4, reset_after=False))
(layer,) = [layer for layer in made.get_layers() if "GRU" in type(layer).__name__]
kept = [layer.weights[name].data.flatten().tolist() for name in ("bias", "recurrent_bias")]
bias = model.get_weights()[2]
print(f"reset_after=False: a bias of {bias.shape} becomes {kept}")
assert bias.shape == (12,) and numpy.allclose(kept, bias[:2, None])
PYTHON
