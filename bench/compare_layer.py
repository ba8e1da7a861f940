#!/usr/bin/env python3
"""A PyTorch training loop with quadgate.nn in the place of torch.nn: both in one process, in turns.

The step is that of `quadgate bench`: the layer, a linear head, cross entropy, gradients clipped to a
norm, Adam, all but the layer PyTorch's in both. Beside it are the ratios that no layer passes: of a
step without the layer, whose output and gradients are there, and of one whose layer takes the time
of its FLOPs at the FMA peak, which `quadgate bench` measures. With --forward it is the layer's
forward pass in inference_mode.

    PYTHONPATH=build/release/python build/peers/bin/python bench/compare_layer.py --threads 1
"""

import argparse
import importlib.resources
import math
import statistics
import subprocess
import sys
import time

import torch
from compare_steps import SHAPES, draw_lengths, quadgate_bench
from torch.nn.utils.rnn import pack_sequence

import quadgate.nn

MODULES = {"torch.nn": torch.nn, "quadgate.nn": quadgate.nn}
CLASSES = 10
ROUNDS, SECONDS = 15, 0.1  # measured in turns, each for so long


def make_input(shape):
    """x [T, N, I], or packed sequences, and a label of each step."""
    torch.manual_seed(1)
    if not shape.lengths:
        x = torch.randn(shape.seq_len, shape.batch, shape.input_size)
        return x, torch.randint(CLASSES, (shape.seq_len * shape.batch,))
    low, high = map(int, shape.lengths.split(":"))
    steps = shape.batch * (low + high) // 2
    lengths = draw_lengths(low, high, shape.batch, steps)
    rows = [torch.randn(length, shape.input_size) for length in lengths]
    return pack_sequence(rows, enforce_sorted=False), torch.randint(CLASSES, (steps,))


def make_step(nn, cell, shape, forward):
    """A function that does one step with the layer of `nn`."""
    torch.manual_seed(2)
    projection = {"proj_size": shape.proj_size} if shape.proj_size else {}
    layer = getattr(nn, cell)(shape.input_size, shape.hidden_size, shape.num_layers, **projection)
    x, labels = make_input(shape)
    if forward:

        @torch.inference_mode()
        def run():
            layer(x)

        return run
    head = torch.nn.Linear(shape.proj_size or shape.hidden_size, CLASSES)
    parameters = [*layer.parameters(), *head.parameters()]
    adam = torch.optim.Adam(parameters, fused=True)

    def step():
        adam.zero_grad()
        output = layer(x)[0]
        logits = head(output.data if shape.lengths else output.flatten(0, 1))
        torch.nn.functional.cross_entropy(logits, labels).backward()
        torch.nn.utils.clip_grad_norm_(parameters, 1.0)
        adam.step()

    return step


def make_rest(cell, shape):
    """A function that does all of a step but the layer's part."""
    torch.manual_seed(2)
    width = shape.proj_size or shape.hidden_size
    projection = {"proj_size": shape.proj_size} if shape.proj_size else {}
    layer = getattr(torch.nn, cell)(shape.input_size, shape.hidden_size, shape.num_layers, **projection)
    _, labels = make_input(shape)
    output = torch.randn(len(labels), width, requires_grad=True)
    gradients = [torch.randn_like(p) for p in layer.parameters()]
    head = torch.nn.Linear(width, CLASSES)
    parameters = [*layer.parameters(), *head.parameters()]
    adam = torch.optim.Adam(parameters, fused=True)

    def step():
        adam.zero_grad()
        output.grad = None
        torch.nn.functional.cross_entropy(head(output), labels).backward()
        for parameter, gradient in zip(parameters, gradients):
            parameter.grad = gradient
        torch.nn.utils.clip_grad_norm_(parameters, 1.0)
        adam.step()

    return step


def layer_flops(cell, shape, forward):
    """Of the products of a layer's part of a step, without d(x) of the first layer, which nobody asks for."""
    gates = {"LSTM": 4, "GRU": 3}[cell] * shape.hidden_size
    h_size = shape.proj_size or shape.hidden_size
    passes = 1 if forward else 3
    multiply_adds = 0
    for layer in range(shape.num_layers):
        input_passes = 2 if layer == 0 and not forward else passes
        input_size = shape.input_size if layer == 0 else h_size
        multiply_adds += gates * (passes * h_size + input_passes * input_size)
        multiply_adds += passes * shape.proj_size * shape.hidden_size
    return 2 * multiply_adds * len(make_input(shape)[1])


def peak_gflops(threads):
    program = importlib.resources.files("quadgate") / "bin" / "quadgate"
    return quadgate_bench(str(program), SHAPES[0].flags("f32", threads), 0.5)["peak_gflops"]


def measure(steps):
    """The median ms of each, measured in turns."""
    for step in steps:
        for _ in range(3):
            step()
    times = [[] for _ in steps]
    for _ in range(ROUNDS):
        for step, own in zip(steps, times):
            end = time.perf_counter() + SECONDS
            while True:
                start = time.perf_counter()
                step()
                now = time.perf_counter()
                own.append((now - start) * 1e3)
                if now > end:
                    break
    return [statistics.median(own) for own in times]


def step_mb(nn, shape):
    """What the steps of a process of its own take beyond what it had before them, at their peak."""
    command = [sys.executable, __file__, *sys.argv[1:], "--shapes", shape.name, "--mb-of", nn]
    return float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def measure_mb(step):
    before = resident_mb("VmRSS")
    for _ in range(4):
        step()
    return resident_mb("VmHWM") - before


def resident_mb(field):
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) / 1024 for line in status if line.startswith(field))


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--cell", choices=["LSTM", "GRU"], default="LSTM")
    parser.add_argument("--forward", action="store_true", help="the forward pass alone")
    parser.add_argument("--shapes", help="only these, by their names, with commas between")
    parser.add_argument("--mb-of", choices=MODULES, help=argparse.SUPPRESS)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    torch.set_flush_denormal(True)  # never slower
    shapes = [s for s in SHAPES if not options.shapes or s.name in options.shapes.split(",")]
    if options.cell != "LSTM":
        shapes = [s for s in shapes if not s.proj_size]
    if options.mb_of:
        print(measure_mb(make_step(MODULES[options.mb_of], options.cell, shapes[0], options.forward)))
        return

    peak = peak_gflops(options.threads)
    print(
        f"{'shape':<14} {'PyTorch ms':>10} {'quadgate ms':>11} {'rest ms':>8} "
        f"{'ratio':>6} {'at the peak':>11} {'no layer':>8}   MB of the step"
    )
    table = []
    for shape in shapes:
        steps = [make_step(nn, options.cell, shape, options.forward) for nn in MODULES.values()]
        if not options.forward:
            steps.append(make_rest(options.cell, shape))
        theirs, ours, *rests = measure(steps)
        rest = rests[0] if rests else 0.0
        at_peak = rest + layer_flops(options.cell, shape, options.forward) / peak / 1e6
        ratios = [theirs / ours, theirs / at_peak, theirs / rest if rest else math.inf]
        table.append(ratios)
        mb = [step_mb(nn, shape) for nn in MODULES]
        print(
            f"{shape.name:<14} {theirs:10.2f} {ours:11.2f} {rest:8.2f} "
            f"{ratios[0]:6.2f} {ratios[1]:11.2f} {ratios[2]:8.2f}   {mb[0]:.0f}, {mb[1]:.0f}",
            flush=True,
        )
    means = [math.exp(statistics.fmean(map(math.log, column))) for column in zip(*table)]
    print(f"{'geometric mean':<45} {means[0]:6.2f} {means[1]:11.2f} {means[2]:8.2f}")


if __name__ == "__main__":
    main()
