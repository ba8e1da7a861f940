#!/usr/bin/env bash
# dtaidistance 2.5.1, numpy 2.4.6: dtw.distance is computed in Python or, with use_c=True (distance_fast,
# distance_matrix_fast), in C, and these differ. With inner_dist="euclidean", the absolute difference, C squares penalty
# and max_step as it must for the default, squared differences: a penalty of 0.5 is 0.25, one of 3 is 9, and steps up to
# the square of max_step are allowed. With max_length_diff=0, "return infinity if length of two series is larger", C has
# no such bound. Nothing is said. Python is right by hand of all of them, C of the default inner distance, and so is
# warping_paths_fast, C as well, of the penalty.
# https://dtaidistance.readthedocs.io/en/latest/modules/dtw.html
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q dtaidistance==2.5.1 numpy==2.4.6
cd "$folder"
venv/bin/python -W ignore - <<'PYTHON'
import math

import numpy
from dtaidistance import dtw

random = numpy.random.default_rng(0)
pairs = [[random.normal(0, 0.7, size) for size in random.integers(3, 9, 2)] for _ in range(100)]


def by_hand(p, q, penalty=0.0, max_step=math.inf, squared=False):
    """The recurrence of dynamic time warping, of absolute or squared differences."""
    power = 2 if squared else 1
    total = numpy.full((len(p) + 1, len(q) + 1), math.inf)
    total[0, 0] = 0
    for i, value in enumerate(p):
        for j, other in enumerate(q):
            if abs(value - other) <= max_step:
                aside = min(total[i, j + 1], total[i + 1, j]) + penalty**power
                total[i + 1, j + 1] = abs(value - other) ** power + min(total[i, j], aside)
    return total[-1, -1] ** (1 / power)


def same(p, q):
    return p == q or abs(p - q) < 1e-9


for option in ({"penalty": 0.5}, {"penalty": 3.0}, {"max_step": 0.6}, {"max_step": 1.6}):
    for inner in ("squared euclidean", "euclidean"):
        squared = inner != "euclidean"
        right = [by_hand(*pair, squared=squared, **option) for pair in pairs]
        off = {}
        for name, use_c in (("Python", False), ("C", True)):
            found = [dtw.distance(*pair, inner_dist=inner, use_c=use_c, **option) for pair in pairs]
            off[name] = sum(not same(p, q) for p, q in zip(found, right))
        print(f"{inner}, {option}: other than by hand in Python {off['Python']}, in C {off['C']} of {len(pairs)}")
        assert off["Python"] == 0 and (off["C"] == 0 if squared else off["C"] > 5)
        if not squared:  # C is the distance with the option squared
            of_square = [by_hand(*pair, **{key: value**2 for key, value in option.items()}) for pair in pairs]
            assert all(same(p, q) for p, q in zip(found, of_square))
        if "penalty" in option:
            paths = [dtw.warping_paths_fast(*pair, inner_dist=inner, **option)[0] for pair in pairs]
            assert all(same(p, q) for p, q in zip(paths, right))

series = numpy.array([0.0, 1, 2]), numpy.array([0.0, 1, 2, 3])
for bound in (0, 1):
    found = [dtw.distance(*series, max_length_diff=bound, use_c=use_c) for use_c in (False, True)]
    print(f"lengths 3 and 4, max_length_diff={bound}: Python {found[0]}, C {found[1]}")
    assert found == ([math.inf, 1] if bound == 0 else [1, 1])
PYTHON
