"""Every #include goes along the arrows between the rooms. This table is the second proof: the first
one is that each room compiles with the headers of no others than those that it links."""

import pathlib
import re
import sys

LAYERS = ["kernels", "engine", "io", "apps"]  # each may include those before it

# The rooms of its own layer that a room may include.
ROOMS = {
    "kernels/base": [],
    "kernels/simd": ["base"],
    "kernels/matrix": ["base", "simd"],
    "kernels/cells": ["base", "simd", "matrix"],
    "kernels/optimizers": ["base", "simd"],
    "kernels/loss": ["base", "simd"],
    "kernels/random": ["base", "simd"],
    "kernels/fma_peak": ["base", "simd"],
    "engine/base": [],
    "engine/metrics": ["base"],
    "engine/threads": ["base"],
    "engine/model": ["base", "threads"],
    "engine/cluster": ["base", "threads", "model"],
    "engine/mpi": ["base", "cluster"],
    "engine/backend": ["base", "threads", "model"],
    "engine/native": ["base", "threads", "model", "backend"],
    "engine/onednn": ["base", "threads", "model", "backend", "native"],
    "engine/training": ["base", "threads", "model", "cluster", "backend", "native", "onednn"],
    "io/files": [],
    "io/attributes": [],
    "io/hdf5": ["files", "attributes"],
    "io/data": ["files", "attributes", "hdf5"],
    "io/prepare": ["files", "attributes", "hdf5", "data"],
    "io/tensors": ["files", "hdf5"],
    "io/graph": ["files", "tensors"],
    "io/model": ["files", "attributes", "hdf5", "data", "tensors", "graph"],
    "io/importers": ["files", "attributes", "hdf5", "data", "prepare", "tensors"],
    "apps/common": [],
    "apps/model": ["common", "prepare"],
    "apps/train": ["common", "prepare", "model"],
    "apps/prepare": ["common"],
    "apps/backtest": ["common", "prepare", "model", "train"],
    "apps/bench": ["common"],
    "apps": ["common", "model", "train", "prepare", "backtest", "bench"],  # main
}

# Rooms that hide behind others of their layer, and who of the layers above looks into them.
HIDDEN = {
    "engine/backend": [],
    "engine/native": [],
    "engine/onednn": ["apps"],  # main caps the instruction set
}

# The folders, or folders of rooms, that tests and programs beside the house may include.
OUTSIDE = {
    "tests/kernels": ["kernels", "tests/kernels", "tests/support"],
    "tests/engine": ["kernels", "engine", "io/hdf5", "tests/kernels", "tests/engine",
                     "tests/support"],
    "tests/io": ["kernels", "engine", "io", "tests/io", "tests/support"],
    "tests/apps": ["kernels", "engine", "io", "apps", "tests/apps", "tests/support"],
    "tests/support": ["kernels", "engine", "tests/support"],
    "tests/fuzz": ["kernels", "engine", "io", "apps", "tests/fuzz"],
    "tests/compile_fail": ["kernels", "engine"],
    "tests/examples": ["examples"],
    "tests/install": [],  # a user's program: <quadgate/...>
    "tests/torch": ["PUBLIC"],
    "bench": ["kernels", "engine", "io"],
    "docs": ["PUBLIC"],
    "python": ["PUBLIC", "apps", "io/hdf5/memory_file.h"],
    "examples": ["PUBLIC", "examples", "engine/base/random.h"],
}

# Whose .cpp files may include a library's headers. Others of a path, <name/...> or <name.h>, are
# the system's.
LIBRARIES = {
    "CLI/": ["apps"],
    "csv.h": ["io/importers"],
    "fmt/": ["engine", "io", "apps", "bench"],
    "hdf5.h": ["io/hdf5", "bench"],
    "mpi.h": ["engine/mpi"],
    "nlohmann/": ["io/model", "io/tensors", "apps", "examples"],
    "oneapi/": ["engine/onednn"],
    "onnx/": ["io/model", "io/graph"],
    "tbb/": ["engine/threads"],
    "toml++/": ["apps/train"],
    "xxhash.h": ["io/files"],
    "xxh_x86dispatch.h": ["python/native"],
    "zip.h": ["io/importers", "io/tensors"],
    "zlib.h": ["io/importers"],
    "benchmark/": ["bench"],
}
SYSTEM = re.compile(r"[a-z_]+|(sys|linux|sanitizer)/[a-z_]+\.h|(cpuid|dlfcn|fcntl|immintrin|poll|sched|"
                    r"signal|spawn|stdio|stdlib|unistd|xmmintrin)\.h")
# The one header of a room that wraps its library for its files.
WRAPPERS = {"io/hdf5/library_lock.h": "hdf5.h"}

INCLUDE = re.compile(r'\s*#\s*include\s*(?:"([^"]+)"|<([^>]+)>)')


def is_in(path, folders):
    return any(path == folder or path.startswith(folder + "/") for folder in folders)


def room_of(path):
    """"kernels/cells" of "kernels/cells/lstm/lstm.h", "apps" of "apps/main.cpp"; else None."""
    parts = path.split("/")
    room = "/".join(parts[:2]) if len(parts) > 2 else parts[0]
    return room if room in ROOMS else None


class Checker:
    def __init__(self, root):
        self.root = root
        self.public = set((root / "tests/install/headers.txt").read_text().split())
        self.errors = []
        self.includes = 0

    def check(self):
        for top in LAYERS + ["tests", "bench", "docs", "examples", "python"]:
            for path in sorted((self.root / top).rglob("*")):
                if path.suffix in (".h", ".cpp", ".c"):
                    self.check_file(path)

    def check_file(self, path):
        name = path.relative_to(self.root).as_posix()
        room = room_of(name)
        if room is None and not is_in(name, OUTSIDE):
            self.errors.append(f"{name}: its folder is no room of {pathlib.Path(__file__).name}")
            return
        if room is not None and not (self.root / room / "CMakeLists.txt").exists():
            self.errors.append(f"{name}: {room} has no CMakeLists.txt")
        for number, line in enumerate(path.read_text().splitlines(), 1):
            match = INCLUDE.match(line)
            if not match:
                continue
            self.includes += 1
            ours, other = match.groups()
            problem = self.problem_of_ours(name, room, ours) if ours else \
                self.problem_of_library(name, other)
            if problem:
                self.errors.append(f"{name}:{number}: {line.strip()}: {problem}")

    def problem_of_ours(self, name, room, header):
        if room is None:
            beside = pathlib.PurePosixPath(name).parent / header  # a user's program has no root
            if (self.root / beside).exists() and is_in(name, ["examples"]):
                header = beside.as_posix()
            outside = next(folder for folder in OUTSIDE if is_in(name, [folder]))
            if "PUBLIC" in OUTSIDE[outside] and header in self.public:
                return None
            return None if is_in(header, OUTSIDE[outside]) else f"{outside} may not"
        if not (self.root / header).exists():
            return "no path from the project's root"
        if name in self.public and header not in self.public:
            return f"{name} is installed, {header} is not"
        other = room_of(header)
        layer, other_layer = room.split("/")[0], header.split("/")[0]
        if other == room:
            return None
        if other is None or other_layer not in LAYERS:
            return "it belongs to no room"
        if layer == other_layer:
            return None if other in [f"{layer}/{r}" for r in ROOMS[room]] else f"{room} may not"
        if LAYERS.index(other_layer) > LAYERS.index(layer):
            return f"{layer} may not"
        return None if room in HIDDEN.get(other, [room]) else f"{room} may not"

    def problem_of_library(self, name, header):
        if is_in(name, ["tests"]) or SYSTEM.fullmatch(header) or WRAPPERS.get(name) == header:
            return None
        for library, folders in LIBRARIES.items():
            if header.startswith(library):
                if name.endswith(".h"):
                    return "a library's header in a header"
                return None if is_in(name, folders) else "not the folder that wraps this library"
        return "an unknown library"


def main():
    checker = Checker(pathlib.Path(__file__).resolve().parents[2])
    checker.check()
    print("\n".join(checker.errors) or f"{checker.includes} includes go along the arrows")
    if checker.includes < 1000:
        sys.exit("expected at least 1000 includes: where are the sources?")
    sys.exit(1 if checker.errors else 0)


main()
