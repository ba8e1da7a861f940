"""PyTorch's side of `quadgate scale --compare torch`, which runs this text with `python -c`, and of
bench/compare_torch.py: the training step that `quadgate bench` times, on random data.

Reads a JSON object a line and answers each with one. The first is the step:

    cell          lstm, gru, rnn_tanh or rnn_relu
    input_size, hidden_size, num_layers, proj_size (0: none), bidirectional
    vocabulary    may be missing or 0; else a language model's step: tokens, an embedding of
                  input_size features in front, and so many classes
    lengths       of the sequences; packed if they differ
    precision     f32 or bf16
    threads, cpus to hold them to (none: anywhere)
    clip_foreach, flush_denormal, onednn    may be missing: PyTorch's defaults
    distributed   may be missing: of several processes, each with rows of a batch, whose steps
                  DistributedDataParallel puts together over gloo: {"rank", "ranks", "address"}
    gradient_as_bucket_view                 of that, may be missing
    forward       may be missing: the forward pass alone, in inference_mode, up to the head's outputs

answered with {"version": ...} once it has been built and run. Then each {"seconds": ..., "fewest":
...} asks for steps of about so many seconds, at least so many, and is answered with step_ms_median,
step_ms_min, steps and peak_rss_mb. {"error": ...} answers what goes wrong; with "version" there is a
PyTorch, and it is the step that it cannot do.
"""

import json
import os
import resource
import signal
import statistics
import sys
import time
from collections.abc import Callable

CLASSES = 10
WARM_UP_STEPS = 3


def make_step(shape: dict) -> Callable[[], None]:
    """A function that does one training step, always on the same batch."""
    import torch
    from torch.nn.utils.rnn import pack_sequence

    # Before the first parallel region: a thread inherits the mode from the one that starts it.
    torch.set_flush_denormal(shape.get("flush_denormal", False))
    torch.set_num_threads(shape["threads"])
    torch.backends.mkldnn.enabled = shape.get("onednn", True)
    torch.manual_seed(1)

    kind, _, nonlinearity = shape["cell"].partition("_")
    options = {"nonlinearity": nonlinearity} if nonlinearity else {}
    if kind == "lstm":
        options["proj_size"] = shape["proj_size"]
    rnn = getattr(torch.nn, kind.upper())(
        shape["input_size"],
        shape["hidden_size"],
        shape["num_layers"],
        bidirectional=shape["bidirectional"],
        **options,
    )
    directions = 2 if shape["bidirectional"] else 1
    vocabulary = shape.get("vocabulary", 0)
    classes = vocabulary or CLASSES
    embedding = torch.nn.Embedding(vocabulary, shape["input_size"]) if vocabulary else None
    head = torch.nn.Linear(directions * (shape["proj_size"] or shape["hidden_size"]), classes)

    class Model(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.embedding, self.rnn, self.head = embedding, rnn, head

        def forward(self, x: object) -> torch.Tensor:
            output, _ = self.rnn(self.embedding(x) if embedding else x)
            return self.head(output.data if packed else output.flatten(0, 1))

    lengths = sorted(shape["lengths"], reverse=True)
    if vocabulary:
        rows = [torch.randint(vocabulary, (length,)) for length in lengths]
    else:
        rows = [torch.rand(length, shape["input_size"]) * 2 - 1 for length in lengths]
    packed = lengths[0] != lengths[-1]
    x = pack_sequence(rows) if packed else torch.stack(rows, 1)
    model = Model()
    if shape.get("forward"):
        return make_forward(model, x, torch.bfloat16 if shape["precision"] == "bf16" else torch.float32)
    if group := shape.get("distributed"):
        torch.distributed.init_process_group(
            "gloo",
            init_method=f"tcp://{group['address']}",
            rank=group["rank"],
            world_size=group["ranks"],
        )
        model = torch.nn.parallel.DistributedDataParallel(
            model, gradient_as_bucket_view=shape.get("gradient_as_bucket_view", False)
        )
    parameters = list(model.parameters())
    adam = torch.optim.Adam(parameters, fused=True)

    labels = torch.randint(classes, (sum(lengths),))

    def step() -> None:
        adam.zero_grad(set_to_none=True)
        with torch.autocast("cpu", torch.bfloat16, enabled=shape["precision"] == "bf16"):
            loss = torch.nn.functional.cross_entropy(model(x), labels)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(parameters, 1.0, foreach=shape.get("clip_foreach"))
        adam.step()

    return step


def make_forward(model: object, x: object, dtype: object) -> Callable[[], None]:
    """A function that does one forward pass in numbers of this type."""
    import torch

    model, x = model.eval().to(dtype), x.to(dtype)

    def forward() -> None:
        with torch.inference_mode():
            model(x)

    return forward


def measure(step: Callable[[], None], seconds: float, fewest: int) -> dict:
    """Times steps for about `seconds`, at least `fewest`, after a few that do not count."""
    start = time.perf_counter()
    for _ in range(WARM_UP_STEPS):
        step()
        if time.perf_counter() - start > seconds:
            break
    times = []
    start = time.perf_counter()
    while len(times) < fewest or time.perf_counter() - start < seconds:
        step_start = time.perf_counter()
        step()
        times.append(time.perf_counter() - step_start)
    return {
        "step_ms_median": statistics.median(times) * 1e3,
        "step_ms_min": min(times) * 1e3,
        "steps": len(times),
        "peak_rss_mb": peak_rss_mb(),
    }


def peak_rss_mb() -> float:
    """Linux's ru_maxrss is at least the size of the process that started this one; VmHWM is not."""
    try:
        with open("/proc/self/status") as status:
            fields = dict(line.split(":", 1) for line in status)
        return int(fields["VmHWM"].split()[0]) / 1024
    except (OSError, KeyError):
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main(make_step: Callable[[dict], Callable[[], None]], library: str) -> None:
    """Serves the steps that `make_step` makes with a library."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # it ends when its stdin does
    step = None
    for line in sys.stdin:
        request = json.loads(line)
        try:
            if step is None:
                if request["cpus"]:
                    os.sched_setaffinity(0, request["cpus"])
                made = make_step(request)
                made()
                step = made
                answer = {"version": sys.modules[library].__version__}
            else:
                answer = measure(step, request["seconds"], request["fewest"])
        except Exception as error:  # whatever it is, who asked reports it
            answer = {"error": f"{type(error).__name__}: {error}"}
            if step is None and library in sys.modules:
                answer["version"] = sys.modules[library].__version__
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main(make_step, "torch")
