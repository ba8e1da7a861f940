"""PyTorch's side of a comparison: a process of torch_step.py, and the settings that suit it."""

import abc
import contextlib
import dataclasses
import json
import os
import pathlib
import subprocess
import tempfile
from collections.abc import Callable, Mapping, Sequence

TORCH_STEP = pathlib.Path(__file__).parents[1] / "apps" / "bench" / "torch_step.py"
TRIAL_SECONDS = 0.15  # a setting of PyTorch is tried for so long, or a step, TRIAL_ROUNDS times
TRIAL_ROUNDS = 2


class Failed(Exception):
    """One of the two programs did not do what it was asked."""


@dataclasses.dataclass(frozen=True)
class Setting:
    """A way to run PyTorch: what torch_step.py is asked for (NAME=value in JSON), variables of its
    environment (NAME=value), and a library that is preloaded (empty: none)."""

    options: tuple[str, ...] = ()
    variables: tuple[str, ...] = ()
    preload: str = ""

    def __add__(self, other: "Setting") -> "Setting":
        """Both; the other's library takes the place of this one's."""
        preload = other.preload or self.preload
        return Setting(self.options + other.options, self.variables + other.variables, preload)

    def __str__(self) -> str:
        library = [library_name(self.preload)] if self.preload else []
        return ", ".join([*self.options, *self.variables, *library]) or "defaults"

    def request(self) -> dict:
        """The options as torch_step.py takes them."""
        pairs = (text.split("=", 1) for text in self.options)
        return {name: json.loads(value) for name, value in pairs}

    def environment(self) -> dict[str, str]:
        """The environment of this process, and what is set on top of it."""
        preload = {"LD_PRELOAD": self.preload} if self.preload else {}
        return os.environ | dict(text.split("=", 1) for text in self.variables) | preload


def library_name(path: str) -> str:
    return pathlib.Path(path).name.split(".so")[0]


def settings_to_try(precision: str, threads: int, preloads: Sequence[str]) -> list[Setting]:
    """What may make PyTorch faster than its defaults, one change each."""
    settings = [Setting(options=("clip_foreach=false",))]
    if precision == "f32":  # in bf16 PyTorch's own kernels are 20 times slower than oneDNN's
        settings.append(Setting(options=("onednn=false",)))
    if threads > 1:
        settings.append(Setting(variables=("OMP_PROC_BIND=close",)))
    return settings + [Setting(preload=library) for library in preloads]


class Worker(abc.ABC):
    """Has built one step of PyTorch with a setting, and measures it when asked to. Also a context
    manager; close() may be called again."""

    setting: Setting

    @abc.abstractmethod
    def measure(self, seconds: float, fewest: int) -> dict:
        """What torch_step.py says of about `seconds` of steps, at least `fewest`."""

    @abc.abstractmethod
    def close(self) -> None: ...

    def __enter__(self) -> "Worker":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class TorchProcess:
    """A process of torch_step.py, or of another library's script like it, which `command` runs: it
    answers each request in turn."""

    def __init__(
        self,
        command: Sequence[str],
        setting: Setting,
        variables: Mapping[str, str] = {},
        library: str = "PyTorch",
    ) -> None:
        self.setting = setting
        self._library = library
        self._stderr = tempfile.TemporaryFile("w+")
        # A session of its own: Ctrl-C comes here alone, and this process then ends the worker.
        self._process = subprocess.Popen(
            command,
            env=setting.environment() | variables,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._stderr,
            text=True,
            start_new_session=True,
        )

    def send(self, request: dict) -> None:
        with contextlib.suppress(BrokenPipeError):  # what it said before it ended is read below
            self._process.stdin.write(json.dumps(request) + "\n")
            self._process.stdin.flush()

    def receive(self) -> dict:
        line = self._process.stdout.readline()
        if not line:
            self._process.wait()
            self._stderr.seek(0)
            raise Failed(f"{self._library} ({self.setting}): {last_line(self._stderr.read())}")
        answer = json.loads(line)
        if "error" in answer:
            raise Failed(f"{self._library} ({self.setting}): {answer['error']}")
        return answer

    def receive_ready(self) -> None:
        """The answer to the first request."""
        self.receive()
        # The dynamic linker only warns of a library that it cannot preload.
        maps = pathlib.Path(f"/proc/{self._process.pid}/maps").read_text()
        if library_name(self.setting.preload) not in maps:
            raise Failed(f"{self._library}: {self.setting.preload} could not be preloaded")

    def close(self) -> None:
        self._process.kill()
        self._process.communicate()
        self._stderr.close()


class TorchWorker(Worker):
    """A process alone."""

    def __init__(
        self,
        python: str,
        request: dict,
        setting: Setting,
        script: pathlib.Path = TORCH_STEP,
        library: str = "PyTorch",
    ) -> None:
        self.setting = setting
        self._process = TorchProcess([python, str(script)], setting, library=library)
        try:
            self._process.send(request | setting.request())
            self._process.receive_ready()
        except BaseException:
            self.close()
            raise

    def measure(self, seconds: float, fewest: int) -> dict:
        self._process.send({"seconds": seconds, "fewest": fewest})
        return self._process.receive()

    def close(self) -> None:
        self._process.close()


def last_line(text: str) -> str:
    return (text.strip().splitlines() or ["no message"])[-1]


def trial(workers: Sequence[Worker]) -> list[float]:
    """The ms of a step of each, measured in turns. The lower median: what disturbs makes slower."""
    rounds = [
        [worker.measure(TRIAL_SECONDS, 1)["step_ms_median"] for worker in workers]
        for _ in range(TRIAL_ROUNDS)
    ]
    return [min(times) for times in zip(*rounds)]


def find_fastest(
    start: Callable[[Setting], Worker], settings: Sequence[Setting]
) -> tuple[Worker, dict[str, float]]:
    """Changes PyTorch's settings one after the other and keeps what is faster. Returns a worker
    with the settings kept, and the ms of all that were tried."""
    tried: dict[str, float] = {}
    best = start(Setting())
    try:
        for change in settings:
            with contextlib.ExitStack() as stack:
                setting = best.setting + change
                other = stack.enter_context(start(setting))
                best_ms, other_ms = trial([best, other])
                tried |= {str(best.setting): best_ms, str(setting): other_ms}
                if other_ms < best_ms:
                    stack.pop_all()
                    best.close()
                    best = other
    except BaseException:
        best.close()
        raise
    return best, tried
