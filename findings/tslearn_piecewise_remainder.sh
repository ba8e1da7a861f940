#!/usr/bin/env bash
# tslearn 0.10.0, numpy 2.4.6: PiecewiseAggregateApproximation, SymbolicAggregateApproximation and the one-dimensional
# variant cut a series into n_segments pieces of len // n_segments steps each. The steps left over, up to one less
# than n_segments, are in none, without a word: of 7 steps in 4 segments the last 3, so that the "means" of the segments
# are the first 4 values. Series that differ only there have the same segments and symbols, and distance 0. What
# inverse_transform writes for these steps is whatever lay in memory. Other implementations let a step on the border of
# two segments count in both, by its parts. Where n_segments divides the length, all is right.
# https://tslearn.readthedocs.io/en/stable/gen_modules/tslearn.piecewise.html
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q tslearn==0.10.0 numpy==2.4.6
cd "$folder"
venv/bin/python -W ignore - <<'PYTHON'
import numpy
from tslearn.piecewise import (
    OneD_SymbolicAggregateApproximation,
    PiecewiseAggregateApproximation,
    SymbolicAggregateApproximation,
)


def segments(series, count):
    """The means of all steps: each step is cut into `count` equal parts, and len(series) parts make a segment."""
    return numpy.repeat(series, count).reshape(count, -1).mean(axis=1)


series = numpy.arange(1.0, 8)
for count, used in ((7, 7), (2, 6), (3, 6), (4, 4), (5, 5)):
    paa = PiecewiseAggregateApproximation(n_segments=count)
    found = paa.fit_transform(series[None])[0, :, 0]
    print(f"{count} segments of {series}: {found}, of all steps {segments(series, count).round(3)}")
    assert numpy.allclose(found, segments(series[:used], count))
    assert numpy.allclose(found, segments(series, count)) == (count == 7)
    back = paa.inverse_transform(found[None, :, None])[0, :, 0]
    assert len(back) == 7 and numpy.allclose(back[:used], numpy.repeat(found, used // count))

other = series.copy()
other[4:] = [-50, 50, 90]
both = numpy.stack([series, other])
kinds = {
    "PAA": PiecewiseAggregateApproximation(n_segments=4),
    "SAX": SymbolicAggregateApproximation(n_segments=4, alphabet_size_avg=5),
    "1d-SAX": OneD_SymbolicAggregateApproximation(n_segments=2, alphabet_size_avg=5, alphabet_size_slope=5),
}
for name, kind in kinds.items():
    pair = both if name != "1d-SAX" else numpy.stack([series[:5], [*series[:4], 99]])
    one, two = kind.fit_transform(pair)
    distance = float(kind.distance(pair[0], pair[1]))
    print(f"{name} of {pair[0]} and {pair[1]}: distance {distance}")
    assert numpy.array_equal(one, two) and distance == 0
PYTHON
