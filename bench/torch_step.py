"""PyTorch's side of compare_torch.py: the training step that `quadgate bench` times, on random
data: nn.LSTM, nn.Linear to 10 classes at every step, cross-entropy, backward, clip 1.0, fused Adam.

Takes the shape as `quadgate bench` does. Builds the step once, says that it is ready, and then
answers each line of stdin, the seconds to measure for, with one line of JSON:

    echo 2 | build/peers/bin/python bench/torch_step.py --seq-len 50 --batch 64 --input-size 256 \\
      --hidden-size 256 --num-layers 2 --threads 1
"""

import argparse
import contextlib
import json
import random
import resource
import statistics
import sys
import time
from collections.abc import Callable

import torch
from torch.nn.utils.rnn import PackedSequence, pack_padded_sequence

CLASSES = 10
WARM_UP_STEPS = 3
FEWEST_STEPS = 5


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    for name in ("--seq-len", "--batch", "--input-size", "--hidden-size"):
        parser.add_argument(name, type=int, required=True)
    parser.add_argument("--num-layers", type=int, default=1)
    parser.add_argument("--bidirectional", action="store_true")
    parser.add_argument("--proj-size", type=int, default=0)
    parser.add_argument("--lengths", metavar="LO:HI", help="lengths of a packed batch")
    parser.add_argument(
        "--steps", type=int, help="time steps of all sequences together, for --lengths"
    )
    parser.add_argument("--precision", choices=["f32", "bf16"], default="f32")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--clip-foreach", choices=["None", "False"], default="None")
    parser.add_argument("--flush-denormal", action="store_true")
    parser.add_argument("--without-onednn", action="store_true", help="PyTorch's own LSTM kernels")
    return parser.parse_args()


def draw_lengths(low: int, high: int, rows: int, steps: int | None) -> list[int]:
    """`rows` lengths from `low` to `high`, longest first, which add up to `steps` if that is given:
    a few lengths are moved by one until they do."""
    draw = random.Random(1)
    lengths = [draw.randint(low, high) for _ in range(rows)]
    if steps is not None and not rows * low <= steps <= rows * high:
        raise ValueError(f"--steps: {rows} lengths of {low} to {high} do not add up to {steps}")
    while steps is not None and (missing := steps - sum(lengths)):
        row, change = draw.randrange(rows), 1 if missing > 0 else -1
        lengths[row] = min(max(lengths[row] + change, low), high)
    return sorted(lengths, reverse=True)


def random_input(options: argparse.Namespace) -> torch.Tensor | PackedSequence:
    """Uniform in [-1, 1): [T, N, I], or packed where there are lengths."""
    x = torch.rand(options.seq_len, options.batch, options.input_size) * 2 - 1
    if not options.lengths:
        return x
    low, high = map(int, options.lengths.split(":"))
    lengths = draw_lengths(low, high, options.batch, options.steps)
    return pack_padded_sequence(x, torch.tensor(lengths), enforce_sorted=True)


def make_step(options: argparse.Namespace) -> Callable[[], torch.Tensor]:
    """A function that does one training step, always on the same batch, and returns its loss."""
    torch.manual_seed(1)
    x = random_input(options)
    packed = isinstance(x, PackedSequence)
    steps = len(x.data) if packed else options.seq_len * options.batch
    labels = torch.randint(CLASSES, (steps,))
    rnn = torch.nn.LSTM(
        options.input_size,
        options.hidden_size,
        options.num_layers,
        bidirectional=options.bidirectional,
        proj_size=options.proj_size,
    )
    directions = 2 if options.bidirectional else 1
    head = torch.nn.Linear(directions * (options.proj_size or options.hidden_size), CLASSES)
    parameters = [*rnn.parameters(), *head.parameters()]
    optimizer = torch.optim.Adam(parameters, fused=True)
    foreach = {"None": None, "False": False}[options.clip_foreach]

    def precision() -> contextlib.AbstractContextManager:
        if options.precision == "bf16":
            return torch.autocast("cpu", dtype=torch.bfloat16)
        return contextlib.nullcontext()

    def step() -> torch.Tensor:
        optimizer.zero_grad(set_to_none=True)
        with precision():
            output, _ = rnn(x)
            logits = head(output.data if packed else output.flatten(0, 1))
            loss = torch.nn.functional.cross_entropy(logits, labels)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(parameters, 1.0, foreach=foreach)
        optimizer.step()
        return loss

    return step


def measure(step: Callable[[], torch.Tensor], seconds: float) -> dict:
    """Times steps for about `seconds`, at least FEWEST_STEPS, after a few that do not count."""
    for _ in range(WARM_UP_STEPS):
        step()
    times = []
    start = time.perf_counter()
    while len(times) < FEWEST_STEPS or time.perf_counter() - start < seconds:
        step_start = time.perf_counter()
        step()
        times.append(time.perf_counter() - step_start)
    return {
        "step_ms_median": statistics.median(times) * 1e3,
        "step_ms_min": min(times) * 1e3,
        "steps": len(times),
        "peak_rss_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }


def main() -> None:
    options = parse_arguments()
    # Before the first parallel region: a thread inherits the mode from the one that starts it.
    if options.flush_denormal and not torch.set_flush_denormal(True):
        sys.exit("torch_step: this processor cannot flush denormal numbers")
    torch.set_num_threads(options.threads)
    torch.set_num_interop_threads(1)
    torch.backends.mkldnn.enabled = not options.without_onednn
    step = make_step(options)
    first_loss = step().item()
    print(json.dumps({"ready": True, "first_loss": first_loss}), flush=True)
    for line in sys.stdin:
        print(json.dumps(measure(step, float(line))), flush=True)


if __name__ == "__main__":
    main()
