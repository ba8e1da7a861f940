#!/usr/bin/env bash
# mealpy 3.0.3, OriginalGWO (grey wolves): its `a` falls to 0 in the last epoch, so that every wolf then moves to the mean
# of the three leaders. The last pop_size evaluations of the objective are of one point. In the paper
# (doi.org/10.1016/j.advengsoft.2013.12.007) `a` falls from 2 to 0 over the iterations; here 10 wolves in 6 epochs
# evaluate 10 points in each epoch but the last.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q numpy==1.26.0 mealpy==3.0.3
"$folder/venv/bin/python" - <<'PYTHON'
import numpy as np
from mealpy import FloatVar
from mealpy.swarm_based.GWO import OriginalGWO

WOLVES, EPOCHS = 10, 6
points = []


def sphere(x):
    points.append(tuple(x))
    return float(np.sum(x**2))


problem = {"obj_func": sphere, "bounds": FloatVar(lb=[-5.0] * 3, ub=[5.0] * 3), "minmax": "min", "log_to": None}
OriginalGWO(epoch=EPOCHS, pop_size=WOLVES).solve(problem, seed=1)
points = points[-EPOCHS * WOLVES :]  # behind the first pack's
distinct = [len(set(points[i : i + WOLVES])) for i in range(0, len(points), WOLVES)]
print("points that differ, of each epoch:", distinct)
assert distinct == [WOLVES] * (EPOCHS - 1) + [1]
PYTHON
