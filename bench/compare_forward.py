"""Forward passes of quadgate beside PyTorch's in inference_mode and ONNX Runtime's."""

import contextlib
import dataclasses
import functools
import pathlib

from compare_settings import Failed, Setting, TorchWorker, find_fastest, settings_to_try
from compare_steps import (
    FEWEST_STEPS, MEASURED, QUADGATE_MEASURED, Bench, Shape, ms_at_peak, quadgate_bench, summary,
)  # fmt: skip

ONNX_RUNTIME = pathlib.Path(__file__).with_name("onnxruntime_forward.py")


@dataclasses.dataclass(frozen=True)
class ForwardBench:
    """How to compare: as `bench` compares training steps."""

    bench: Bench

    def compare(self, shape: Shape, precision: str, threads: int) -> dict:
        """All sides' medians over interleaved repeats, and the ratio of the faster of the others.
        Throws NotAvailable or Failed."""
        bench = self.bench
        steps = bench.steps(shape, precision, threads)
        request = shape.request(precision, threads, steps) | {"forward": True}
        settings = [
            setting
            for setting in settings_to_try(precision, threads, bench.preloads)
            if "clip_foreach=false" not in setting.options
        ]
        start = functools.partial(TorchWorker, bench.python, request)
        with contextlib.ExitStack() as stack:
            worker, tried = find_fastest(start, settings)
            workers = {"torch": stack.enter_context(worker)}
            no_onnx = "ONNX Runtime has no LSTM in bf16"
            if precision == "f32":
                try:
                    onnx = TorchWorker(
                        bench.python, request, Setting(), ONNX_RUNTIME, "ONNX Runtime"
                    )
                    workers["onnx"] = stack.enter_context(onnx)
                except Failed as error:
                    no_onnx = str(error)
            flags = [*shape.flags(precision, threads), "--forward"]
            records = {side: [] for side in ("quadgate", *workers)}
            for _ in range(bench.repeats):
                records["quadgate"].append(quadgate_bench(bench.quadgate, flags, bench.seconds))
                for side, other in workers.items():
                    records[side].append(other.measure(bench.seconds, FEWEST_STEPS))
        quadgate = summary(records["quadgate"], QUADGATE_MEASURED)
        found = {side: summary(records[side], MEASURED) for side in workers}
        found["torch"] |= {"setting": str(worker.setting), "tried_ms": tried}
        faster = min(found, key=lambda side: found[side]["step_ms_median"])
        at_peak_ms = ms_at_peak(quadgate)
        for side in found.values():
            side["peak_fraction"] = at_peak_ms / side["step_ms_min"]
        best_ms = found[faster]["step_ms_median"]
        return {
            "quadgate": quadgate,
            **found,
            **({} if "onnx" in found else {"no_onnx": no_onnx}),
            "faster": faster,
            "ratio": best_ms / quadgate["step_ms_median"],
            "ratio_at_peak": best_ms / at_peak_ms,
        }
