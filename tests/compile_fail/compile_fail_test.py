"""What must not compile, each file for the reason given and for no other.

compile_fail_test.py COMPILER FLAG...

A file is a namespace of one unit, so that headers are parsed once.
"""

import pathlib
import re
import subprocess
import sys

FOLDER = pathlib.Path(__file__).parent
PROJECT = FOLDER.parents[1]


def not_converted(asked):
    """What a step of a pass asks for, where it gets something else."""
    return f"cannot convert .*{asked}|no viable conversion from .* to .*{asked}"


READ_ONLY = r"assignment of read-only location|'operator\[\]' returns a const value"

# gcc's words or clang's.
ERRORS = {
    "backward_before_forward": not_converted("Step::forward"),
    "backward_twice": "use of deleted function.*Done<quadgate::native::Stack|"
    "deleted copy constructor of 'quadgate::native::Stack::Forward'",
    "claim_a_step": "Done.* is private|calling a private constructor of class 'quadgate::native::Done",
    "conv_backward_before_forward": not_converted("Conv.*Step::forward"),
    "copy_buffer": "use of deleted function.*Buffer|"
    "implicitly-deleted copy constructor of 'quadgate::Buffer'",
    "copy_editor": "use of deleted function.*ParameterEditor|"
    "call to (implicitly-)?deleted.*'quadgate::ParameterEditor'",
    "copy_network": "use of deleted function.*Network|deleted constructor of 'quadgate::Network'",
    "crf_backward_before_forward": not_converted("Crf::Forward"),
    "edit_const_parameters": "passing .*const quadgate::Parameters.* as .*this.* argument discards|"
    "'this' argument to member function 'edit'",
    "forward_before_load": not_converted("Stack.*Step::load"),
    "gradient_before_backward": not_converted("Step::backward"),
    "gradient_of_states_before_backward": not_converted("Step::backward"),
    "head_backward_before_loss": not_converted("Step::loss"),
    "keep_view_of_ended_editor":
    "passing .*quadgate::ParameterEditor.* as .*this.* argument discards|"
    "is an rvalue, but function has non-const lvalue ref-qualifier",
    "metrics_before_loss": not_converted("Step::loss"),
    "pass_before_begin": "Pass::Pass.* is private within|"
    "calling a private constructor of class 'quadgate::native::Pass'",
    "recurrent_backward_before_forward": "no matching function for call to .*Recurrent::backward|"
    "too few arguments to function call, expected at least 2",
    "recurrent_backward_twice": "cannot bind rvalue reference of type .*Recurrent::Forward|"
    "rvalue reference to type 'quadgate::Recurrent::Forward'",
    "replace_parameters": "use of deleted function.*Parameters|selected deleted operator '='",
    "write_const_parameters": READ_ONLY,
    "write_const_tensor": READ_ONLY,
    "write_gradient": READ_ONLY,
    "write_unedited_parameters": READ_ONLY,
}  # fmt: skip


def unit(names):
    """The headers of all, then each file in a namespace of its own."""
    texts = [(FOLDER / f"{name}.cpp").read_text() for name in names]
    headers = {line for text in texts for line in text.splitlines() if line.startswith("#include")}
    parts = [f'namespace {name} {{\n#include "{FOLDER / name}.cpp"\n}}' for name in names]
    return "\n".join([*sorted(headers), *parts, ""])


def errors(compiler, text):
    """All, as (file or header, message)."""
    command = [*compiler, "-std=c++20", "-fsyntax-only", f"-I{PROJECT}", "-x", "c++", "-"]
    printed = subprocess.run(command, input=text, capture_output=True, text=True).stderr
    return re.findall(r"^(.*?):\d+:\d+: (?:fatal )?error: (.*)$", printed, re.MULTILINE)


def main():
    files = sorted(path.stem for path in FOLDER.glob("*.cpp"))
    assert files == sorted(ERRORS), f"expected an error for each of {files}"
    found = {name: [] for name in files}
    bad = []
    of_name = bad
    for path, message in errors(sys.argv[1:], unit(files)):
        of_name = found.get(pathlib.Path(path).stem, of_name)  # or a header's, of the one before it
        of_name.append(f"{path}: {message}")
    for name, pattern in ERRORS.items():
        if not found[name]:
            bad.append(f"{name}.cpp: expected an error, found none")
        bad += [line for line in found[name] if not re.search(pattern, line)]
    print(*bad, f"{len(files)} files, {len(bad)} not as expected", sep="\n")
    return bool(bad)


sys.exit(main())
