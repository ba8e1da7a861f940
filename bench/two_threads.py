#!/usr/bin/env python3
"""What two threads reach of what two one-thread runs at once do: `quadgate bench` both ways, in turns.

Each of the two runs is held to a CPU of its own by taskset, and one with two threads to both. Rates
are steps a second, of the median step; the share is the median over the rounds.

    bench/two_threads.py --cpus 0,1 --shapes H128x2 H256x2 H512 words-H200x2
"""

import argparse
import json
import statistics
import subprocess

from compare_steps import LANGUAGE_MODELS, SHAPES


def start(options, shape, threads, cpus):
    bench = [options.quadgate, "bench", *shape.flags(options.precision, threads)]
    return subprocess.Popen(
        ["taskset", "-c", cpus, *bench, "--seconds", str(options.seconds), "--json"],
        stdout=subprocess.PIPE,
    )


def rate(run):
    output, _ = run.communicate()
    if run.returncode != 0:
        raise SystemExit(f"quadgate bench ended with {run.returncode}")
    return 1e3 / json.loads(output)["step_ms_median"]


def share(options, shape):
    """Of the rate of two one-thread runs, in one round."""
    runs = [start(options, shape, 1, cpu) for cpu in options.cpus.split(",")]
    at_once = sum([rate(run) for run in runs])
    return rate(start(options, shape, 2, options.cpus)) / at_once


def main():
    shapes = {shape.name: shape for shape in (*SHAPES, *LANGUAGE_MODELS)}
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quadgate", default="build/release/bin/quadgate")
    parser.add_argument("--cpus", default="0,1", help="two, of different cores")
    parser.add_argument("--precision", default="f32", choices=["f32", "bf16"])
    parser.add_argument("--shapes", nargs="+", default=list(shapes), choices=list(shapes))
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=0.5)
    options = parser.parse_args()
    if options.cpus.count(",") != 1:
        parser.error(f"--cpus: expected two such as 0,1, found '{options.cpus}'")
    rounds = [[share(options, shapes[name]) for name in options.shapes] for _ in range(options.repeats)]
    for name, shares in zip(options.shapes, zip(*rounds)):
        print(f"{name:14} {statistics.median(shares):.3f} ({min(shares):.3f} to {max(shares):.3f})")


if __name__ == "__main__":
    main()
