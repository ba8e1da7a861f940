"""Compares quadgate with PyTorch on this machine: whole training steps of both, interleaved, with
PyTorch's fastest settings. Prints a table in Markdown; -o also writes it, and all that was measured
as JSON, after every row: Ctrl-C loses one at most. docs/performance.md explains the method.

    build/peers/bin/python bench/compare_torch.py --threads 1,2 -o build/comparison
    build/peers/bin/python bench/compare_torch.py --forward -o build/forward
    build/peers/bin/python bench/compare_torch.py --ranks 2 --links 1000     # root, for namespaces
"""

import argparse
import contextlib
import dataclasses
import functools
import json
import pathlib
import sys
from collections.abc import Callable, Iterator

import compare_forward
import compare_ranks
import compare_report
from compare_jobs import compare_fashion_mnist, compare_startup, run_python
from compare_options import parse_arguments
from compare_settings import Failed
from compare_steps import Bench, NotAvailable, Shape

INTERRUPTED = 130


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


def step_tasks(
    options: argparse.Namespace, compare: Callable[[Shape, str, int], dict]
) -> list[Task]:
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
    options = parse_arguments(__doc__)
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
