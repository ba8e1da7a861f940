# Runs bench/compare_torch.py on its smallest shape, on a job, on a program that lacks an option,
# on two ranks, with wrong arguments and with Ctrl-C. What is written counts, not how fast it was. Where PyTorch's
# part does not matter, a script stands for it: importing torch takes seconds.

import json
import os
import pathlib
import re
import shutil
import signal
import statistics
import subprocess
import sys
import time

import pytest

ROOT = pathlib.Path(__file__).parents[2]
SCRIPT = ROOT / "bench" / "compare_torch.py"
TORCH_STEP = ROOT / "apps" / "bench" / "torch_step.py"
SMALL = ["--shapes", "batch1-H64", "--precision", "f32", "--threads", "1", "--preload", "none"]
QUICK = ["--repeats", "3", "--seconds", "0.01"]


def command(*arguments, quadgate=None, python=sys.executable):
    program = quadgate or os.environ["QUADGATE_BIN"]
    programs = ["--quadgate", str(program), "--python", str(python)]
    return [sys.executable, "-B", str(SCRIPT), *programs, *map(str, arguments)]


def compare(*arguments, **program):
    return subprocess.run(command(*arguments, **program), capture_output=True, text=True)


def compared(prefix, *arguments, expected=0, **program):
    """The JSON and the Markdown that it writes."""
    done = compare(*arguments, "-o", prefix, **program)
    assert done.returncode == expected, done.stderr
    markdown = prefix.with_name(prefix.name + ".md").read_text()
    assert done.stdout == markdown
    return json.loads(prefix.with_name(prefix.name + ".json").read_text()), markdown


def script(path, text):
    """A program in the place of quadgate."""
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return path


@pytest.fixture
def no_torch(tmp_path):
    """A program in the place of a Python that has torch: its version, or steps of 1 ms."""
    step = json.dumps({"step_ms_median": 1, "step_ms_min": 1, "peak_rss_mb": 1})
    steps = f"while read -r _; do echo '{step}'; done"
    return script(tmp_path / "python", f'if [ "$1" = -c ]; then echo 2.0; else {steps}; fi')


def is_running(pid):
    try:
        return pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


@pytest.mark.slow
def test_a_shape_and_a_job(tmp_path):
    report, markdown = compared(tmp_path / "out", *SMALL, *QUICK, "--startup")
    [row] = report["steps"]
    assert (row["shape"], row["precision"], row["threads"]) == ("batch1-H64", "f32", 1)
    for side in (row["quadgate"], row["torch"]):
        assert len(side["repeats"]) == 3
        medians = [record["step_ms_median"] for record in side["repeats"]]
        assert side["step_ms_median"] == statistics.median(medians) > 0
        assert side["spread"] == max(medians) / min(medians)
        assert side["peak_rss_mb"] > 1
        assert side["peak_fraction"] > 0
    assert row["torch"]["setting"] in row["torch"]["tried_ms"]
    assert {"defaults", "clip_foreach=false"} <= row["torch"]["tried_ms"].keys()
    ratio = row["torch"]["step_ms_median"] / row["quadgate"]["step_ms_median"]
    assert row["ratio"] == pytest.approx(ratio)
    # Multiply-adds are two operations; the head has 10 classes; backward counts twice.
    flops = 3 * 2 * 20 * (4 * 64 * (32 + 64) + 10 * 64)
    at_peak_ms = flops / row["quadgate"]["peak_gflops"] / 1e6
    at_peak = row["torch"]["step_ms_median"] / at_peak_ms
    assert row["ratio_at_peak"] == pytest.approx(at_peak)
    assert row["torch"]["peak_fraction"] == pytest.approx(at_peak_ms / row["torch"]["step_ms_min"])
    [mean] = report["geometric_means"]
    assert mean["ratio_at_peak"] == pytest.approx(at_peak)
    assert (mean["measured"], mean["shapes"]) == (1, 1) and mean["ratio"] == pytest.approx(ratio)
    [job] = report["jobs"]
    assert job["ratio"] == job["torch_s"] / job["quadgate_s"] > 0
    assert report["versions"]["torch"].startswith("2.")
    assert report["machine"]["cores"] >= 1 and report["machine"]["kernel"]
    assert re.search(rf"\| batch1-H64 \|.*\| {ratio:.2f} \| {at_peak:.2f} \|", markdown)
    assert f"at the FMA peak it would be {at_peak:.2f}" in markdown
    lines = [line for line in markdown.split("### Whole jobs")[0].splitlines() if line[:1] == "|"]
    assert len(lines) == 3 and len({line.count("|") for line in lines}) == 1


def test_a_language_model_has_a_vocabulary(tmp_path, no_torch):
    program = script(tmp_path / "quadgate", 'echo "$*" >&2; exit 2')
    programs = {"quadgate": program, "python": no_torch}
    report, markdown = compared(tmp_path / "out", *SMALL, "--shapes", "words", **programs)
    small, large = report["steps"]
    assert "--vocabulary 10000 " in small["reason"] and "--vocabulary 33278 " in large["reason"]
    assert "| 35, 20, 200, 200, 2, vocabulary 10000 |" in markdown


@pytest.mark.slow
def test_pytorchs_step_of_a_language_model():
    shape = {"cell": "lstm", "input_size": 3, "hidden_size": 4, "num_layers": 1, "proj_size": 0,
             "bidirectional": False, "lengths": [6, 6], "precision": "f32", "threads": 1,
             "cpus": []}  # fmt: skip

    def answers(vocabulary):
        requests = [shape | {"vocabulary": vocabulary}, {"seconds": 0, "fewest": 2}]
        lines = "".join(json.dumps(request) + "\n" for request in requests)
        command = [sys.executable, TORCH_STEP]
        done = subprocess.run(command, input=lines, capture_output=True, text=True)
        return list(map(json.loads, done.stdout.splitlines()))

    built, measured = answers(50)
    assert "error" not in built and measured["steps"] == 2
    assert "negative" in answers(-1)[0]["error"]  # the table and the head are as large as asked


@pytest.mark.slow
def test_forward_passes(tmp_path):
    pytest.importorskip("onnxruntime")
    small = ["--forward", *SMALL[2:], "--shapes", "batch1-H64,packed-H128,proj64-H256"]
    report, markdown = compared(tmp_path / "out", *small, *QUICK)
    assert report["steps"] == [] and report["versions"]["onnxruntime"]
    rows = {row["shape"]: row for row in report["forward"]}
    assert "projection" in rows["proj64-H256"]["no_onnx"]
    row = rows["batch1-H64"]
    sides = [row[side] for side in ("quadgate", "torch", "onnx")]
    assert all(len(side["repeats"]) == 3 and side["step_ms_median"] > 0 for side in sides)
    assert "clip_foreach=false" not in row["torch"]["tried_ms"]
    faster = min(row["torch"]["step_ms_median"], row["onnx"]["step_ms_median"])
    assert row[row["faster"]]["step_ms_median"] == faster
    assert row["ratio"] == pytest.approx(faster / row["quadgate"]["step_ms_median"])
    # Multiply-adds are two operations; the head has 10 classes.
    flops = 2 * 20 * (4 * 64 * (32 + 64) + 10 * 64)
    at_peak_ms = flops / row["quadgate"]["peak_gflops"] / 1e6
    assert row["ratio_at_peak"] == pytest.approx(faster / at_peak_ms)
    [mean] = report["geometric_means"]
    assert (mean["measured"], mean["shapes"]) == (3, 3)
    assert re.search(rf"\| batch1-H64 \|.*\| {row['ratio']:.2f} \|", markdown)


mpirun = pytest.mark.skipif(
    not shutil.which("mpirun.openmpi") or os.cpu_count() < 2,
    reason="no mpirun.openmpi (scripts/setup --cluster installs it), or one core",
)


@mpirun
@pytest.mark.slow
def test_two_ranks_beside_those_of_pytorch(tmp_path):
    small = ["--ranks", "2", "--shapes", "H32", "--preload", "none"]
    report, markdown = compared(tmp_path / "out", *small, *QUICK)
    [row] = report["ranks"]
    assert report["steps"] == [] and row["ranks"] == 2
    [found] = row["places"].values()
    for side in (found["quadgate"], found["torch"]):
        assert len(side["repeats"]) == 3 and side["step_ms_median"] > 0
    assert all(record["ranks"] == 2 for record in found["quadgate"]["repeats"])
    assert {"defaults", "gradient_as_bucket_view=true"} <= found["torch"]["tried_ms"].keys()
    ratio = found["torch"]["step_ms_median"] / found["quadgate"]["step_ms_median"]
    assert found["ratio"] == ratio
    assert re.search(rf"\| H32 \|.*\| one machine \|.*\| {ratio:.2f} \|", markdown)
    assert f"one machine, 1 of 1 shapes: **{ratio:.2f}**" in markdown


@mpirun
@pytest.mark.skipif(
    os.geteuid() != 0 or not shutil.which("tc"), reason="links want root and iproute2"
)
def test_what_a_link_costs(tmp_path, no_torch):
    small = ["--ranks", "2", "--links", "100", "--shapes", "H32", "--preload", "none"]
    report, markdown = compared(tmp_path / "out", *small, *QUICK, python=no_torch, expected=1)
    # A script that takes 1 ms everywhere has nothing to divide by.
    assert "the link costs PyTorch 0 ms" in report["ranks"][0]["reason"]


@pytest.mark.parametrize(
    "text, status, reason, expected",
    [
        ("echo 'quadgate: error: not so' >&2; exit 2", "not available", "not so", 0),
        ("echo 'quadgate: error: broken' >&2; exit 1", "failed", "exit status 1", 1),
        ("echo no JSON", "failed", "no JSON", 1),
        ("echo '{}'", "failed", "no step_ms_median", 1),
    ],
)
def test_what_could_not_be_measured_is_listed(
    tmp_path, no_torch, text, status, reason, expected
):
    program = script(tmp_path / "quadgate", text)
    report, markdown = compared(
        tmp_path / "out", *SMALL, quadgate=program, python=no_torch, expected=expected
    )
    [row] = report["steps"]
    assert row["status"] == status and reason in row["reason"] and "ratio" not in row
    assert report["geometric_means"][0]["measured"] == 0
    assert f"{status}: " in markdown and "none measured" in markdown


def test_another_batch_than_that_of_the_shape_is_not_compared(tmp_path, no_torch):
    # One thread was asked for, and 20 steps.
    record = {"step_ms_median": 1.0, "step_ms_min": 1.0, "peak_rss_mb": 1, "peak_fraction": 1,
              "gflops": 1, "peak_gflops": 1, "tokens_per_s": 19000.0, "threads": 1,
              "precision": "f32"}  # fmt: skip
    program = script(tmp_path / "quadgate", f"echo '{json.dumps(record)}'")
    report, _ = compared(
        tmp_path / "out", *SMALL, quadgate=program, python=no_torch, expected=1
    )
    assert "'steps': 19" in report["steps"][0]["reason"]


def test_builds_are_not_mixed(tmp_path, no_torch):
    text = f'{{ "{os.environ["QUADGATE_BIN"]}" "$@"; echo "# another build" >> "$0"; exit; }}'
    program = script(tmp_path / "quadgate", text)
    report, _ = compared(
        tmp_path / "out", *SMALL, *QUICK, quadgate=program, python=no_torch, expected=1
    )
    assert "another program" in report["steps"][0]["reason"]


@pytest.mark.parametrize(
    "arguments",
    [["--shapes", "H3"], ["--threads", "0"], ["--repeats", "0"], ["--seconds", "nan"],
     ["--precision", "f16"], ["--preload", "nothing.so"], ["--quadgate", "nothing"],
     ["-o", "no/such/folder"], ["--no-such-option"], ["--shapes", "none"],
     ["--ranks", "0"], ["--ranks", "999"], ["--links", "100"],
     ["--forward", "--ranks", "2"], ["--forward", "--shapes", "words"],
     ["--mpirun", "nothing", "--ranks", "1"]],
)  # fmt: skip
def test_wrong_arguments_are_named_in_a_line(arguments):
    done = compare(*SMALL, *arguments)
    assert done.returncode == 2 and done.stdout == ""
    assert done.stderr.count("\n") == 1 and arguments[0] in done.stderr


def test_a_library_that_cannot_be_preloaded_is_an_error(tmp_path, no_torch):
    library = tmp_path / "libnothing.so"
    library.write_text("no library")
    report, _ = compared(
        tmp_path / "out", *SMALL, *QUICK, "--preload", library, python=no_torch, expected=1
    )
    assert "could not be preloaded" in report["steps"][0]["reason"]


def test_memory_is_not_that_of_the_process_that_starts_it():
    held = b"x" * (256 << 20)
    arguments = ["bench", "--seq-len", "2", "--batch", "1", "--input-size", "2",
                 "--hidden-size", "8", "--threads", "1", "--seconds", "0", "--json"]  # fmt: skip
    done = subprocess.run([os.environ["QUADGATE_BIN"], *arguments], capture_output=True)
    assert 1 < json.loads(done.stdout)["peak_rss_mb"] < len(held) / 2**20


def interrupted(started, prefix, *arguments, **program):
    """Ctrl-C once `started` is there, which has the id of a process that it then ends; stdout."""
    process = subprocess.Popen(
        command(*arguments, "-o", prefix, **program),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    while not started.exists() and process.poll() is None:
        time.sleep(0.01)
    time.sleep(0.5)  # until it waits for what it has started, rather than being about to
    process.send_signal(signal.SIGINT)
    printed, message = process.communicate()
    assert process.returncode == 130
    assert "Traceback" not in message
    assert message.splitlines()[-1].startswith("compare_torch: stopped")
    while is_running(started.read_text().strip()):  # it was killed, which may take a moment
        time.sleep(0.01)
    return printed


def waits(started):
    """Shell: says that it has started, then does nothing for long."""
    return f'echo $$ > "{started}.new"; mv "{started}.new" "{started}"; exec sleep 60'


def test_ctrl_c_in_the_first_row_writes_nothing(tmp_path, no_torch):
    started = tmp_path / "started"
    program = script(tmp_path / "quadgate", waits(started))
    programs = {"quadgate": program, "python": no_torch}
    assert interrupted(started, tmp_path / "out", *SMALL, **programs) == ""
    assert not list(tmp_path.glob("out*"))


def test_ctrl_c_later_keeps_the_rows_so_far(tmp_path, no_torch):
    started = tmp_path / "started"
    # The shape that comes first is unknown to this program, the next one never ends.
    text = f'case "$*" in *"--batch 1 "*) {waits(started)};; *) echo "not so" >&2; exit 2;; esac'
    program = script(tmp_path / "quadgate", text)
    prefix = tmp_path / "out"
    shapes = ["--shapes", "H32,batch1-H64"]
    programs = {"quadgate": program, "python": no_torch}
    printed = interrupted(started, prefix, *SMALL, *shapes, **programs)
    assert printed == prefix.with_name("out.md").read_text()
    report = json.loads(prefix.with_name("out.json").read_text())
    assert [row["status"] for row in report["steps"]] == ["not available", "not measured"]
    assert sorted(path.name for path in tmp_path.glob("out*")) == ["out.json", "out.md"]
