"""Training steps of quadgate beside PyTorch's: the shapes, both programs, the interleaving."""

import dataclasses
import functools
import json
import os
import random
import statistics
import subprocess
from collections.abc import Mapping, Sequence

from compare_settings import Failed, TorchWorker, find_fastest, last_line, settings_to_try

MEASURED = ("step_ms_median", "step_ms_min", "peak_rss_mb")  # of both sides
QUADGATE_MEASURED = (*MEASURED, "gflops", "peak_gflops", "peak_fraction")
BENCH_FIELDS = (*QUADGATE_MEASURED, "tokens_per_s", "threads", "precision")
FEWEST_STEPS = 5  # of PyTorch in a repeat, as `quadgate bench` does


class NotAvailable(Exception):
    """This build of quadgate does not know an option that the shape needs."""


@dataclasses.dataclass(frozen=True)
class Shape:
    """One training step: `name` and what the flags of `quadgate bench` of the same names mean."""

    name: str
    seq_len: int
    batch: int
    input_size: int
    hidden_size: int
    num_layers: int = 1
    proj_size: int = 0
    lengths: str = ""
    vocabulary: int = 0

    def flags(self, precision: str, threads: int) -> list[str]:
        """What `quadgate bench` takes."""
        sizes = ("seq_len", "batch", "input_size", "hidden_size", "num_layers")
        flags = [part for size in sizes for part in (as_flag(size), str(getattr(self, size)))]
        flags += ["--proj-size", str(self.proj_size)] if self.proj_size else []
        flags += ["--lengths", self.lengths] if self.lengths else []
        flags += ["--vocabulary", str(self.vocabulary)] if self.vocabulary else []
        return [*flags, "--precision", precision, "--threads", str(threads)]

    def request(self, precision: str, threads: int, steps: int) -> dict:
        """What torch_step.py takes; `steps` are the time steps of all sequences together."""
        low, high = map(int, self.lengths.split(":")) if self.lengths else (self.seq_len,) * 2
        sizes = ("input_size", "hidden_size", "num_layers", "proj_size", "vocabulary")
        return {size: getattr(self, size) for size in sizes} | {
            "cell": "lstm",
            "bidirectional": False,
            "lengths": draw_lengths(low, high, self.batch, steps),
            "precision": precision,
            "threads": threads,
            "cpus": [],
            "flush_denormal": True,  # never slower
        }

    def sizes(self) -> str:
        text = f"{self.seq_len}, {self.batch}, {self.input_size}, {self.hidden_size}, "
        text += f"{self.num_layers}"
        text += f", projected to {self.proj_size}" if self.proj_size else ""
        text += f", vocabulary {self.vocabulary}" if self.vocabulary else ""
        return text + (f", lengths {self.lengths}" if self.lengths else "")


def as_flag(name: str) -> str:
    return "--" + name.replace("_", "-")


def draw_lengths(low: int, high: int, rows: int, steps: int) -> list[int]:
    """`rows` lengths from `low` to `high` which add up to `steps`: a few are moved by one until
    they do."""
    if not rows * low <= steps <= rows * high:
        raise Failed(f"quadgate: {rows} sequences of {low} to {high} steps, together {steps}")
    draw = random.Random(1)
    lengths = [draw.randint(low, high) for _ in range(rows)]
    while missing := steps - sum(lengths):
        row, change = draw.randrange(rows), 1 if missing > 0 else -1
        lengths[row] = min(max(lengths[row] + change, low), high)
    return lengths


SHAPES = (
    Shape("H200x2", 35, 20, 200, 200, 2),
    Shape("H64", 50, 64, 64, 64),
    Shape("H32", 100, 32, 16, 32),
    Shape("H128x2", 35, 64, 128, 128, 2),
    Shape("H256x2", 50, 64, 256, 256, 2),
    Shape("H512", 50, 64, 512, 512),
    Shape("H800", 35, 64, 800, 800),
    Shape("H1024", 50, 64, 1024, 1024),
    Shape("batch1-H64", 20, 1, 32, 64),
    Shape("long-H128x2", 168, 32, 7, 128, 2),
    Shape("packed-H128", 50, 64, 128, 128, lengths="1:50"),
    Shape("proj64-H256", 50, 64, 256, 256, proj_size=64),
)
LANGUAGE_MODELS = (
    Shape("words-H200x2", 35, 20, 200, 200, 2, vocabulary=10_000),
    Shape("words-H650x2", 35, 20, 650, 650, 2, vocabulary=33_278),
)


def run_quadgate(
    program: str,
    arguments: Sequence[str],
    launcher: Sequence[str] = (),
    variables: Mapping[str, str] = {},
) -> str:
    """What quadgate prints, alone or below a launcher, with `variables` on top of the environment.
    Throws NotAvailable where it exits with 2, wrong use."""
    done = subprocess.run(
        [*launcher, program, *arguments],
        env=os.environ | variables,
        capture_output=True,
        text=True,
        start_new_session=True,
    )
    if done.returncode == 2:
        raise NotAvailable(last_line(done.stderr))
    if done.returncode != 0:
        raise Failed(f"quadgate: exit status {done.returncode}: {last_line(done.stderr)}")
    return done.stdout


def quadgate_bench(
    program: str,
    flags: Sequence[str],
    seconds: float,
    launcher: Sequence[str] = (),
    variables: Mapping[str, str] = {},
) -> dict:
    """The JSON object of `quadgate bench`."""
    arguments = ["bench", *flags, "--seconds", str(seconds), "--json"]
    printed = run_quadgate(program, arguments, launcher, variables)
    try:
        record = json.loads(printed)
    except ValueError:
        raise Failed(f"quadgate bench --json: found '{last_line(printed)}'") from None
    if missing := [name for name in BENCH_FIELDS if name not in record]:
        raise Failed(f"quadgate bench --json: no {', '.join(missing)}")
    return record


def summary(records: Sequence[dict], names: Sequence[str]) -> dict:
    """Medians over the repeats of what `names` says, how many times longer the slowest took than
    the fastest, and the records themselves."""
    medians = {name: statistics.median(record[name] for record in records) for name in names}
    times = [record["step_ms_median"] for record in records]
    return medians | {"spread": max(times) / min(times), "repeats": list(records)}


def ms_at_peak(quadgate: dict) -> float:
    """The ms of a step at the FMA peak of the same repeats. FLOPs are by the convention of
    `quadgate bench`, and the same at each repeat."""
    first = quadgate["repeats"][0]
    return first["gflops"] * first["step_ms_min"] / quadgate["peak_gflops"]


@dataclasses.dataclass(frozen=True)
class Bench:
    """How to compare: both programs, the digest of quadgate's file, the libraries to preload, and
    repeats and seconds of each."""

    quadgate: str
    quadgate_sha256: str
    python: str
    preloads: Sequence[str]
    repeats: int
    seconds: float

    def compare(self, shape: Shape, precision: str, threads: int) -> dict:
        """Both sides' medians over interleaved repeats. Throws NotAvailable or Failed."""
        flags = shape.flags(precision, threads)
        # Both sides work on as many steps; where lengths are drawn, only quadgate knows how many.
        request = shape.request(precision, threads, self.steps(shape, precision, threads))
        settings = settings_to_try(precision, threads, self.preloads)
        start = functools.partial(TorchWorker, self.python, request)
        worker, tried = find_fastest(start, settings)
        ours, theirs = [], []
        with worker:
            for _ in range(self.repeats):
                ours.append(quadgate_bench(self.quadgate, flags, self.seconds))
                theirs.append(worker.measure(self.seconds, FEWEST_STEPS))
        quadgate = summary(ours, QUADGATE_MEASURED)
        torch = summary(theirs, MEASURED) | {"setting": str(worker.setting), "tried_ms": tried}
        at_peak_ms = ms_at_peak(quadgate)
        torch["peak_fraction"] = at_peak_ms / torch["step_ms_min"]
        return {
            "quadgate": quadgate,
            "torch": torch,
            "ratio": torch["step_ms_median"] / quadgate["step_ms_median"],
            "ratio_at_peak": torch["step_ms_median"] / at_peak_ms,
        }

    def steps(self, shape: Shape, precision: str, threads: int) -> int:
        """Time steps of all sequences of quadgate's batch, from a first, short run, which also
        shows whether it runs what it was asked to."""
        record = quadgate_bench(self.quadgate, shape.flags(precision, threads), 0)
        steps = round(record["tokens_per_s"] * record["step_ms_median"] / 1e3)
        expected = {"threads": threads, "precision": precision}
        found = {name: record[name] for name in expected}
        if not shape.lengths:
            expected["steps"], found["steps"] = shape.seq_len * shape.batch, steps
        if found != expected:
            raise Failed(f"quadgate: expected {expected}, found {found}")
        return steps
