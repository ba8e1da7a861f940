"""Tables in Markdown on stdout, and plots in the current folder, of what `run` measured:
report.py times.json [memory.json]"""

import json
import pathlib
import statistics
import sys

import plot

REACH = [1, 3, 10, 30, 100, 300]
PARAMETERS = {"RNN (tanh)": 1, "GRU": 3, "LSTM": 4, "Bi-LSTM": 8}  # of the layer, and so products
PHASES = ["input_product", "recurrence_forward", "recurrence_backward", "weight_gradients",
          "head_and_loss", "optimizer"]  # fmt: skip


def table(head, rows):
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(map(str, line)) + " |" for line in lines) + "\n"


def mean_curve(reaches, part="state"):
    """The mean of the seeds' logarithms, for k = 1, 2, ..."""
    return [statistics.fmean(values) for values in zip(*(reach[part] for reach in reaches))]


def power(exponent):
    """10^exponent, as one reads it."""
    value = 10**exponent
    return f"{value:.2f}" if value >= 0.01 else f"{value:.0e}".replace("e-0", "e-")


class Memory:
    """What long_memory printed."""

    def __init__(self, results):
        self.results = results
        self.models = list(dict.fromkeys(entry["model"] for entry in results["gradient"]))
        self.initial = {m: mean_curve(self.of("gradient", m)) for m in self.models}
        self.trained = {m: mean_curve([e["reach"] for e in self.of("training", m) if "reach" in e])
                        for m in self.models}  # fmt: skip

    def of(self, kind, model):
        return [entry for entry in self.results[kind] if entry["model"] == model]

    def lags(self):
        return sorted({entry["lag"] for entry in self.results["training"]})

    def trainings(self, problem, model, lag):
        return [entry for entry in self.of("training", model)
                if entry["problem"] == problem and entry["lag"] == lag]  # fmt: skip

    def accuracies(self, problem, model, lag):
        """Of all seeds."""
        return [entry["accuracy"] for entry in self.trainings(problem, model, lag)]


def gradient_table(memory, curves):
    steps = [k for k in REACH if k <= len(curves[memory.models[0]])]
    rows = [[m, *(power(curves[m][k - 1]) for k in steps)] for m in memory.models]
    return table(["k", *steps], rows)


def accuracy_table(memory, problem):
    """Per cent, of each seed."""

    def cell(model, lag):
        return " ".join(f"{100 * share:.0f}" for share in memory.accuracies(problem, model, lag))

    lags = memory.lags()
    return table(["lag", *lags], [[m, *(cell(m, lag) for lag in lags)] for m in memory.models])


def gradient_plot(memory):
    steps = [k for k in REACH if k <= len(memory.initial[memory.models[0]])]
    lag = memory.results["reach_lag"]
    panels = []
    for title, curves in (
        ("Gradient that reaches back, at initialization", memory.initial),
        (f"The same after training (adding, lag {lag})", memory.trained),
    ):
        panel = plot.Panel(title, "steps back, k", steps, range(-20, 5, 4), lambda y: f"1e{y:+d}")
        for model, color in zip(memory.models, plot.COLORS):
            points = enumerate(curves[model], start=1)
            panel.add(color, [(k, y) for k, y in points if k <= 20 or k % 5 == 0])
        panels.append(panel)
    return plot.page(panels, memory.models)


def accuracy_plot(memory):
    lags = memory.lags()
    panels = []
    for problem, title in (("adding", "Adding: sequences within 0.04"),
                           ("copy", "Copy: symbols recalled")):  # fmt: skip
        panel = plot.Panel(title, "lag", lags, range(0, 101, 20), lambda y: f"{y} %")
        for model, color in zip(memory.models, plot.COLORS):
            points = [(lag, 100 * statistics.fmean(memory.accuracies(problem, model, lag)))
                      for lag in lags]  # fmt: skip
            panel.add(color, points, dots=True)
        panels.append(panel)
    return plot.page(panels, memory.models)


def times_table(times):
    """A step's median time, its ratio to the RNN's as the median over rounds, and GFLOP/s."""
    base = [r["step_ms_median"] for r in times["cells"]["RNN (tanh)"]["rounds"]]
    rows = []
    for name, measured in times["cells"].items():
        own = [r["step_ms_median"] for r in measured["rounds"]]
        ratio = statistics.median(time / of_rnn for time, of_rnn in zip(own, base))
        gflops = statistics.median(r["gflops"] for r in measured["rounds"])
        peak = statistics.median(r["peak_fraction"] for r in measured["rounds"])
        rows.append([name, f"{statistics.median(own):.1f} ms", f"{ratio:.2f}", PARAMETERS[name],
                     f"{gflops:.0f}", f"{100 * peak:.0f} %"])  # fmt: skip
    return table(["one step", "time", "ratio", "theory", "GFLOP/s", "of the FMA peak"], rows)


def phases_table(times):
    """Milliseconds of each phase, and in brackets how many times the RNN's."""
    milliseconds = {
        name: {p: share * statistics.median(r["step_ms_median"] for r in measured["rounds"])
               for p, share in measured["phases"].items()}
        for name, measured in times["cells"].items()
    }  # fmt: skip
    base = milliseconds["RNN (tanh)"]
    rows = [[name, *(f"{of[p]:.2f} ({of[p] / base[p]:.1f})" for p in PHASES)]
            for name, of in milliseconds.items()]  # fmt: skip
    return table(["ms (times the RNN's)", *(p.replace("_", " ") for p in PHASES)], rows)


def main():
    results = [json.loads(pathlib.Path(path).read_text()) for path in sys.argv[1:]]
    if len(results) > 1:
        memory = Memory(results[1])
        print("Gradient at initialization\n\n" + gradient_table(memory, memory.initial))
        print("Gradient after training\n\n" + gradient_table(memory, memory.trained))
        print("Adding: accuracy of each seed, per cent\n\n" + accuracy_table(memory, "adding"))
        print("Copy: accuracy of each seed, per cent\n\n" + accuracy_table(memory, "copy"))
        pathlib.Path("gradient.svg").write_text(gradient_plot(memory))
        pathlib.Path("accuracy.svg").write_text(accuracy_plot(memory))
    print(times_table(results[0]) + "\n" + phases_table(results[0]))


main()
