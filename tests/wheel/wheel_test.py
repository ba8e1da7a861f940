# wheel_test.py FOLDER: sweeps what a user does with the wheel, installed into an empty environment in a
# folder that holds nothing else but Python, libc, libstdc++, libgcc and zlib. Root sees no other files
# (chroot); other users see all of this machine, and what is loaded of it is looked at.

import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import sysconfig
import tempfile
import textwrap
import time
import unittest

(wheel,) = pathlib.Path(sys.argv.pop()).resolve().glob("*.whl")
chroot = os.geteuid() == 0

# What PEP 600 says that every Linux with this libc has.
SYSTEM = re.compile(r"(ld-linux-x86-64|libc|libdl|libgcc_s|libm|libpthread|librt|libstdc\+\+|libutil|libz)\.so")


def libraries(file):
    """What a file is linked with, directly or not: (name, path)."""
    listed = subprocess.run(["ldd", file], capture_output=True, text=True, check=True).stdout
    for line in listed.splitlines():
        if path := re.search(r"(/\S+) \(0x", line):
            yield line.split()[0].rpartition("/")[2], path[1]
        elif "linux-vdso" not in line and "statically linked" not in line:
            raise AssertionError(f"{file}: {line}")


def copy(source, root):
    target = root / str(source).lstrip("/")
    target.parent.mkdir(parents=True, exist_ok=True)
    if pathlib.Path(source).is_dir():
        unused = shutil.ignore_patterns("__pycache__", "test", "site-packages", "dist-packages", "idlelib",
                                        "config-3*", "lib-dynload")  # fmt: skip
        shutil.copytree(source, target, ignore=unused)
    else:
        shutil.copy(source, target)


def make_root(root):
    """Python and what PEP 600 lets the wheel use."""
    python = os.path.realpath(sys.executable)
    copy(python, root)
    copy(sysconfig.get_path("stdlib"), root)
    library = pathlib.Path("/lib/x86_64-linux-gnu")
    needed = {path for _, path in libraries(python)}
    needed |= {file for file in library.iterdir() if SYSTEM.match(file.name)}
    extensions = pathlib.Path(sysconfig.get_path("stdlib"), "lib-dynload").glob("*.so")
    needed |= {file for file in extensions if all(SYSTEM.match(name) for name, _ in libraries(file))}
    for path in needed:
        copy(path, root)
    # So that paths are the same inside.
    (root / str(root.parent).lstrip("/")).mkdir(parents=True, exist_ok=True)
    (root / str(root).lstrip("/")).symlink_to("/")
    for folder in ("dev", "tmp", "user"):
        (root / folder).mkdir(exist_ok=True)
    (root / "dev/null").touch()


class WheelTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.root = pathlib.Path(cls.enterClassContext(tempfile.TemporaryDirectory())).resolve() / "root"
        make_root(cls.root)
        cls.venv, cls.work = cls.root / "venv", cls.root / "user"
        python = os.path.realpath(sys.executable)
        subprocess.run([python, "-m", "venv", "--without-pip", cls.venv], check=True)
        subprocess.run([sys.executable, "-m", "pip", "--python", cls.venv / "bin/python", "install", "-q",
                        "--disable-pip-version-check", "--no-index", "--no-deps", wheel], check=True)  # fmt: skip
        (cls.package,) = cls.venv.glob("lib/python3*/site-packages/quadgate")

    def start(self, command, *arguments, **options):
        def enter():
            if chroot:
                os.chroot(self.root)
            os.chdir("/user" if chroot else self.work)

        program = self.venv / "bin" / command
        # Without /proc the loader does not know where a program lies.
        environment = {"LD_ORIGIN_PATH": self.package / "bin"} if chroot else {}
        return subprocess.Popen([program, *arguments], preexec_fn=enter, text=True, stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE, env=environment, **options)  # fmt: skip

    def run_in(self, command, *arguments, code=0, **options):
        process = self.start(command, *arguments, stdin=subprocess.PIPE)
        out, err = process.communicate(**options)
        self.assertEqual(process.returncode, code, err)
        return out if code == 0 else err

    def test_is_small_and_for_every_python(self):
        glibc = re.fullmatch(r"quadgate-[\d.]+-py3-none-manylinux_2_(\d+)_x86_64\.whl", wheel.name)
        self.assertTrue(glibc and int(glibc[1]) <= 36, wheel.name)
        self.assertLess(wheel.stat().st_size, 30e6)

    def test_brings_its_libraries(self):
        files = [path for path in self.package.parent.rglob("*") if path.is_file()]
        binaries = [path for path in files if path.read_bytes()[:4] == b"\x7fELF"]
        self.assertGreater(len(binaries), 10)
        self.assertLessEqual({"_native.so", "_commands.so", "quadgate"}, {path.name for path in binaries})
        for binary in binaries:
            for name, path in libraries(binary):
                ours = pathlib.Path(os.path.normpath(path)).is_relative_to(self.root)
                self.assertTrue(ours or SYSTEM.match(name), f"{binary}: {path}")

    def test_brings_no_headers_archives_or_sources(self):
        kinds = {path.suffix for path in self.package.rglob("*") if path.is_file()}
        self.assertLessEqual(kinds, {".py", ".pyc", ".so", ".typed", ""})

    def test_names_the_licences_of_what_it_brings(self):
        (licences,) = self.package.parent.glob("quadgate-*.dist-info/licenses")
        for name in ("LICENSE", "onednn/LICENSE", "libtbb12/copyright", "libcsv3/copyright"):
            self.assertGreater((licences / name).stat().st_size, 1000)

    def test_the_command_and_the_module_are_the_program(self):
        (information,) = self.package.parent.glob("quadgate-*.dist-info")
        version = "quadgate " + information.name.split("-")[1].removesuffix(".dist") + "\n"
        self.assertEqual(self.run_in("quadgate", "--version"), version)
        self.assertEqual(self.run_in("python", "-m", "quadgate", "--version"), version)
        self.assertIn("Usage: quadgate", self.run_in("quadgate", "--help"))
        self.assertIn("expected one of prepare,", self.run_in("quadgate", "nothing", code=2))

    def test_a_program_that_is_not_there_is_named(self):
        program = self.package / "bin/quadgate"
        moved = program.rename(program.with_name("moved"))
        try:
            message = self.run_in("quadgate", "--help", code=1)
        finally:
            moved.rename(program)
        self.assertRegex(message, r"^quadgate: error: /\S+/bin/quadgate: No such file or directory\n$")

    def test_trains(self):
        rows = "".join(f"{i % 7},{(3 * i) % 5}\n" for i in range(200))
        (self.work / "rows.csv").write_text("a,b\n" + rows)
        self.run_in("quadgate", "prepare", "csv", "rows.csv", "--valid-fraction", "0.2", "-o", "data.h5")
        run = """
            [data]
            path = "data.h5"
            input_len = 10
            horizon = 2
            [model]
            hidden_size = 8
            [train]
            epochs = 3
            [output]
            dir = "run" """
        (self.work / "run.toml").write_text(run)
        self.run_in("quadgate", "train", "run.toml")
        scores = self.run_in("quadgate", "evaluate", "run/best.h5", "--data", "data.h5", "--split", "valid")
        self.assertRegex(scores, r"\nmse +\d")
        self.run_in("quadgate", "export", "run/best.h5", "-o", "model.onnx")
        predict = ["predict", "run/best.h5", "--input", "rows.csv", "-o", "forecast.csv"]
        self.run_in("python", "-m", "quadgate", *predict)
        self.assertEqual(len((self.work / "forecast.csv").read_text().splitlines()), 1 + 2 * 2)

    def test_ctrl_c_and_a_closed_pipe_reach_the_program(self):
        steps = ["bench", "--seq-len", "9", "--batch", "9", "--input-size", "9", "--hidden-size", "9"]
        process = self.start("quadgate", *steps, "--seconds", "60")
        self.wait_for_the_program(process)
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=30)
        self.assertEqual(process.returncode, -signal.SIGINT)
        process = self.start("quadgate", "train", "--help")
        process.stdout.close()
        direct = subprocess.Popen([self.package / "bin/quadgate", "train", "--help"], stdout=subprocess.PIPE,
                                  stderr=subprocess.PIPE)  # fmt: skip
        direct.stdout.close()
        self.assertEqual(process.wait(30), direct.wait(30))
        process.stderr.close(), direct.stderr.close()

    def wait_for_the_program(self, process):
        while pathlib.Path(f"/proc/{process.pid}/exe").resolve().name != "quadgate":
            time.sleep(0.01)
        time.sleep(0.3)

    def test_imports_at_once_and_without_what_is_not_there(self):
        code = """
            import sys, time
            start = time.perf_counter()
            import quadgate
            print(time.perf_counter() - start)
            assert not {"torch", "numpy", "h5py", "ctypes"} & set(sys.modules)"""
        seconds = min(float(self.run_in("python", "-c", textwrap.dedent(code))) for _ in range(3))
        print(f"import quadgate: {1000 * seconds:.1f} ms")
        self.assertLess(seconds, 0.1)

    def test_a_missing_extra_names_the_command(self):
        for code, message in [
            ("quadgate.nn", 'quadgate.nn: expected torch to be installed: pip install "quadgate[torch]"'),
            ("quadgate.load", 'pip install "quadgate[torch]"'),
            ("quadgate.save_dataset", 'pip install "quadgate[data]"'),
            ("quadgate.tune", 'pip install "quadgate[tune]"'),
        ]:
            error = self.run_in("python", "-c", f"import quadgate; {code}", code=1)
            self.assertIn("ImportError: ", error.splitlines()[-1])
            self.assertIn(message, error)
            module = {"load": "model", "save_dataset": "dataset", "tune": "tuning"}.get(code.split(".")[1], "nn")
            error = self.run_in("python", "-c", f"import quadgate.{module}", code=1)
            self.assertIn("pip install", error.splitlines()[-1])


if __name__ == "__main__":
    print("in a root of its own" if chroot else "NOT TESTED: a root of its own, which root alone can make")
    unittest.main()
