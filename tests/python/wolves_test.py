# Sweeps: the grey wolves of quadgate.tune on functions with a known minimum, beside mealpy's own loop (the same
# bits), and what places of the unit cube are of each kind of distribution.

import math

import numpy
import pytest

pytest.importorskip("optuna")
pytest.importorskip("mealpy")

from mealpy import FloatVar  # noqa: E402
from mealpy.swarm_based.GWO import OriginalGWO  # noqa: E402
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution  # noqa: E402

from quadgate._wolves import hunt, value_at  # noqa: E402

CUBE = {"lb": (0.0,) * 3, "ub": (1.0,) * 3}


def sphere(point):
    return ((point - 0.3) ** 2).sum()


def rosenbrock(point):
    x = 4 * point - 2  # the minimum, 0, is at 1
    return (100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2).sum()


def points_of(function, count, seed=1):
    generations = []

    def evaluate(points):
        generations.append(points)
        return [function(point) for point in points]

    hunt(evaluate, 3, count, seed)
    return generations


@pytest.mark.parametrize("function, least, at, near", [(sphere, 1e-5, 0.3, 1e-2), (rosenbrock, 0.5, 0.75, 0.2)])
def test_finds_a_known_minimum(function, least, at, near):
    points = numpy.concatenate(points_of(function, 900))
    values = [function(point) for point in points]
    drawn = numpy.random.default_rng(1).random((900, 3))
    assert min(values) < least < min(map(function, drawn))
    assert abs(points[numpy.argmin(values)] - at).max() < near


@pytest.mark.parametrize("function", [sphere, rosenbrock])
def test_stands_where_mealpys_own_loop_does(function):
    ours = points_of(function, 60, seed=7)
    start = numpy.random.default_rng(7).random((7, 3))
    theirs = []
    problem = {"bounds": FloatVar(**CUBE), "minmax": "min", "log_to": None,
               "obj_func": lambda point: theirs.append(point.copy()) or function(point)}  # fmt: skip
    OriginalGWO(epoch=9, pop_size=7).solve(problem, mode="swarm", starting_solutions=start, seed=7)
    assert numpy.array_equal(numpy.concatenate(ours), theirs[:60])


@pytest.mark.parametrize("count, sizes", [(1, [1]), (5, [5]), (12, [5, 5, 2]), (49, [7] * 7)])
def test_asks_for_generations_and_no_more_than_it_may(count, sizes):
    generations = points_of(sphere, count)
    assert [len(points) for points in generations] == sizes
    points = numpy.concatenate(generations)
    assert len({tuple(point) for point in points}) == count  # mealpy's last generation has one
    assert points.min() >= 0 and points.max() <= 1


@pytest.mark.parametrize(
    "distribution",
    [
        FloatDistribution(-2, 3),
        FloatDistribution(1e-4, 1e-1, log=True),
        FloatDistribution(0, 1, step=0.25),
        IntDistribution(2, 5),
        IntDistribution(0, 12, step=4),
        IntDistribution(1, 64, log=True),
        CategoricalDistribution(["a", None, 3]),
    ],
)
def test_places_are_values_in_equal_shares(distribution):
    values = [value_at(distribution, place) for place in numpy.linspace(0, 1, 6001)]
    assert all(distribution._contains(distribution.to_internal_repr(value)) for value in values)
    if isinstance(distribution, FloatDistribution) and distribution.step is None:
        ends, middle = (distribution.low, distribution.high), values[3000]
        mean = math.sqrt(ends[0] * ends[1]) if distribution.log else sum(ends) / 2
        assert (values[0], values[-1]) == pytest.approx(ends) and middle == pytest.approx(mean)
        return
    shares = {value: values.count(value) / len(values) for value in dict.fromkeys(values)}
    if distribution == IntDistribution(1, 64, log=True):
        assert shares == {
            n: pytest.approx(math.log((n + 0.5) / (n - 0.5)) / math.log(64.5 / 0.5), abs=1e-3)
            for n in range(1, 65)
        }
        return
    assert all(share == pytest.approx(1 / len(shares), abs=1e-3) for share in shares.values())
