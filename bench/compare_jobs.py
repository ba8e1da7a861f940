"""Whole jobs beside PyTorch's: the start of a short training, and an epoch of the demo."""

import json
import pathlib
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable, Sequence

from compare_settings import Failed, Setting, last_line
from compare_steps import Bench, Shape, quadgate_bench, run_quadgate

FASHION_MNIST = pathlib.Path("/usr/share/datasets/fashion-mnist")  # Debian's package
FASHION_MNIST_TORCH = pathlib.Path(__file__).with_name("fashion_mnist_torch.py")

TINY_RUN = """
[data]
path = {data}
input_len = 8
horizon = 1
[model]
hidden_size = 8
[train]
epochs = 1
batch_size = 8
"""

# As in scripts/demo.
FASHION_RUN = """
[data]
path = {data}
[model]
hidden_size = 128
[train]
epochs = 1
batch_size = 128
optimizer = "adam"
lr = 4e-3
clip_norm = 1.0
"""


TRAINING_IMAGES = 57000  # of 60,000; the others validate
FASHION_SHAPE = Shape("Fashion-MNIST", 28, 128, 28, 128)


def fashion_mnist_flops() -> float:
    """Of an epoch, in products: three times those of the forward pass, without d(x) of the layer,
    which neither side needs. The head works on the last step alone."""
    steps, i, h = FASHION_SHAPE.seq_len, FASHION_SHAPE.input_size, FASHION_SHAPE.hidden_size
    forward = steps * 4 * h * (i + h) + 10 * h
    d_x = steps * 4 * h * i
    return 2.0 * TRAINING_IMAGES * (3 * forward - d_x)


def job(name: str, ours: list[float], theirs: list[float], **others: object) -> dict:
    """A row: medians of the seconds of both sides."""
    quadgate, torch = statistics.median(ours), statistics.median(theirs)
    return {
        "name": name,
        "quadgate_s": quadgate,
        "torch_s": torch,
        "ratio": torch / quadgate,
        "quadgate_repeats_s": ours,
        "torch_repeats_s": theirs,
        **others,
    }


def run_python(python: str, arguments: Sequence[str], setting: Setting = Setting()) -> str:
    done = subprocess.run(
        [python, *arguments],
        env=setting.environment(),
        capture_output=True,
        text=True,
        start_new_session=True,
    )
    if done.returncode != 0:
        raise Failed(f"PyTorch ({setting}): {last_line(done.stderr)}")
    return done.stdout


class TrainJob:
    """A run file and its data set in `folder`, trained anew by each call."""

    def __init__(self, program: str, folder: pathlib.Path, run: str) -> None:
        self._program = program
        self._folder = folder
        self._runs = 0
        (folder / "run.toml").write_text(run.format(data=json.dumps(str(folder / "data.h5"))))

    def __call__(self, *arguments: str) -> str:
        """What `quadgate train` prints."""
        self._runs += 1
        output = f"output.dir={json.dumps(str(self._folder / str(self._runs)))}"
        run_file = str(self._folder / "run.toml")
        return run_quadgate(
            self._program, ["train", run_file, "--quiet", "--set", output, *arguments]
        )


def seconds_of(function: Callable[..., object], *arguments: object) -> float:
    start = time.perf_counter()
    function(*arguments)
    return time.perf_counter() - start


def compare_startup(bench: Bench) -> dict:
    """Seconds of a whole `quadgate train` on a tiny series beside those of `import torch`."""
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        series = folder / "series.csv"
        series.write_text("a,b\n" + "".join(f"{row % 7},{row % 5}\n" for row in range(64)))
        data = str(folder / "data.h5")
        run_quadgate(bench.quadgate, ["prepare", "csv", str(series), "-o", data])
        train = TrainJob(bench.quadgate, folder, TINY_RUN)
        import_torch = ["-c", "import torch"]
        train()  # once each, uncounted: the programs are then in the page cache
        run_python(bench.python, import_torch)
        ours, theirs = [], []
        for _ in range(bench.repeats):
            ours.append(seconds_of(train))
            theirs.append(seconds_of(run_python, bench.python, import_torch))
    return job("start: quadgate train on a tiny data set, against import torch", ours, theirs)


def compare_fashion_mnist(bench: Bench, threads: int) -> dict:
    """Seconds of training in an epoch of the demo's model; PyTorch's data is in tensors already.
    PyTorch's are those of the allocator with the lowest median."""
    settings = [Setting(), *(Setting(preload=library) for library in bench.preloads)]
    ours: list[float] = []
    peaks: list[float] = []
    theirs: dict[str, list[float]] = {str(setting): [] for setting in settings}
    arguments = [str(FASHION_MNIST_TORCH), "--epochs", "1", "--threads", str(threads), "--json"]
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        prepare_fashion_mnist(bench.quadgate, folder / "data.h5")
        train = TrainJob(bench.quadgate, folder, FASHION_RUN)
        for _ in range(bench.repeats):
            ours.append(json.loads(train("--threads", str(threads), "--json"))["seconds"])
            peak_run = quadgate_bench(bench.quadgate, FASHION_SHAPE.flags("f32", threads), 0)
            peaks.append(peak_run["peak_gflops"] * 1e9)
            for setting in settings:
                printed = run_python(bench.python, arguments, setting)
                theirs[str(setting)].append(json.loads(printed)["seconds"])
    fastest = min(theirs, key=lambda setting: statistics.median(theirs[setting]))
    return job(
        f"epoch of Fashion-MNIST, LSTM 128, batch 128, threads: {threads}",
        ours,
        theirs[fastest],
        at_peak_s=fashion_mnist_flops() / statistics.median(peaks),
        setting=fastest,
        tried_s={setting: statistics.median(seconds) for setting, seconds in theirs.items()},
    )


def prepare_fashion_mnist(program: str, output: pathlib.Path) -> None:
    """As scripts/demo does: TRAINING_IMAGES to train with."""
    if not FASHION_MNIST.is_dir():
        raise Failed(f"Fashion-MNIST: {FASHION_MNIST}: not found (Debian: dataset-fashion-mnist)")
    images = str(FASHION_MNIST / "train-images-idx3-ubyte.gz")
    labels = str(FASHION_MNIST / "train-labels-idx1-ubyte.gz")
    options = ["--valid-fraction", "0.05", "-o", str(output)]
    run_quadgate(program, ["prepare", "idx", images, labels, *options])
