"""PyTorch's side of `quadgate scale --compare torch`: the program runs this text with `python -c`.

First line of stdin: the step as JSON, answered with {"version": ...}. Then each line is a number of
seconds to run steps for, answered with {"seconds": median of a step}. {"error": ...} answers what
goes wrong.
"""

import json
import os
import signal
import statistics
import sys
import time


def make_step(shape):
    import torch
    from torch.nn.utils.rnn import pack_sequence

    torch.set_num_threads(shape["threads"])
    torch.manual_seed(1)
    directions = 2 if shape["bidirectional"] else 1
    kind, _, nonlinearity = shape["cell"].partition("_")
    options = {"nonlinearity": nonlinearity} if nonlinearity else {}
    if kind == "lstm":
        options["proj_size"] = shape["proj_size"]
    rnn = getattr(torch.nn, kind.upper())(
        shape["input_size"], shape["hidden_size"], shape["num_layers"],
        bidirectional=shape["bidirectional"], **options)
    head = torch.nn.Linear(directions * (shape["proj_size"] or shape["hidden_size"]), 10)
    parameters = [*rnn.parameters(), *head.parameters()]
    adam = torch.optim.Adam(parameters, fused=True)
    lengths = sorted(shape["lengths"], reverse=True)
    x = [torch.rand(length, shape["input_size"]) * 2 - 1 for length in lengths]
    packed = lengths[0] != lengths[-1]
    x = pack_sequence(x) if packed else torch.stack(x, 1)
    labels = torch.randint(10, (sum(lengths),))

    def step():
        adam.zero_grad(set_to_none=True)
        with torch.autocast("cpu", torch.bfloat16, enabled=shape["precision"] == "bf16"):
            h, _ = rnn(x)
            logits = head(h.data if packed else h.flatten(0, 1))
            loss = torch.nn.functional.cross_entropy(logits, labels)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(parameters, 1.0)
        adam.step()

    return torch.__version__, step


def median_step(step, seconds):
    for _ in range(3):
        step()
    times = []
    start = time.perf_counter()
    while len(times) < 5 or time.perf_counter() - start < seconds:
        before = time.perf_counter()
        step()
        times.append(time.perf_counter() - before)
    return statistics.median(times)


def main():
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # it ends when its stdin does
    step = None
    for line in sys.stdin:
        request = json.loads(line)
        try:
            if step is None:
                if request["cpus"]:
                    os.sched_setaffinity(0, request["cpus"])
                version, step = make_step(request)
                answer = {"version": version}
            else:
                answer = {"seconds": median_step(step, request)}
        except Exception as error:  # whatever it is, the program reports it
            answer = {"error": f"{type(error).__name__}: {error}"}
        print(json.dumps(answer), flush=True)


main()
