"""What compare_torch.py writes: the machine, and the rows as Markdown."""

import datetime
import hashlib
import math
import os
import pathlib
import platform
import subprocess
from collections.abc import Iterable, Sequence

ISA_FLAGS = ("avx2", "fma", "avx512f", "avx512_bf16", "amx_bf16")


def describe_machine() -> dict:
    """The processor, the cores that this process may use, and how busy they were."""
    cpu: dict[str, str] = {}
    for line in pathlib.Path("/proc/cpuinfo").read_text().split("\n\n")[0].splitlines():
        name, _, value = line.partition(":")
        cpu[name.strip()] = value.strip()
    flags = cpu.get("flags", "").split()
    return {
        "cpu": cpu.get("model name", "unknown"),
        "cpu_family": cpu.get("cpu family", "unknown"),
        "cores": len(os.sched_getaffinity(0)),
        "isa": [flag for flag in ISA_FLAGS if flag in flags],
        "kernel": f"{platform.system()} {platform.release()}",
        "load_average": round(os.getloadavg()[0], 2),
    }


def digest(program: str) -> str:
    """Tells builds of a program apart, which has no version of its own."""
    return hashlib.sha256(pathlib.Path(program).read_bytes()).hexdigest()[:12]


def tree_version(program: str) -> str:
    """The commit checked out where `program` lies; it may have been built from another."""
    done = subprocess.run(
        ["git", "describe", "--always", "--dirty", "--tags"],
        cwd=pathlib.Path(program).resolve().parent,
        capture_output=True,
        text=True,
    )
    return done.stdout.strip() if done.returncode == 0 else "unknown"


def now() -> str:
    return datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d %H:%M UTC")


def geometric_mean(values: Sequence[float]) -> float | None:
    if not values:
        return None
    logarithms = [math.log(value) for value in values]
    return math.exp(sum(logarithms) / len(logarithms))


def geometric_means(rows: list[dict]) -> list[dict]:
    """Of the ratios, and of those at the peak, for each precision and thread count of `rows`, and
    of how many of them."""
    means = []
    for precision, threads in dict.fromkeys((row["precision"], row["threads"]) for row in rows):
        group = select(rows, precision, threads)
        found = [row for row in group if "ratio" in row]
        means.append(
            {
                "precision": precision,
                "threads": threads,
                "ratio": geometric_mean([row["ratio"] for row in found]),
                "ratio_at_peak": geometric_mean([row["ratio_at_peak"] for row in found]),
                "measured": len(found),
                "shapes": len(group),
            }
        )
    return means


def select(rows: list[dict], precision: str, threads: int) -> list[dict]:
    return [row for row in rows if (row["precision"], row["threads"]) == (precision, threads)]


def table(header: list[str], rows: Iterable[list[str]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    cells = ([cell.replace("|", "/") for cell in line] for line in lines)
    return "".join(f"| {' | '.join(line)} |\n" for line in cells)


def number(value: float) -> str:
    """Three significant digits or more, never as 1e+03."""
    return f"{value:.{max(2 - math.floor(math.log10(value)), 0)}f}"


STEP_HEADER = [
    "shape", "T, N, I, H, layers", "quadgate, ms", "PyTorch, ms", "ratio", "at the peak",
    "shares of peak", "spreads", "MB", "PyTorch's fastest setting",
]  # fmt: skip

LEGEND = (
    "ratio: PyTorch's time over quadgate's. at the peak: the ratio of a program that ran at the "
    "FMA peak which the same repeats measured. Of quadgate and PyTorch: shares of peak, of the "
    "fastest step; spreads, the slowest repeat over the fastest; MB, the largest resident size. "
    "FLOPs are three times those of the forward products, with d(x) of the first layer, which "
    "nobody needs and quadgate does not compute: a sixth of them in one layer with I = H, a "
    "twelfth in two. By so much a share may pass 1, and the ratio that at the peak.\n"
)


def pair(row: dict, field: str, digits: int) -> str:
    return ", ".join(f"{row[side][field]:.{digits}f}" for side in ("quadgate", "torch"))


def step_line(row: dict) -> list[str]:
    start = [row["shape"], row["sizes"]]
    if "ratio" not in row:
        return [*start, *[""] * (len(STEP_HEADER) - 3), f"{row['status']}: {row['reason']}"]
    return [
        *start,
        number(row["quadgate"]["step_ms_median"]),
        number(row["torch"]["step_ms_median"]),
        f"{row['ratio']:.2f}",
        f"{row['ratio_at_peak']:.2f}",
        pair(row, "peak_fraction", 2),
        pair(row, "spread", 2),
        pair(row, "peak_rss_mb", 0),
        row["torch"]["setting"],
    ]


def mean_line(mean: dict) -> str:
    counted = f"{mean['measured']} of {mean['shapes']} shapes"
    found = "**none measured**"
    if mean["measured"]:
        found = f"**{mean['ratio']:.2f}**; at the FMA peak it would be {mean['ratio_at_peak']:.2f}"
    return f"\nGeometric mean of the ratios, {counted}: {found}\n"


def step_tables(report: dict, part: str) -> str:
    """A table for each precision and thread count, with its geometric mean."""
    legend, header, line = {
        "steps": (LEGEND, STEP_HEADER, step_line),
        "forward": (FORWARD_LEGEND, FORWARD_HEADER, forward_line),
    }[part]
    parts = [legend]
    for mean in report["geometric_means"]:
        rows = select(report[part], mean["precision"], mean["threads"])
        title = f"### {mean['precision']}, threads: {mean['threads']}\n\n"
        parts.append(title + table(header, map(line, rows)) + mean_line(mean))
    return "\n".join(parts)


FORWARD_HEADER = [
    "shape", "T, N, I, H, layers", "quadgate, ms", "PyTorch, ms", "ONNX Runtime, ms", "ratio",
    "at the peak", "shares of peak", "spreads", "MB", "PyTorch's fastest setting",
]  # fmt: skip

FORWARD_LEGEND = (
    "Forward passes. ratio: the time of the faster of PyTorch and ONNX Runtime over quadgate's. at "
    "the peak: the ratio of a program that ran at the FMA peak which the same repeats measured. Of "
    "quadgate, PyTorch and ONNX Runtime: shares of peak, of the fastest pass; spreads, the slowest "
    "repeat over the fastest; MB, the largest resident size.\n"
)


def forward_line(row: dict) -> list[str]:
    start = [row["shape"], row["sizes"]]
    if "ratio" not in row:
        return [*start, *[""] * (len(FORWARD_HEADER) - 3), f"{row['status']}: {row['reason']}"]
    sides = [row.get(side) for side in ("quadgate", "torch", "onnx")]

    def of_sides(field: str, digits: int) -> str:
        return ", ".join(f"{side[field]:.{digits}f}" if side else "-" for side in sides)

    return [
        *start,
        *[number(side["step_ms_median"]) if side else "-" for side in sides],
        f"{row['ratio']:.2f}",
        f"{row['ratio_at_peak']:.2f}",
        of_sides("peak_fraction", 2),
        of_sides("spread", 2),
        of_sides("peak_rss_mb", 0),
        row["torch"]["setting"],
    ]


RANKS_HEADER = [
    "shape", "T, N, I, H, layers", "over", "quadgate, ms", "DDP, ms", "ratio", "spreads", "MB",
    "the link costs, ms", "quadgate's cost / DDP's", "PyTorch's fastest setting",
]  # fmt: skip


def ranks_lines(row: dict) -> list[list[str]]:
    """One for each place."""
    start = [row["shape"], row["sizes"]]
    if "places" not in row:
        empty = [""] * (len(RANKS_HEADER) - 3)
        return [[*start, *empty, f"{row['status']}: {row['reason']}"]]
    lines = []
    for name, found in row["places"].items():
        link = found.get("link")
        costs = [f"{link['quadgate_ms']:.2f}, {link['torch_ms']:.2f}"] if link else [""]
        costs += [f"{link['ratio']:.2f}"] if link else [""]
        lines.append(
            [
                *start,
                name,
                number(found["quadgate"]["step_ms_median"]),
                number(found["torch"]["step_ms_median"]),
                f"{found['ratio']:.2f}",
                pair(found, "spread", 2),
                pair(found, "peak_rss_mb", 0),
                *costs,
                found["torch"]["setting"],
            ]
        )
    return lines


def ranks_table(rows: list[dict]) -> str:
    """With the geometric mean of each place below it."""
    text = f"### Ranks of one thread: {rows[0]['ranks']}\n\n"
    text += table(RANKS_HEADER, [line for row in rows for line in ranks_lines(row)])
    places: dict[str, list[float]] = {}
    for row in rows:
        for name, found in row.get("places", {}).items():
            places.setdefault(name, []).append(found["ratio"])
    for name, ratios in places.items():
        mean = geometric_mean(ratios)
        counted = f"{name}, {len(ratios)} of {len(rows)} shapes"
        text += f"\nGeometric mean of the ratios, {counted}: **{mean:.2f}**\n"
    return text


JOB_HEADER = [
    "job", "quadgate, s", "PyTorch, s", "ratio", "at the peak, s", "PyTorch's fastest setting",
]  # fmt: skip


def job_line(row: dict) -> list[str]:
    if "ratio" not in row:
        return [row["name"], *[""] * (len(JOB_HEADER) - 2), f"{row['status']}: {row['reason']}"]
    times = [number(row["quadgate_s"]), number(row["torch_s"]), f"{row['ratio']:.2f}"]
    at_peak = number(row["at_peak_s"]) if "at_peak_s" in row else ""
    return [row["name"], *times, at_peak, row.get("setting", "")]


def to_markdown(report: dict) -> str:
    machine, how, versions = report["machine"], report["method"], report["versions"]
    text = (
        f"{report['date']}; quadgate {versions['quadgate_sha256']} (SHA-256 of the program; "
        f"its tree is at {versions['tree']}), PyTorch {versions['torch']}"
        f"{', ONNX Runtime ' + versions['onnxruntime'] if 'onnxruntime' in versions else ''}; "
        f"{machine['cpu']} "
        f"(family {machine['cpu_family']}), "
        f"{machine['cores']} cores, {' '.join(machine['isa'])}, {machine['kernel']}; load average "
        f"at the start {machine['load_average']}. Medians of {how['repeats']} repeats of "
        f"{how['seconds']:g} s a side.\n"
    )
    for part in ("steps", "forward"):
        if report[part]:
            text += "\n" + step_tables(report, part)
    if report["ranks"]:
        text += "\n" + ranks_table(report["ranks"])
    if report["jobs"]:
        text += "\n### Whole jobs\n\n" + table(JOB_HEADER, map(job_line, report["jobs"]))
    return text
