#!/usr/bin/env bash
# mindspore 2.10.0 on a CPU, numpy 1.26.4: tanh of float32 is a fraction of polynomials, cut to 1 beyond 5. It is off by
# up to 1.0e-4, rises above 1 from about 4.98, where its gradient, 1 - y * y, has the wrong sign, and falls at 5 by
# 1e-5. nn.RNN and nn.GRU are made of it, and nn.LSTM that is given seq_length: their outputs are off by about as much.
# nn.LSTM without seq_length is another kernel, right to float precision, so that full lengths change its
# numbers. In float64 tanh is right.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q mindspore==2.10.0 numpy==1.26.4
cd "$folder"
GLOG_v=3 venv/bin/python -W ignore - <<'PYTHON'
import mindspore
import numpy
from mindspore import Tensor, nn, ops

mindspore.set_context(device_target="CPU")
x = numpy.linspace(-6, 6, 120001).astype("f4")
y = ops.tanh(Tensor(x)).asnumpy()
off = abs(y - numpy.tanh(x.astype("f8")))
print(f"tanh: off by {off.max():.3g} at {x[off.argmax()]:.2f}, largest value {y.max():.8f}")
assert 9e-5 < off.max() < 1.1e-4 and y.max() > 1.000005 and numpy.diff(y[x > 0]).min() < -5e-6
slope = mindspore.grad(lambda v: ops.tanh(v).sum())(Tensor(numpy.array([4.9, 4.999], "f4"))).asnumpy()
print(f"gradient at 4.9 and 4.999: {slope}, truth {1 - numpy.tanh([4.9, 4.999]) ** 2}")
assert slope[1] < 0 < slope[0]
assert abs(ops.tanh(Tensor(x.astype("f8"))).asnumpy() - numpy.tanh(x.astype("f8"))).max() < 1e-15

random = numpy.random.default_rng(0)
T, N, I, H = 6, 4, 5, 7
steps = random.normal(size=(N, T, I)).astype("f4")
full = Tensor(numpy.full(N, T, "i4"))


def sigmoid(v):
    return 1 / (1 + numpy.exp(-v))


def layer(kind):
    made = kind(I, H, batch_first=True).set_train(False)
    for value in made.get_parameters():
        value.set_data(Tensor(random.normal(size=value.shape).astype("f4")))
    weights = {value.name: value.asnumpy().astype("f8") for value in made.get_parameters()}
    return made, weights


def truth(weights):
    h = c = numpy.zeros((N, H))
    for t in range(T):
        a = steps[:, t] @ weights["weight_ih_l0"].T + weights["bias_ih_l0"]
        b = h @ weights["weight_hh_l0"].T + weights["bias_hh_l0"]
        if len(a[0]) == H:
            h = numpy.tanh(a + b)
        elif len(a[0]) == 3 * H:
            (r, z, n), (rh, zh, nh) = numpy.split(a, 3, 1), numpy.split(b, 3, 1)
            r, z = sigmoid(r + rh), sigmoid(z + zh)
            h = (1 - z) * numpy.tanh(n + r * nh) + z * h
        else:
            i, f, g, o = numpy.split(a + b, 4, 1)
            c = sigmoid(f) * c + sigmoid(i) * numpy.tanh(g)
            h = sigmoid(o) * numpy.tanh(c)
    return h


for kind, lengths, least, most in (
    (nn.RNN, None, 1e-5, 1e-2), (nn.GRU, None, 3e-6, 1e-2), (nn.LSTM, full, 3e-6, 1e-2), (nn.LSTM, None, 0, 1e-6),
):  # fmt: skip
    worst = 0
    for _ in range(5):
        made, weights = layer(kind)
        h = made(Tensor(steps), None, lengths)[0].asnumpy()[:, -1]
        worst = max(worst, abs(h - truth(weights)).max())
    print(f"{kind.__name__}, {'no' if lengths is None else 'full'} lengths: last step off by {worst:.2g}")
    assert least < worst < most
PYTHON
