"""Compares quadgate with PyTorch on this machine: whole training steps of both, interleaved, with
PyTorch's fastest settings. Prints a table in Markdown; -o also writes it, and all that was measured
as JSON, after every row: Ctrl-C loses one at most. docs/performance.md explains the method.

    build/peers/bin/python bench/compare_torch.py --threads 1,2 -o build/comparison
    build/peers/bin/python bench/compare_torch.py --forward -o build/forward
    build/peers/bin/python bench/compare_torch.py --ranks 2 --links 1000     # root, for namespaces
"""

import argparse
import contextlib
import ctypes.util
import dataclasses
import functools
import json
import os
import pathlib
import shutil
import sys
from collections.abc import Callable, Iterator

import compare_forward
import compare_ranks
import compare_report
from compare_jobs import compare_fashion_mnist, compare_startup, run_python
from compare_settings import Failed
from compare_steps import SHAPES, Bench, NotAvailable, Shape

# What PyTorch's tuning guide names.
KNOWN_ALLOCATORS = ("jemalloc", "tcmalloc", "tcmalloc_minimal")
INTERRUPTED = 130
RANKS_SHAPES = ("H256x2", "H64", "H200x2")


class Parser(argparse.ArgumentParser):
    """Says in one line what is wrong."""

    def error(self, message: str) -> None:
        self.exit(2, f"{self.prog}: error: {message}\n")


def listed(text: str, known: list[str], what: str) -> list[str]:
    names = list(dict.fromkeys(text.split(",")))
    for name in names:
        if name not in known:
            raise argparse.ArgumentTypeError(
                f"expected {what} of {', '.join(known)}, found '{name}'"
            )
    return names


def shapes(text: str) -> list[Shape]:
    known = [shape.name for shape in SHAPES]
    names = {"all": known, "none": []}.get(text)
    if names is None:
        names = listed(text, known, "'all', 'none', or some")
    return [shape for shape in SHAPES if shape.name in names]


def precisions(text: str) -> list[str]:
    return listed(text, ["f32", "bf16"], "one or both")


def thread_counts(text: str) -> list[int]:
    cores = len(os.sched_getaffinity(0))
    return [int(count) for count in listed(text, [str(n + 1) for n in range(cores)], "some")]


def preloads(text: str) -> list[str]:
    if text == "none":
        return []
    if text == "auto":
        return [name for name in map(ctypes.util.find_library, KNOWN_ALLOCATORS) if name]
    for path in text.split(","):
        file(path)
    return text.split(",")


def file(text: str) -> str:
    if not pathlib.Path(text).is_file():
        raise argparse.ArgumentTypeError(f"expected a file, found '{text}'")
    return text


def program(text: str) -> str:
    path = shutil.which(text)
    if path is None:
        raise argparse.ArgumentTypeError(f"expected a program, found '{text}'")
    return path


def at_least_one(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"expected a number, at least 1, found '{text}'")
    return int(text)


def positive(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = 0
    if not 0 < value < 1e6:
        raise argparse.ArgumentTypeError(f"expected a positive number, found '{text}'")
    return value


def output_prefix(text: str) -> pathlib.Path:
    path = pathlib.Path(text)
    if not path.name or not os.access(path.parent, os.W_OK):
        raise argparse.ArgumentTypeError(f"expected a file's name in a folder, found '{text}'")
    return path


def parse_arguments() -> argparse.Namespace:
    cores = len(os.sched_getaffinity(0))
    names = ", ".join(shape.name for shape in SHAPES)
    parser = Parser(
        prog="compare_torch",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog=f"Shapes: {names}.",
    )
    add = parser.add_argument
    add("--shapes", type=shapes, metavar="NAMES",
        help="which to time, with commas between; 'all' (default) or 'none'; with --ranks the "
        f"default is {','.join(RANKS_SHAPES)}")
    add("--precision", type=precisions, default=["f32", "bf16"], metavar="NAMES",
        help="f32, bf16 or (default) both")
    add("--threads", type=thread_counts, default=sorted({1, cores}), metavar="K,K",
        help=f"thread counts, each at most the {cores} cores here; default: 1 and all")
    add("--repeats", type=at_least_one, default=5, metavar="R",
        help="how often both sides are measured in turn (default 5)")
    add("--seconds", type=positive, default=2.0, metavar="S",
        help="time of a repeat of one side (default 2); at least 5 steps")
    add("--preload", type=preloads, default="auto", metavar="LIBRARIES", dest="preloads",
        help="allocators to try under PyTorch: files with commas between, 'none', or 'auto' "
        "(default): jemalloc and tcmalloc where installed")
    add("--forward", action="store_true",
        help="instead of training steps: forward passes, beside PyTorch's in inference_mode and "
        "ONNX Runtime's")
    add("--ranks", type=at_least_one, metavar="R",
        help="instead of threads: R processes of one thread each, f32, beside PyTorch's "
        f"DistributedDataParallel over gloo; at most the {cores} cores here")
    add("--links", type=at_least_one, metavar="MBIT", dest="rate",
        help="with --ranks: also over links of so many Mbit/s (bench/links; as root)")
    add("--mpirun", default="mpirun.openmpi", metavar="PROGRAM",
        help="what starts quadgate's ranks (default mpirun.openmpi)")
    add("--startup", action="store_true",
        help="also time quadgate train on a tiny data set against 'import torch'")
    add("--fashion-mnist", action="store_true",
        help="also time an epoch of the demo at each thread count")
    add("--quadgate", type=program, default="build/release/bin/quadgate", metavar="PROGRAM",
        help="default: build/release/bin/quadgate")
    add("--python", type=program, default=sys.executable, metavar="PROGRAM",
        help="a Python that has torch; default: the one that runs this")
    add("-o", "--output", type=output_prefix, metavar="PREFIX",
        help="write PREFIX.md and PREFIX.json")  # fmt: skip
    options = parser.parse_args()
    if options.rate and not options.ranks:
        parser.error("--links: expected --ranks as well")
    if options.forward and options.ranks:
        parser.error("--forward: expected no --ranks")
    if options.ranks and options.ranks > cores:
        parser.error(f"--ranks: expected 1 to {cores}, the cores here, found {options.ranks}")
    if options.ranks and shutil.which(options.mpirun) is None:
        parser.error(f"--mpirun: expected a program, found '{options.mpirun}'")
    if options.shapes is None:
        options.shapes = [
            shape for shape in SHAPES if not options.ranks or shape.name in RANKS_SHAPES
        ]
    if not (options.shapes or options.startup or options.fashion_mnist):
        parser.error("--shapes: expected some, or --startup or --fashion-mnist, found 'none'")
    return options


def say(text: str) -> None:
    print(f"compare_torch: {text}", file=sys.stderr, flush=True)


@dataclasses.dataclass(frozen=True)
class Task:
    """One row of the report: the fields that name it there, and what measures it."""

    name: str
    start: dict
    measure: Callable[[], dict]


def measured(bench: Bench, task: Task) -> dict:
    """The row with what was measured, or why there is nothing."""
    say(task.name)
    try:
        row = task.start | {"status": "measured"} | task.measure()
        if compare_report.digest(bench.quadgate) != bench.quadgate_sha256:
            raise Failed("quadgate: another program took its place since the comparison began")
        return row
    except NotAvailable as error:
        row = task.start | {"status": "not available", "reason": str(error)}
    except (Failed, OSError) as error:
        row = task.start | {"status": "failed", "reason": str(error)}
    say(f"{task.name}: {row['status']}: {row['reason']}")
    return row


def step_tasks(options: argparse.Namespace, compare: Callable[[Shape, str, int], dict]) -> list[Task]:
    return [
        Task(
            f"{shape.name}, {precision}, threads: {threads}",
            {
                "shape": shape.name,
                "sizes": shape.sizes(),
                "precision": precision,
                "threads": threads,
            },
            functools.partial(compare, shape, precision, threads),
        )
        for precision in options.precision
        for threads in options.threads
        for shape in options.shapes
    ]


def job_tasks(options: argparse.Namespace, bench: Bench) -> list[Task]:
    jobs = {}
    if options.startup:
        jobs["start"] = functools.partial(compare_startup, bench)
    for threads in options.threads if options.fashion_mnist else []:
        name = f"Fashion-MNIST, threads: {threads}"
        jobs[name] = functools.partial(compare_fashion_mnist, bench, threads)
    return [Task(name, {"name": name}, measure) for name, measure in jobs.items()]


def ranks_tasks(
    options: argparse.Namespace, bench: Bench, places: list[compare_ranks.Place]
) -> list[Task]:
    ranks_bench = compare_ranks.RanksBench(bench, options.mpirun, options.ranks, places)
    return [
        Task(
            f"{shape.name}, ranks: {options.ranks}",
            {"shape": shape.name, "sizes": shape.sizes(), "ranks": options.ranks},
            functools.partial(ranks_bench.compare, shape),
        )
        for shape in options.shapes
    ]


def new_report(options: argparse.Namespace, bench: Bench) -> dict:
    """What is known before anything is measured."""
    version_of = "import {0}; print({0}.__version__)".format
    libraries = ["torch", *(["onnxruntime"] if options.forward else [])]
    return {
        "date": compare_report.now(),
        "versions": {
            "quadgate_sha256": bench.quadgate_sha256,
            "tree": compare_report.tree_version(options.quadgate),
            **{
                library: run_python(options.python, ["-c", version_of(library)]).strip()
                for library in libraries
            },
        },
        "machine": compare_report.describe_machine(),
        "method": {
            "repeats": options.repeats,
            "seconds": options.seconds,
            "preloads": options.preloads,
        },
    }


def compare(options: argparse.Namespace) -> Iterator[dict]:
    """The report after each row; those still to come are in it as not measured."""
    bench = Bench(
        options.quadgate,
        compare_report.digest(options.quadgate),
        options.python,
        options.preloads,
        options.repeats,
        options.seconds,
    )
    report = new_report(options, bench)
    if (load := report["machine"]["load_average"]) > 0.5:
        say(f"warning: load average {load}: a busy machine slows PyTorch's threads more")
    with contextlib.ExitStack() as stack:
        tasks = {"steps": [], "forward": [], "ranks": [], "jobs": job_tasks(options, bench)}
        if options.ranks:
            places = [compare_ranks.Place()]
            if options.rate:
                links = compare_ranks.behind_links(options.ranks, options.rate)
                places.append(stack.enter_context(links))
            tasks["ranks"] = ranks_tasks(options, bench, places)
        elif options.forward:
            forward = compare_forward.ForwardBench(bench)
            tasks["forward"] = step_tasks(options, forward.compare)
        else:
            tasks["steps"] = step_tasks(options, bench.compare)
        yield from rows_of(tasks, bench, report)


def rows_of(tasks: dict[str, list[Task]], bench: Bench, report: dict) -> Iterator[dict]:
    not_yet = {"status": "not measured", "reason": "the comparison did not come so far"}
    for part, todo in tasks.items():
        report[part] = [task.start | not_yet for task in todo]
    for part, todo in tasks.items():
        for index, task in enumerate(todo):
            report[part][index] = measured(bench, task)
            report["geometric_means"] = compare_report.geometric_means(
                report["steps"] + report["forward"]
            )
            yield report


def files(output: pathlib.Path) -> list[pathlib.Path]:
    return [output.with_name(output.name + suffix) for suffix in (".md", ".json")]


def write(output: pathlib.Path, report: dict) -> None:
    """Takes the place of what was written before; never leaves half a file."""
    texts = (compare_report.to_markdown(report), json.dumps(report, indent=1) + "\n")
    for path, text in zip(files(output), texts):
        new = path.with_name(path.name + ".new")
        new.write_text(text)
        new.replace(path)


def stopped(options: argparse.Namespace, report: dict | None) -> str:
    if report is None:
        return "stopped before anything was measured"
    where = " and ".join(map(str, files(options.output))) if options.output else "the table"
    return f"stopped; what was measured so far is in {where}"


def main() -> int:
    options = parse_arguments()
    report, status = None, 0
    try:
        for report in compare(options):
            if options.output:
                write(options.output, report)
    except KeyboardInterrupt:
        say(stopped(options, report))
        status = INTERRUPTED
    except (Failed, OSError) as error:
        say(f"error: {error}")
        status = 1
    if report is None:
        return status
    print(compare_report.to_markdown(report), end="")
    rows = report["steps"] + report["forward"] + report["ranks"] + report["jobs"]
    failed = any(row["status"] == "failed" for row in rows)
    return status or int(failed)


if __name__ == "__main__":
    sys.exit(main())
