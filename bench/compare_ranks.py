"""Training steps of several ranks beside PyTorch's DistributedDataParallel over gloo: one thread a
rank, all on this machine, or each on a node behind a link of bench/links."""

import contextlib
import dataclasses
import os
import pathlib
import shlex
import socket
import statistics
import subprocess
from collections.abc import Iterator, Mapping, Sequence

from compare_settings import (
    TORCH_STEP, Failed, Setting, TorchProcess, Worker, find_fastest, last_line, settings_to_try,
)  # fmt: skip
from compare_steps import FEWEST_STEPS, MEASURED, Bench, Shape, quadgate_bench, summary

LINKS = pathlib.Path(__file__).with_name("links")
ONE_MACHINE = "one machine"


@dataclasses.dataclass(frozen=True)
class Place:
    """Where ranks run: what their environment has on top, the address of the first one, and the
    program that runs words on a node (empty: no nodes)."""

    name: str = ONE_MACHINE
    variables: Mapping[str, str] = dataclasses.field(
        default_factory=lambda: {
            "GLOO_SOCKET_IFNAME": "lo",
            "OMPI_ALLOW_RUN_AS_ROOT": "1",
            "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1",
        }
    )
    address: str = "127.0.0.1"
    agent: str = ""

    def command(self, rank: int, words: Sequence[str]) -> list[str]:
        """What runs `words` as a rank."""
        return [self.agent, f"n{rank + 1}", shlex.join(words)] if self.agent else list(words)


@contextlib.contextmanager
def behind_links(ranks: int, rate: int) -> Iterator[Place]:
    """A node a rank, behind links of `rate` Mbit/s, for as long as the context lasts."""
    nodes = [str(LINKS), "--nodes", str(ranks), "--rate", str(rate), "--"]
    with subprocess.Popen(
        [*nodes, "sh", "-c", "env -0; printf '\\0\\n'; exec cat"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        text = ""
        while not text.endswith("\0\0\n"):
            line = process.stdout.readline()
            if not line:
                raise Failed(last_line(process.stderr.read()))
            text += line
        found = dict(pair.split("=", 1) for pair in text.split("\0") if "=" in pair)
        variables = {name: value for name, value in found.items() if os.environ.get(name) != value}
        first = found["LINKS_ADDRESSES"].split()[0]
        yield Place(f"{rate} Mbit/s", variables, first, found["LINKS_AGENT"])
        process.stdin.close()  # `cat` ends, and the nodes are removed


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("", 0))
        return probe.getsockname()[1]


class TorchRanks(Worker):
    """A process a rank, whose steps wait for each other."""

    def __init__(
        self, python: str, requests: Sequence[dict], place: Place, setting: Setting
    ) -> None:
        self.setting = setting
        self._processes: list[TorchProcess] = []
        address = f"{place.address}:{free_port()}"
        try:
            for rank, request in enumerate(requests):
                command = place.command(rank, [python, str(TORCH_STEP)])
                process = TorchProcess(command, setting, place.variables)
                self._processes.append(process)
                group = {"rank": rank, "ranks": len(requests), "address": address}
                process.send(request | setting.request() | {"distributed": group})
            for process in self._processes:
                process.receive_ready()
            self._step_ms = self._steps(3)["step_ms_median"]
        except BaseException:
            self.close()
            raise

    def measure(self, seconds: float, fewest: int) -> dict:
        found = self._steps(max(fewest, round(seconds * 1e3 / self._step_ms)))
        self._step_ms = found["step_ms_median"]
        return found

    def close(self) -> None:
        for process in self._processes:
            process.close()

    def _steps(self, count: int) -> dict:
        """So many steps of all ranks, since a time would end at others in each. The slowest rank's
        times, and the largest process."""
        for process in self._processes:
            process.send({"seconds": 0, "fewest": count})
        answers = [process.receive() for process in self._processes]
        slowest = max(answers, key=lambda answer: answer["step_ms_median"])
        return slowest | {"peak_rss_mb": max(answer["peak_rss_mb"] for answer in answers)}


def ranks_settings(preloads: Sequence[str]) -> list[Setting]:
    return [
        Setting(options=("gradient_as_bucket_view=true",)),
        *settings_to_try("f32", 1, preloads),
    ]


@dataclasses.dataclass(frozen=True)
class RanksBench:
    """How to compare: what both sides' threads alone are compared with, the launcher of quadgate's
    ranks, and the places."""

    bench: Bench
    mpirun: str
    ranks: int
    places: Sequence[Place]

    def compare(self, shape: Shape) -> dict:
        """Medians of both sides in each place, over repeats in which all take turns, and what a
        link costs a step: its time there less that on one machine."""
        with contextlib.ExitStack() as stack:
            workers, tried = {}, {}
            for place in self.places:
                worker, tried[place.name] = find_fastest(
                    lambda setting: self._start(shape, place, setting),
                    ranks_settings(self.bench.preloads),
                )
                workers[place.name] = stack.enter_context(worker)
            ours = {place.name: [] for place in self.places}
            theirs = {place.name: [] for place in self.places}
            for _ in range(self.bench.repeats):
                for place in self.places:
                    ours[place.name].append(self._quadgate(shape, place))
                    worker = workers[place.name]
                    theirs[place.name].append(worker.measure(self.bench.seconds, FEWEST_STEPS))
        found = {}
        for name, worker in workers.items():
            quadgate = summary(ours[name], MEASURED)
            torch = summary(theirs[name], MEASURED) | {
                "setting": str(worker.setting),
                "tried_ms": tried[name],
            }
            found[name] = {
                "quadgate": quadgate,
                "torch": torch,
                "ratio": torch["step_ms_median"] / quadgate["step_ms_median"],
            }
            if name != ONE_MACHINE:
                found[name]["link"] = link_cost(found[ONE_MACHINE], found[name])
        return {"places": found}

    def _start(self, shape: Shape, place: Place, setting: Setting) -> TorchRanks:
        request = shape.request("f32", 1, shape.seq_len * shape.batch)
        cpus = sorted(os.sched_getaffinity(0))
        requests = []
        for rank in range(self.ranks):
            rows = request["lengths"][rank :: self.ranks]
            # Behind links a node has cores of its own already.
            held = [] if place.agent else [cpus[rank]]
            requests.append(request | {"lengths": rows, "cpus": held})
        return TorchRanks(self.bench.python, requests, place, setting)

    def _quadgate(self, shape: Shape, place: Place) -> dict:
        launcher = [self.mpirun, "-n", str(self.ranks)]
        flags, seconds = shape.flags("f32", 1), self.bench.seconds
        record = quadgate_bench(self.bench.quadgate, flags, seconds, launcher, place.variables)
        if record.get("ranks") != self.ranks:
            raise Failed(f"quadgate: expected {self.ranks} ranks, found {record.get('ranks')}")
        return record


def link_cost(near: dict, far: dict) -> dict:
    """What the link costs a step of each side, in ms: the median of the differences of each repeat,
    and the ratio of quadgate's to PyTorch's."""
    cost = {}
    for side in ("quadgate", "torch"):
        pairs = zip(near[side]["repeats"], far[side]["repeats"], strict=True)
        cost[f"{side}_ms"] = statistics.median(
            there["step_ms_median"] - here["step_ms_median"] for here, there in pairs
        )
    if cost["torch_ms"] <= 0:
        raise Failed(f"the link costs PyTorch {cost['torch_ms']:.3g} ms a step: measure for longer")
    return cost | {"ratio": cost["quadgate_ms"] / cost["torch_ms"]}
