"""Training steps of quadgate beside PyTorch's: the shapes, both programs, the interleaving."""

import contextlib
import dataclasses
import json
import os
import pathlib
import statistics
import subprocess
import tempfile
from collections.abc import Sequence

TORCH_STEP = pathlib.Path(__file__).with_name("torch_step.py")
MEASURED = ("step_ms_median", "step_ms_min", "peak_rss_mb")  # of both sides
BENCH_FIELDS = (*MEASURED, "peak_fraction", "peak_gflops", "tokens_per_s", "threads", "precision")
TRIAL_SHARE = 0.25  # a setting of PyTorch is tried for this share of the time of a repeat, twice


class NotAvailable(Exception):
    """This build of quadgate does not know an option that the shape needs."""


class Failed(Exception):
    """One of the two programs did not do what it was asked."""


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
    precisions: tuple[str, ...] = ("f32", "bf16")

    def flags(self, precision: str, threads: int) -> list[str]:
        """What both `quadgate bench` and torch_step.py take."""
        sizes = ("seq_len", "batch", "input_size", "hidden_size", "num_layers")
        flags = [part for size in sizes for part in (as_flag(size), str(getattr(self, size)))]
        flags += ["--proj-size", str(self.proj_size)] if self.proj_size else []
        flags += ["--lengths", self.lengths] if self.lengths else []
        return [*flags, "--precision", precision, "--threads", str(threads)]

    def sizes(self) -> str:
        text = f"{self.seq_len}, {self.batch}, {self.input_size}, {self.hidden_size}, "
        text += f"{self.num_layers}"
        text += f", projected to {self.proj_size}" if self.proj_size else ""
        return text + (f", lengths {self.lengths}" if self.lengths else "")


def as_flag(name: str) -> str:
    return "--" + name.replace("_", "-")


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
    Shape("packed-H128", 50, 64, 128, 128, lengths="1:50", precisions=("f32",)),
    Shape("proj64-H256", 50, 64, 256, 256, proj_size=64, precisions=("f32",)),
)


@dataclasses.dataclass(frozen=True)
class Setting:
    """A way to run PyTorch: flags of torch_step.py, variables of its environment, and a library
    that is preloaded (empty: none)."""

    flags: tuple[str, ...] = ()
    variables: tuple[str, ...] = ()  # NAME=value
    preload: str = ""

    def __add__(self, other: "Setting") -> "Setting":
        """Both; the other's library takes the place of this one's."""
        preload = other.preload or self.preload
        return Setting(self.flags + other.flags, self.variables + other.variables, preload)

    def __str__(self) -> str:
        flags = [flag.removeprefix("--") for flag in self.flags]
        library = [library_name(self.preload)] if self.preload else []
        return ", ".join([*flags, *self.variables, *library]) or "defaults"

    def environment(self) -> dict[str, str]:
        """The environment of this process, and what is set on top of it."""
        preload = {"LD_PRELOAD": self.preload} if self.preload else {}
        return os.environ | dict(text.split("=", 1) for text in self.variables) | preload


def library_name(path: str) -> str:
    return pathlib.Path(path).name.split(".so")[0]


def settings_to_try(precision: str, threads: int, preloads: Sequence[str]) -> list[Setting]:
    """What may make PyTorch faster than its defaults, one change each."""
    settings = [Setting(flags=(flag,)) for flag in ("--clip-foreach=False", "--flush-denormal")]
    if precision == "f32":  # in bf16 PyTorch's own kernels are 20 times slower than oneDNN's
        settings.append(Setting(flags=("--without-onednn",)))
    if threads > 1:
        settings.append(Setting(variables=("OMP_PROC_BIND=close",)))
    return settings + [Setting(preload=library) for library in preloads]


class TorchWorker:
    """A process that has imported torch and built one step, and measures it when asked to. Also a
    context manager; close() may be called again."""

    def __init__(self, python: str, flags: Sequence[str], setting: Setting) -> None:
        self.setting = setting
        self._stderr = tempfile.TemporaryFile("w+")
        # A session of its own: Ctrl-C comes here alone, and this process then ends the worker.
        self._process = subprocess.Popen(
            [python, str(TORCH_STEP), *flags, *setting.flags],
            env=setting.environment(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._stderr,
            text=True,
            start_new_session=True,
        )
        try:
            self._answer()
            self._expect_preloaded()
        except BaseException:
            self.close()
            raise

    def measure(self, seconds: float) -> dict:
        """What torch_step.py says of about `seconds` of steps."""
        with contextlib.suppress(BrokenPipeError):  # _answer knows why
            self._process.stdin.write(f"{seconds}\n")
            self._process.stdin.flush()
        return self._answer()

    def close(self) -> None:
        self._process.kill()
        self._process.communicate()
        self._stderr.close()

    def __enter__(self) -> "TorchWorker":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _answer(self) -> dict:
        line = self._process.stdout.readline()
        if not line:
            self._process.wait()
            self._stderr.seek(0)
            raise Failed(f"PyTorch ({self.setting}): {last_line(self._stderr.read())}")
        return json.loads(line)

    def _expect_preloaded(self) -> None:
        """The dynamic linker only warns of a library that it cannot preload."""
        maps = pathlib.Path(f"/proc/{self._process.pid}/maps").read_text()
        if library_name(self.setting.preload) not in maps:
            raise Failed(f"PyTorch: {self.setting.preload} could not be preloaded")


def last_line(text: str) -> str:
    return (text.strip().splitlines() or ["no message"])[-1]


def run_quadgate(program: str, arguments: Sequence[str]) -> str:
    """What quadgate prints. Throws NotAvailable where it exits with 2, wrong use."""
    done = subprocess.run(
        [program, *arguments], capture_output=True, text=True, start_new_session=True
    )
    if done.returncode == 2:
        raise NotAvailable(last_line(done.stderr))
    if done.returncode != 0:
        raise Failed(f"quadgate: exit status {done.returncode}: {last_line(done.stderr)}")
    return done.stdout


def quadgate_bench(program: str, flags: Sequence[str], seconds: float) -> dict:
    """The JSON object of `quadgate bench`."""
    printed = run_quadgate(program, ["bench", *flags, "--seconds", str(seconds), "--json"])
    try:
        record = json.loads(printed)
    except ValueError:
        raise Failed(f"quadgate bench --json: found '{last_line(printed)}'") from None
    if missing := [name for name in BENCH_FIELDS if name not in record]:
        raise Failed(f"quadgate bench --json: no {', '.join(missing)}")
    return record


def find_fastest(
    python: str, flags: Sequence[str], settings: Sequence[Setting], seconds: float
) -> tuple[TorchWorker, dict[str, float]]:
    """Changes PyTorch's settings one after the other and keeps what is faster. Returns a worker
    with the settings kept, and the ms of all that were tried, `seconds` each time."""
    tried: dict[str, float] = {}
    best = TorchWorker(python, flags, Setting())
    try:
        for change in settings:
            with contextlib.ExitStack() as stack:
                other = stack.enter_context(TorchWorker(python, flags, best.setting + change))
                rounds = [(best.measure(seconds), other.measure(seconds)) for _ in range(2)]
                # The lower of two medians: whatever disturbs makes slower.
                best_ms, other_ms = (
                    min(record["step_ms_median"] for record in side) for side in zip(*rounds)
                )
                tried |= {str(best.setting): best_ms, str(other.setting): other_ms}
                if other_ms < best_ms:
                    stack.pop_all()
                    best.close()
                    best = other
    except BaseException:
        best.close()
        raise
    return best, tried


def summary(records: Sequence[dict], names: Sequence[str]) -> dict:
    """Medians over the repeats of what `names` says, how many times longer the slowest took than
    the fastest, and the records themselves."""
    medians = {name: statistics.median(record[name] for record in records) for name in names}
    times = [record["step_ms_median"] for record in records]
    return medians | {"spread": max(times) / min(times), "repeats": list(records)}


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
        steps = self._steps(shape, precision, threads)
        # Both sides work on as many steps; where lengths are drawn, only quadgate knows how many.
        torch_flags = [*flags, "--steps", str(steps)] if shape.lengths else flags
        settings = settings_to_try(precision, threads, self.preloads)
        worker, tried = find_fastest(
            self.python, torch_flags, settings, self.seconds * TRIAL_SHARE
        )
        ours, theirs = [], []
        with worker:
            for _ in range(self.repeats):
                ours.append(quadgate_bench(self.quadgate, flags, self.seconds))
                theirs.append(worker.measure(self.seconds))
        quadgate = summary(ours, (*MEASURED, "peak_fraction", "peak_gflops"))
        torch = summary(theirs, MEASURED) | {"setting": str(worker.setting), "tried_ms": tried}
        return {
            "quadgate": quadgate,
            "torch": torch,
            "ratio": torch["step_ms_median"] / quadgate["step_ms_median"],
        }

    def _steps(self, shape: Shape, precision: str, threads: int) -> int:
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
