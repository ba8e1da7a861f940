#!/usr/bin/env bash
# scoringrules 0.10.0, numpy 2.4.6, scipy 1.17.1: the CRPS of a forecast is finite for any observation, by its
# definition as an integral of squares. crps_tlogistic, crps_clogistic and crps_gtclogistic, whose bounds are infinite
# unless given, are NaN where one is given, as for an amount that cannot be negative. With both or none, and of the
# normal and t distributions with any, they are right. crps_logistic is infinite of an observation 720 scales below
# the forecast, and right as far above it. Outside of the distribution's support, where a forecast was most wrong,
# crps_beta, crps_lognormal and crps_loglogistic are NaN; of gamma, exponential, gpd and uniform it is right.
# https://scoringrules.readthedocs.io/en/latest/api/crps/
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q scoringrules==0.10.0 numpy==2.4.6 scipy==1.17.1
cd "$folder"
venv/bin/python -W ignore - <<'PYTHON'
import math

import scoringrules
from scipy import integrate, stats


def crps(distribution, y, lower=-math.inf, upper=math.inf, truncated=False):
    """The integral of (F(x) - 1(x >= y))^2, where F is censored or truncated at the bounds."""
    below, above = distribution.cdf(lower), distribution.cdf(upper)

    def squared(x):
        f = distribution.cdf(x)
        f = 0 if x < lower else 1 if x >= upper else (f - below) / (above - below) if truncated else f
        return (f - (x >= y)) ** 2

    ends = [distribution.ppf(1e-12), distribution.ppf(1 - 1e-12), lower, upper, y, *distribution.ppf([0.01, 0.5, 0.99])]
    ends = sorted({float(end) for end in ends if math.isfinite(end)})
    return sum(integrate.quad(squared, *piece)[0] for piece in zip(ends, ends[1:]))


y, location, scale = 0.3, 0.5, 1.3
kinds = {"logistic": (stats.logistic, ()), "normal": (stats.norm, ()), "t": (stats.t, (5.0,))}
for name, (kind, shape) in kinds.items():
    distribution = kind(*shape, location, scale)
    for bounds in ({}, {"lower": 0.0}, {"upper": 2.0}, {"lower": 0.0, "upper": 2.0}):
        for letter in "tc":
            got = float(getattr(scoringrules, f"crps_{letter}{name}")(y, *shape, location, scale, **bounds))
            true = crps(distribution, y, truncated=letter == "t", **bounds)
            print(f"crps_{letter}{name} {bounds}: {got:.5f}, by its definition {true:.5f}")
            assert math.isnan(got) if name == "logistic" and len(bounds) == 1 else math.isclose(got, true, rel_tol=1e-3)
assert math.isnan(scoringrules.crps_gtclogistic(y, location, scale, lower=0.0))

below, above = (float(scoringrules.crps_logistic(y, 0.0, 1.0)) for y in (-720.0, 720.0))
print(f"crps_logistic, 720 scales below {below}, above {above}, by its definition {crps(stats.logistic(), -720.0):.5f}")
assert below == math.inf and above == 719 and math.isclose(crps(stats.logistic(), -720.0), 719, rel_tol=1e-6)

outside = {  # the score, its observation outside the support, its options and the distribution
    "beta": (1.2, {"a": 2.0, "b": 3.0}, stats.beta(2, 3)),
    "lognormal": (-1.0, {"mulog": 0.2, "sigmalog": 0.6}, stats.lognorm(0.6, scale=math.exp(0.2))),
    "loglogistic": (-1.0, {"mulog": 0.2, "sigmalog": 0.4}, stats.fisk(2.5, scale=math.exp(0.2))),
    "gamma": (-1.0, {"shape": 2.0, "rate": 1.5}, stats.gamma(2, scale=1 / 1.5)),
    "exponential": (-1.0, {"rate": 1.5}, stats.expon(scale=1 / 1.5)),
    "gpd": (-1.0, {"shape": 0.2}, stats.genpareto(0.2)),
    "uniform": (1.5, {"min": 0.0, "max": 1.0}, stats.uniform()),
}
for name, (y, options, distribution) in outside.items():
    got, true = float(getattr(scoringrules, f"crps_{name}")(y, **options)), crps(distribution, y)
    print(f"crps_{name} of {y}: {got:.4f}, by its definition {true:.4f}")
    nan = name in ("beta", "lognormal", "loglogistic")
    assert math.isfinite(true) and (math.isnan(got) if nan else math.isclose(got, true, rel_tol=2e-3))
PYTHON
