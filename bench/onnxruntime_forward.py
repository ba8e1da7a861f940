"""ONNX Runtime's side of bench/compare_torch.py --forward: the forward pass of the model that
`quadgate bench --forward` runs, as an ONNX graph with random weights, on random data. It is asked as
torch_step.py is."""

import pathlib
import sys
from collections.abc import Callable

sys.path.append(str(pathlib.Path(__file__).parents[1] / "apps" / "bench"))

import torch_step  # noqa: E402

FLOAT = 1  # of onnx.TensorProto
INT32 = 6
OPSET, IR_VERSION = 17, 8


def make_model(shape: dict) -> object:
    """x [T, N, I], and where sequences differ in length `lengths` [N], to logits [T, N, classes]."""
    import numpy
    from onnx import helper, numpy_helper

    if shape["cell"] != "lstm" or shape["proj_size"] or shape["bidirectional"]:
        raise ValueError("ONNX: expected an LSTM of one direction without a projection")
    draw = numpy.random.default_rng(1)
    hidden, lengths = shape["hidden_size"], shape["lengths"]
    steps, rows = max(lengths), len(lengths)
    weights, nodes = [], []

    def weight(name: str, *sizes: int) -> str:
        values = draw.uniform(-1, 1, sizes).astype(numpy.float32) / hidden**0.5
        weights.append(numpy_helper.from_array(values, name))
        return name

    inputs = [helper.make_tensor_value_info("x", FLOAT, [steps, rows, shape["input_size"]])]
    if min(lengths) != steps:
        inputs.append(helper.make_tensor_value_info("lengths", INT32, [rows]))
    weights.append(numpy_helper.from_array(numpy.array([1]), "direction"))
    features, size = "x", shape["input_size"]
    for layer in range(shape["num_layers"]):
        names = [
            weight(f"w{layer}", 1, 4 * hidden, size),
            weight(f"r{layer}", 1, 4 * hidden, hidden),
            weight(f"b{layer}", 1, 8 * hidden),
            *[value.name for value in inputs[1:]],
        ]
        y = f"y{layer}"
        nodes.append(helper.make_node("LSTM", [features, *names], [y], hidden_size=hidden))
        nodes.append(helper.make_node("Squeeze", [y, "direction"], [f"h{layer}"]))
        features, size = f"h{layer}", hidden
    head = weight("head", hidden, torch_step.CLASSES)
    nodes.append(helper.make_node("MatMul", [features, head], ["product"]))
    bias = weight("head_bias", torch_step.CLASSES)
    nodes.append(helper.make_node("Add", ["product", bias], ["logits"]))
    logits = helper.make_tensor_value_info("logits", FLOAT, [steps, rows, torch_step.CLASSES])
    graph = helper.make_graph(nodes, "forward", inputs, [logits], weights)
    opset = helper.make_opsetid("", OPSET)
    return helper.make_model(graph, opset_imports=[opset], ir_version=IR_VERSION)


def make_forward(shape: dict) -> Callable[[], None]:
    """A function that does one forward pass, always on the same batch, into the same memory."""
    import numpy
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = shape["threads"]
    options.inter_op_num_threads = 1
    options.add_session_config_entry("session.set_denormal_as_zero", "1")
    session = onnxruntime.InferenceSession(
        make_model(shape).SerializeToString(), options, providers=["CPUExecutionProvider"]
    )
    lengths = sorted(shape["lengths"], reverse=True)
    draw = numpy.random.default_rng(2)
    x = draw.uniform(-1, 1, (lengths[0], len(lengths), shape["input_size"]))
    binding = session.io_binding()
    binding.bind_cpu_input("x", x.astype(numpy.float32))
    if lengths[0] != lengths[-1]:
        binding.bind_cpu_input("lengths", numpy.array(lengths, numpy.int32))
    logits = numpy.empty((lengths[0], len(lengths), torch_step.CLASSES), numpy.float32)
    binding.bind_ortvalue_output("logits", onnxruntime.OrtValue.ortvalue_from_numpy(logits))
    return lambda: session.run_with_iobinding(binding)


if __name__ == "__main__":
    torch_step.main(make_forward, "onnxruntime")
