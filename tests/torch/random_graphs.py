"""Random graphs of ONNX around recurrent layers, between nodes that only arrange, with numbers in every
field that holds them; and in a part of them a node that no model of ours has."""

import numpy
import pytest

onnx = pytest.importorskip("onnx", reason="NOT TESTED: no onnx")
runtime = pytest.importorskip("onnxruntime", reason="NOT TESTED: no onnxruntime")
FLOAT, DOUBLE = onnx.TensorProto.FLOAT, onnx.TensorProto.DOUBLE
GATES = {"LSTM": 4, "GRU": 3, "RNN": 1}


def session_of(path):
    options = runtime.SessionOptions()
    options.log_severity_level = 4
    options.intra_op_num_threads = 1
    return runtime.InferenceSession(path, options, providers=["CPUExecutionProvider"])


class Graph:
    """A random graph. `order` says which axes the dimensions of the newest array are: n sequences, t
    steps, f features, d directions, 1 one."""

    def __init__(self, rng):
        self.rng = rng
        self.nodes, self.constants, self.names = [], [], 0
        self.foreign = []  # the kinds of nodes that no model of ours has
        self.wants_foreign = rng.random() < 0.4
        self.n, self.t = int(rng.integers(1, 4)), int(rng.integers(2, 7))

    def flip(self, p=0.5):
        return self.rng.random() < p

    def name(self):
        self.names += 1
        return f"v{self.names}"

    def node(self, op, inputs, outputs=1, **attributes):
        names = [self.name() for _ in range(outputs)]
        name = f"n{self.names}" if self.flip(0.8) else ""
        self.nodes.append(onnx.helper.make_node(op, inputs, names, name=name, **attributes))
        return names[0] if outputs == 1 else names

    def ints(self, *values):
        """Whole numbers: a constant, a node, or what another type holds."""
        name = self.name()
        tensor = onnx.numpy_helper.from_array(numpy.array(values, "i8"), name)
        if self.flip(0.3):
            tensor = onnx.helper.make_tensor(name, onnx.TensorProto.INT64, [len(values)], values)
        if self.flip(0.3):
            self.nodes.append(onnx.helper.make_node("Constant", [], [name], value=tensor))
        else:
            self.constants.append(tensor)
        return name

    def floats(self, array):
        """Numbers in one of the ways that files keep them."""
        array = numpy.asarray(array, "f8")
        way, name = self.rng.integers(0, 9), self.name()
        if way == 0 and array.ndim >= 2:  # the other way round
            perm = list(self.rng.permutation(array.ndim))
            stored = self.floats(array.transpose(perm))
            return self.node("Transpose", [stored], perm=[int(i) for i in numpy.argsort(perm)])
        if way == 1 and array.size and array.shape[-1] > 1:  # two pieces
            pieces = [self.floats(array[..., :1]), self.floats(array[..., 1:])]
            return self.node("Concat", pieces, axis=array.ndim - 1)
        if way == 2:  # one of several
            stored = self.floats(numpy.stack([array + 1, array]))
            return self.node("Gather", [stored, self.scalar(int(self.rng.choice([1, -1])))], axis=0)
        if way == 3:
            stored = self.floats(numpy.concatenate([array, array + 1]))
            return self.node("Slice", [stored, self.ints(0), self.ints(len(array)), self.ints(0)])
        if way == 4:
            stored = self.floats(array[None])
            return self.node("Squeeze", [stored, self.ints(0)])
        if way == 5:
            return self.node("Identity", [self.floats(array)])
        if way == 6:  # double_data, and int32_data with half precision's bits
            kind = int(self.rng.choice([DOUBLE, onnx.TensorProto.FLOAT16]))
            self.constants.append(onnx.helper.make_tensor(name, kind, array.shape, array.ravel()))
            return self.node("Cast", [name], to=FLOAT)
        array = array.astype("f4")
        if way == 7:
            self.constants.append(onnx.helper.make_tensor(name, FLOAT, array.shape, array.ravel()))
        else:
            self.constants.append(onnx.numpy_helper.from_array(array, name))
        return name

    def scalar(self, value):
        self.constants.append(onnx.numpy_helper.from_array(numpy.array(value, "i8"), self.name()))
        return self.constants[-1].name

    def random(self, *shape):
        """In half precision, that any way of keeping it holds it."""
        return (self.rng.normal(size=shape) * 0.5).astype("f2").astype("f8")

    # ---- what only arranges ----

    def arrange(self, y, order):
        """A few nodes that come to nothing."""
        while self.flip(0.35):
            way = self.rng.integers(0, 6)
            if way == 0:
                y = self.node("Identity", [y])
            elif way == 1:
                y = self.node("Dropout", [y])
            elif way == 2:
                perm = [int(i) for i in self.rng.permutation(len(order))]
                y = self.node("Transpose", [y], perm=perm)
                order = [order[i] for i in perm]
            elif way == 3:
                axis = int(self.rng.integers(0, len(order) + 1))
                y = self.node("Unsqueeze", [y, self.ints(axis)])
                y = self.node("Squeeze", [y, self.ints(axis)])
            elif way == 4:
                y = self.node("Reshape", [y, self.ints(*[0] * (len(order) - 1), -1)])
            else:
                y = self.node("Slice", [y, self.ints(0), self.ints(2**31 - 1), self.ints(0)])
        return y, order

    def to_order(self, y, order, wanted):
        if list(order) != list(wanted):
            y = self.node("Transpose", [y], perm=[list(order).index(axis) for axis in wanted])
        return y

    # ---- what does not belong there ----

    def disturb(self, y, order, width):
        """Perhaps one node that changes the numbers."""
        if not self.wants_foreign or self.foreign or self.flip(0.75):
            return y
        axis = list(order).index("t") if "t" in order else None
        ways = ["Relu", "Tanh", "Mul", "Add", "Residual", "Softmax", "Norm", "MatMul"]
        ways += ["Reverse", "Shift"] if axis is not None else []
        way = str(self.rng.choice(ways))
        self.foreign.append(way)
        if way in ("Relu", "Tanh"):
            return self.node(way, [y])
        if way in ("Mul", "Add"):
            return self.node(way, [y, self.floats([1.5])])
        if way == "Residual":
            return self.node("Add", [y, y])
        if way == "Softmax":
            return self.node("Softmax", [y], axis=-1)
        if way == "Norm":
            return self.node("LayerNormalization",
                             [y, self.floats(numpy.ones(1)), self.floats(numpy.zeros(1))])  # fmt: skip
        if way == "MatMul":
            last = width if order[-1] == "f" else {"n": self.n, "t": self.t}[order[-1]]
            return self.node("MatMul", [y, self.floats(self.random(last, last))])
        begin, end, by = (-1, -(2**31), -1) if way == "Reverse" else (0, -1, 1)
        return self.node("Slice", [y, self.ints(begin), self.ints(end), self.ints(axis), self.ints(by)])

    # ---- parts of models ----

    def begin(self):
        """The input, its name, and what goes in as [N, T, I] or tokens [N, T]."""
        self.embeds = self.flip(0.25)
        self.width = int(self.rng.integers(1, 5))
        batch_first = self.flip()
        order = ["n", "t"] if batch_first else ["t", "n"]
        sizes = {"n": self.n if self.flip() else "N", "t": self.t if self.flip() else "T"}
        self.sizes = sizes
        shape = [sizes[axis] for axis in order]
        if self.embeds:
            self.x = self.rng.integers(0, 7, (self.n, self.t))
            kind = onnx.TensorProto.INT64
        else:
            self.x = self.rng.normal(size=(self.n, self.t, self.width)).astype("f4")
            kind = FLOAT
            order, shape = [*order, "f"], [*shape, self.width]
        self.input = onnx.helper.make_tensor_value_info("x", kind, shape)
        self.fed = self.x.transpose(["ntf".index(axis) for axis in order])
        y = "x"
        if self.embeds:
            y = self.node("Gather", [self.floats(self.random(7, self.width)), y], axis=0)
            order = [*order, "f"]
        return self.arrange(y, order)

    def convolve(self, y, order):
        y = self.to_order(y, order, "nft")
        padding, size, pool = int(self.rng.integers(0, 2)), int(self.rng.choice([1, 3])), 1
        padding = min(padding, size - 1)
        channels = int(self.rng.integers(1, 5))
        if self.t + 2 * padding - size + 1 < 2:
            padding = (size - 1) // 2
        weights = [self.floats(self.random(channels, self.width, size))]
        if self.flip(0.7):
            weights.append(self.floats(self.random(channels)))
        y = self.node("Conv", [y, *weights], kernel_shape=[size], pads=[padding, padding])
        y = self.disturb(y, "nft", channels)
        y = self.node("Relu", [y])
        self.t += 2 * padding - size + 1
        if self.t >= 4 and self.flip():
            y, self.t = self.node("MaxPool", [y], kernel_shape=[2], strides=[2]), self.t // 2
        self.width = channels
        return y, ["n", "f", "t"]

    def states(self, op, layer):
        """Initial states of zeros, mostly."""
        if self.flip(0.6):
            return ["", ""]
        states = []
        for _ in range(2):
            zeros = numpy.zeros((self.directions, self.n, self.hidden))
            if self.wants_foreign and not self.foreign and self.flip(0.3):
                self.foreign.append("initial state")
                zeros[-1, -1, -1] = 1
                states.append(self.floats(zeros))
            elif self.flip():
                states.append(self.floats(zeros))
            else:
                shape = self.node("Shape", [self.sequences])
                n = self.node("Gather", [shape, self.ints(1)], axis=0)
                shape = self.node("Concat", [self.ints(self.directions), n, self.ints(self.hidden)], axis=0)
                value = onnx.helper.make_tensor("", FLOAT, [1], [0])
                states.append(self.node("ConstantOfShape", [shape], value=value))
        return states

    def recur(self, y, order, op, layer):
        y = self.to_order(y, order, "tnf")
        self.sequences = y
        rows = GATES[op] * self.hidden
        options = {"hidden_size": self.hidden}
        if self.directions == 2:
            options["direction"] = "bidirectional"
        elif self.reverse:
            options["direction"] = "reverse"
        if op == "GRU":
            options["linear_before_reset"] = 1
        if op == "RNN" and self.relu:
            options["activations"] = ["Relu"] * self.directions
        elif self.flip(0.2):
            names = {"LSTM": ["Sigmoid", "Tanh", "Tanh"], "GRU": ["Sigmoid", "Tanh"], "RNN": ["Tanh"]}
            options["activations"] = names[op] * self.directions
        if self.wants_foreign and not self.foreign and self.flip(0.2):
            self.foreign.append("option")
            if op == "GRU":
                options["linear_before_reset"] = 0
            else:
                options["clip"] = 0.3
        if self.relu and op == "RNN":  # that it does not grow without bounds
            r = self.random(self.directions, rows, self.hidden) * 0.25
        else:
            r = self.random(self.directions, rows, self.hidden)
        inputs = [y, self.floats(self.random(self.directions, rows, self.width)), self.floats(r)]
        inputs.append(self.floats(self.random(self.directions, 2 * rows)) if self.flip(0.8) else "")
        h, c = self.states(op, layer)
        inputs += ["", h, *([c] if op == "LSTM" else [])]
        outputs = self.node(op, inputs, 3 if op == "LSTM" else 2, **options)
        self.width = self.hidden * self.directions
        return outputs[0], outputs[1]

    def flatten_directions(self, y, order):
        """[.., D, .., H] to [.., D * H]: the dimensions of `order` and the features."""
        at = order.index("d")
        if self.directions == 1 and self.flip():
            y = self.node("Squeeze", [y, self.ints(at)])
            return y, [axis for axis in order if axis != "d"]
        rest = [axis for axis in order if axis not in "df"]
        y = self.to_order(y, order, [*rest, "d", "f"])
        if len(rest) == 1 and self.flip(0.3):
            return self.node("Flatten", [y], axis=1), [*rest, "f"]
        shape = [0] * len(rest) + ([-1] if self.flip() else [self.width])
        return self.node("Reshape", [y, self.ints(*shape)]), [*rest, "f"]

    def last(self, y, order, h):
        """The last states, by the way that torch.nn modules are written."""
        if self.directions == 1 and self.flip():
            axis = order.index("t")
            index = -1 if self.conv or self.sizes["t"] == "T" or self.flip() else self.t - 1
            if self.reverse:
                index = 0
            if self.flip():
                y = self.node("Gather", [y, self.scalar(index)], axis=axis)
            else:
                end = 2**31 - 1 if index == -1 else index + 1
                y = self.node("Slice", [y, self.ints(index), self.ints(end), self.ints(axis)])
                y = self.node("Squeeze", [y, self.ints(axis)])
            return y, [one for one in order if one != "t"]
        if self.directions == 2 and self.flip(0.4):
            directions = [self.node("Gather", [h, self.scalar(i)], axis=0) for i in (0, -1)]
            return self.node("Concat", directions, axis=1), ["n", "f"]
        return self.flatten_directions(h, ["d", "n", "f"])

    def head(self, y, order):
        y = self.to_order(y, order, [axis for axis in order if axis != "f"] + ["f"])
        order = [axis for axis in order if axis != "f"] + ["f"]
        outputs = int(self.rng.integers(1, 5))
        weight, bias = self.random(outputs, self.width), self.random(outputs)
        self.width = outputs
        if len(order) == 2 and self.flip():
            options = {"transB": 1} if self.flip() else {}
            inputs = [y, self.floats(weight if options else weight.T)]
            if self.flip(0.8):
                inputs.append(self.floats(bias))
            return self.node("Gemm", inputs, **options), order
        y = self.node("MatMul", [y, self.floats(weight.T)])
        if self.flip(0.8):
            inputs = [y, self.floats(bias)]
            y = self.node("Add", inputs if self.flip() else inputs[::-1])
        return y, order

    def build(self):
        y, order = self.begin()
        y = self.disturb(y, order, self.width)
        self.conv = self.flip(0.15)
        self.tagger_conv = False
        if self.conv:
            y, order = self.convolve(y, order)
            y, order = self.arrange(y, order)
        op = str(self.rng.choice(["LSTM", "LSTM", "LSTM", "GRU", "RNN"]))
        self.directions = int(self.rng.integers(1, 3))
        self.reverse = self.directions == 1 and self.flip(0.2)
        self.hidden = int(self.rng.integers(1, 5))
        self.relu = self.flip()
        for layer in range(int(self.rng.integers(1, 4))):
            y, h = self.recur(y, order, op, layer)
            y, order = self.flatten_directions(y, ["t", "d", "n", "f"])
            y, order = self.arrange(y, order)
            y = self.disturb(y, order, self.width)
        way = str(self.rng.choice(["every", "every", "last", "mean", "max", "bare"]))
        if self.conv and way == "every":  # a head at every step wants as many as come in
            way = "last"
        if way == "last":
            y, order = self.last(y, order, h)
        elif way in ("mean", "max"):
            op, keeps = {"mean": "ReduceMean", "max": "ReduceMax"}[way], self.flip()
            axis = order.index("t")
            y = self.node(op, [y], axes=[axis], keepdims=int(keeps))
            if keeps:
                y = self.node("Squeeze", [y, self.ints(axis)])
            order = [one for one in order if one != "t"]
        if way == "bare" and self.reverse:
            self.foreign.append("no head behind reverse layers")
        if way != "bare":
            y = self.disturb(y, order, self.width)
            y, order = self.head(y, order)
        y, order = self.arrange(y, order)
        y = self.disturb(y, order, self.width)
        self.order = order
        return y

    def save(self, path):
        y = self.build()
        output = onnx.helper.make_tensor_value_info(y, FLOAT, None)
        graph = onnx.helper.make_graph(self.nodes, "g", [self.input], [output], self.constants)
        model = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 17)])
        model.ir_version = 8
        onnx.save(model, path)

    def wanted(self, path):
        """What onnxruntime makes of it, as [N, T, features] or [N, features]."""
        (y,) = session_of(path).run(None, {"x": self.fed})
        return y.transpose([self.order.index(axis) for axis in "ntf" if axis in self.order])
