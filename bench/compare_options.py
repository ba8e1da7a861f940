"""What compare_torch.py is asked for."""

import argparse
import ctypes.util
import os
import pathlib
import shutil
import sys

from compare_steps import LANGUAGE_MODELS, SHAPES, Shape

# What PyTorch's tuning guide names.
KNOWN_ALLOCATORS = ("jemalloc", "tcmalloc", "tcmalloc_minimal")
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
    sets = {"all": SHAPES, "words": LANGUAGE_MODELS, "none": ()}
    if text in sets:
        return list(sets[text])
    known = SHAPES + LANGUAGE_MODELS
    names = listed(text, [shape.name for shape in known], "'all', 'words', 'none', or some")
    return [shape for shape in known if shape.name in names]


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


def parse_arguments(description: str) -> argparse.Namespace:
    cores = len(os.sched_getaffinity(0))
    names = ", ".join(shape.name for shape in SHAPES)
    words = ", ".join(shape.name for shape in LANGUAGE_MODELS)
    parser = Parser(
        prog="compare_torch",
        description=description,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog=f"Shapes: {names}. Language models: {words}.",
    )
    add = parser.add_argument
    add("--shapes", type=shapes, metavar="NAMES",
        help="which to time, with commas between; 'all' (default), 'words', the language models, or "
        f"'none'; with --ranks the default is {','.join(RANKS_SHAPES)}")
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
    if options.forward and options.shapes and any(shape.vocabulary for shape in options.shapes):
        parser.error("--forward: expected no language models")
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
