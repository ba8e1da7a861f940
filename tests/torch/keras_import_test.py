# Sweeps: 40 random Keras models (QUADGATE_SWEEPS is how many) around recurrent layers, Sequential and functional, weights alone
# and whole: each is imported with Keras's outputs or refused in a line; those of the parts that we
# have are imported. Tolerance: 1e-5 on outputs of the order of 1, as programs sum in other orders.

import os

import numpy
import pytest

from imported import attributes, imported, outputs, refused, run_import

os.environ["KERAS_BACKEND"] = "torch"
keras = pytest.importorskip("keras", reason="NOT TESTED: no keras")
layers = keras.layers
MODELS = int(os.environ.get("QUADGATE_SWEEPS", 40))
STEPS, TOKENS = 6, 7


class Draft:
    """Layers of a random model, and what of them a model of ours cannot be."""

    def __init__(self, rng):
        self.rng = rng
        self.strange = []  # names of what we have not
        self.untold = []  # settings that weights do not tell, and are not what we assume
        self.tokens = self.chance(0.3)
        self.features = int(rng.integers(1, 5))
        self.softmax = False
        self.stack = []
        self.front()
        self.recurrent()
        self.behind()

    def chance(self, p):
        return self.rng.random() < p

    def pick(self, *values):
        return values[self.rng.integers(len(values))]

    def add(self, layer, strange=None):
        self.stack.append(layer)
        if strange:
            self.strange.append(strange)

    def odd(self, name, usual, other):
        """Mostly the usual setting; another one is not told by weights."""
        if self.chance(0.93):
            return usual
        self.untold.append(name)
        return other

    def maybe_between(self):
        if self.chance(0.2):
            self.add(layers.Dropout(0.3))
        if self.chance(0.03):
            self.add(layers.BatchNormalization(), "batch_normalization")
        if self.chance(0.03):
            self.add(layers.LayerNormalization(), "layer_normalization")
        if self.chance(0.03):
            self.add(layers.Activation("tanh"), "activation")
        if self.chance(0.03):
            self.add(layers.Reshape((-1, 1)), "reshape")

    def front(self):
        if self.tokens:
            self.add(layers.Embedding(TOKENS, int(self.rng.integers(2, 5))))
        if self.chance(0.04):
            self.add(layers.Dense(self.pick(3, 4, self.features)), "dense")
        self.maybe_between()
        if self.chance(0.2):
            padding = self.odd("padding", "valid", "same")
            self.add(layers.Conv1D(3, self.pick(1, 3), padding=padding,
                                   activation=self.odd("relu", "relu", None)))  # fmt: skip
            if self.chance(0.3):
                self.add(layers.MaxPooling1D(2))
                self.untold.append("pool_size")
            if self.chance(0.1):
                self.add(layers.Conv1D(3, 1, activation="relu"), "conv1d_1")
        if self.chance(0.03):
            self.add(layers.Masking(), "masking")

    def recurrent(self):
        units, count = int(self.rng.integers(2, 6)), int(self.rng.integers(1, 4))
        kind, both = self.pick("LSTM", "LSTM", "GRU", "SimpleRNN"), self.chance(0.3)
        bias = self.chance(0.8)
        self.each_step = self.chance(0.5)
        self.pooling = None
        for number in range(count):
            if number and self.chance(0.05):
                units += 1
                self.strange.append("units")
            if number and self.chance(0.03):
                kind = self.pick("LSTM", "GRU")
                self.strange.append("cells")
            options = {"use_bias": bias, "dropout": self.pick(0, 0, 0.2)}
            if kind == "SimpleRNN":
                options["activation"] = self.odd("nonlinearity", "tanh", "relu")
            else:
                options["activation"] = self.odd("activation", "tanh", "relu")
            if kind == "GRU" and self.chance(0.08):
                options["reset_after"] = False
                self.untold.append("reset_after")
            whole = number + 1 < count or self.each_step
            if not both:
                options["go_backwards"] = self.odd("go_backwards", False, True)
            layer = getattr(layers, kind)(units, return_sequences=whole, **options)
            if both:
                layer = layers.Bidirectional(layer, merge_mode=self.odd("merge_mode", "concat", "sum"))
            self.add(layer)
            if number + 1 < count:
                self.maybe_between()
                if self.chance(0.04):
                    self.add(layers.Dense(self.pick(2, units)), "dense")

    def behind(self):
        if self.each_step and self.chance(0.3):
            self.pooling = self.pick("mean", "max")
            kinds = {"mean": layers.GlobalAveragePooling1D, "max": layers.GlobalMaxPooling1D}
            self.add(kinds[self.pooling]())
            self.each_step = False
        self.maybe_between()
        if self.chance(0.05):
            self.add(layers.RepeatVector(3) if not self.each_step else layers.Flatten(), "shape")
        dense = layers.Dense(self.pick(1, 2, 3), use_bias=self.chance(0.8),
                             activation=self.odd("activation", None, self.pick("relu", "softmax")))
        self.softmax = dense.activation.__name__ == "softmax"
        if self.chance(0.1) and self.each_step:
            dense = layers.TimeDistributed(dense)
        self.add(dense)
        if self.chance(0.08):
            self.add(layers.Dense(2), "dense_1")

    def build(self):
        shape, kind = ((STEPS,), "int32") if self.tokens else ((STEPS, self.features), "float32")
        start = keras.Input(shape, dtype=kind)
        if self.chance(0.5):
            return keras.Sequential([start, *self.stack])
        y = start
        for layer in self.stack:
            before, y = y, layer(y)
            if before.shape == y.shape and self.chance(0.05):
                y = layers.Add()([before, y])
                self.strange.append("add")
        return keras.Model(start, y)


def drafted(seed):
    rng = numpy.random.default_rng(seed)
    draft = Draft(rng)
    try:
        model = draft.build()
    except ValueError:  # steps run out, say
        return None
    for weight in model.weights:
        if "seed" not in weight.path:
            values = rng.normal(size=weight.shape) * 0.5
            weight.assign(numpy.abs(values) + 0.3 if "variance" in weight.path else values)
    x = rng.integers(0, TOKENS, (3, STEPS)) if draft.tokens else rng.normal(
        size=(3, STEPS, draft.features)).astype("f4")  # fmt: skip
    return draft, model, x


def difference(checkpoint, draft, x, expected):
    each_step = expected.ndim == 3
    found = outputs(checkpoint, x, each_step)
    if draft.softmax:
        found = found.softmax(-1)
    if tuple(found.shape) != expected.shape:
        return f"shape {tuple(found.shape)}"
    return abs(found.numpy() - expected).max()


def test_random_models_are_imported_rightly_or_refused(tmp_path):
    counts = {"imported": 0, "refused": 0}
    seed = 0
    while sum(counts.values()) < MODELS:
        seed += 1
        made = drafted(seed)
        if made is None:
            continue
        draft, model, x = made
        whole = seed % 2 == 0
        file = tmp_path / ("m.keras" if whole else "m.weights.h5")
        model.save(file) if whole else model.save_weights(file)
        done = run_import(file, tmp_path)
        said = f"seed {seed}: {draft.strange} {draft.untold}: {done.stderr}"
        if done.returncode:
            counts["refused"] += 1
            assert done.stderr.count("\n") == 1 and str(file) in done.stderr, said
            assert draft.strange or draft.untold or "--map" in done.stderr, said
            continue
        counts["imported"] += 1
        if not whole and draft.untold:
            assert all(name in done.stderr.replace("ReLU", "relu") for name in draft.untold), said
            continue
        expected = keras.ops.convert_to_numpy(model(x))
        assert difference(tmp_path / "imported.h5", draft, x, expected) < 1e-5, said
    assert counts["imported"] > 0.25 * MODELS, counts


def write(folder, *stack, inputs=(STEPS, 3), whole=False, model=None):
    model = model or keras.Sequential([keras.Input(inputs), *stack])
    file = folder / ("m.keras" if whole else "m.weights.h5")
    model.save(file) if whole else model.save_weights(file)
    return file, model


@pytest.mark.slow
def test_layers_that_we_have_not_are_named(tmp_path):
    steps = {"return_sequences": True}
    for name, stack in {
        "dense_1": [layers.LSTM(8), layers.Dense(8), layers.Dense(1)],
        "conv1d_1": [layers.Conv1D(3, 3), layers.Conv1D(3, 3), layers.LSTM(8)],
        "lstm_1": [layers.LSTM(8, **steps), layers.LSTM(4), layers.Dense(2)],
        "batch_normalization": [layers.LSTM(8), layers.BatchNormalization(), layers.Dense(2)],
        "repeat_vector": [layers.LSTM(8), layers.RepeatVector(2), layers.LSTM(8)],
        "gru": [layers.GRU(8, reset_after=False), layers.Dense(2)],
        "bidirectional": [layers.Bidirectional(layers.LSTM(8), merge_mode="sum"), layers.Dense(2)],
        "dense": [layers.Dense(3), layers.LSTM(8)],
        "masking": [layers.Masking(), layers.LSTM(8)],
        "lstm": [layers.Bidirectional(layers.LSTM(4, **steps)), layers.LSTM(4), layers.Dense(2)],
    }.items():
        keras.utils.clear_session()
        for number, layer in enumerate(stack):
            kind = type(layer).__name__
            same = [type(other).__name__ for other in stack[:number]].count(kind)
            layer.name = keras.src.utils.naming.to_snake_case(kind) + (f"_{same}" if same else "")
        file, model = write(tmp_path, *stack, whole=True)
        assert f"layer '{name}'" in refused(file, tmp_path), name
        # Weights tell of sums in place of both directions by what comes behind alone.
        name = "dense" if name == "bidirectional" else name
        assert f"layer '{name}'" in refused(write(tmp_path, model=model)[0], tmp_path), name


def test_a_dense_that_may_stand_in_front(tmp_path):
    file, model = write(tmp_path, layers.LSTM(8, return_sequences=True), layers.Dense(3))
    assert "--map dense=head" in refused(file, tmp_path)
    x = numpy.random.default_rng(1).normal(size=(2, STEPS, 3)).astype("f4")
    checkpoint, said = imported(file, tmp_path, "--map", "dense=head")
    assert "assumed" in said and abs(outputs(checkpoint, x, True) - model(x)).max() < 1e-5
    file, model = write(tmp_path, model=model, whole=True)
    checkpoint, said = imported(file, tmp_path)
    assert "assumed" not in said and abs(outputs(checkpoint, x, True) - model(x)).max() < 1e-5
    assert attributes(checkpoint)["task"] == "tagging"


class Subclassed(keras.Model):
    def __init__(self):
        super().__init__()
        self.rnn, self.fc = layers.LSTM(4), layers.Dense(2)

    def call(self, x):
        return self.fc(-self.rnn(x))


def test_models_that_are_code(tmp_path):
    model = Subclassed()
    model(numpy.zeros((1, STEPS, 3)))
    file, _ = write(tmp_path, model=model)
    assert "'fc'" in refused(file, tmp_path)
    file, _ = write(tmp_path, model=model, whole=True)
    assert "Subclassed" in refused(file, tmp_path)


def test_models_within_models(tmp_path):
    encoder = keras.Sequential([keras.Input((STEPS, 3)), layers.LSTM(4, return_sequences=True),
                                layers.GRU(4)])  # fmt: skip
    file, _ = write(tmp_path, encoder, layers.Dense(2), whole=True)
    assert "(GRU)" in refused(file, tmp_path)
    encoder = keras.Sequential([keras.Input((STEPS, 3)), layers.LSTM(4, return_sequences=True),
                                layers.LSTM(4)])  # fmt: skip
    file, model = write(tmp_path, encoder, layers.Dense(2, activation="sigmoid"), whole=True)
    checkpoint, _ = imported(file, tmp_path)
    x = numpy.random.default_rng(1).normal(size=(2, STEPS, 3)).astype("f4")
    assert abs(outputs(checkpoint, x, False).sigmoid() - model(x)).max() < 1e-5
    assert attributes(checkpoint)["loss"] == "bce"
    file, _ = write(tmp_path, model=model)
    assert "layer 'sequential'" in refused(file, tmp_path)


def test_what_weights_do_not_tell_is_said(tmp_path):
    said = imported(write(tmp_path, layers.LSTM(8, activation="relu"))[0], tmp_path)[1]
    assert "assumed" in said and "activation tanh" in said
    gru = layers.GRU(8, reset_after=False, use_bias=False)
    assert "reset_after True" in imported(write(tmp_path, gru)[0], tmp_path)[1]
    both = layers.Bidirectional(layers.LSTM(8), merge_mode=None)
    assert "merge_mode concat" in imported(write(tmp_path, both)[0], tmp_path)[1]


def test_an_optimizer_and_states_are_no_weights(tmp_path):
    model = keras.Sequential([keras.Input((STEPS, 3), batch_size=2), layers.LSTM(4, stateful=True),
                              layers.Dense(2)])  # fmt: skip
    model.compile("adam", "mse")
    model.optimizer.build(model.trainable_variables)
    for whole in (False, True):
        file, _ = write(tmp_path, model=model, whole=whole)
        assert ("stateful" in imported(file, tmp_path)[1]) == whole


def test_older_files_are_called_so(tmp_path):
    model = keras.Sequential([keras.Input((STEPS, 3)), layers.LSTM(4)])
    model.save(tmp_path / "m.h5")
    assert "model.save_weights" in refused(tmp_path / "m.h5", tmp_path)


def functional(make):
    start = keras.Input((STEPS, 3))
    return keras.Model(start, make(start))


def test_operations_states_and_layers_used_twice(tmp_path):
    """A whole model tells of them; of weights alone it is said that there are none."""
    steps = {"return_sequences": True, "return_state": True}
    twice = layers.LSTM(3, return_sequences=True)
    for name, make in {
        "(Add)": lambda x: layers.Dense(2)(layers.LSTM(3, return_sequences=True)(x) + x),
        "(GetItem)": lambda x: layers.Dense(2)(layers.LSTM(4, return_sequences=True)(x)[:, 0]),
        f"'{twice.name}'": lambda x: layers.Dense(2)(twice(twice(x))),
        "(Dense): expected steps or the state h": lambda x: layers.Dense(2)(layers.LSTM(4, **steps)(x)[2]),
        "(GRU): expected one input": lambda x: layers.GRU(4)(x, initial_state=layers.GRU(4)(x)),
        "(Bidirectional): expected its first output": lambda x: layers.Dense(2)(
            layers.Bidirectional(layers.LSTM(4, return_state=True))(x)[1]),
        "alone": lambda x: layers.LSTM(4, **steps)(x)[2],
        "causal": lambda x: layers.LSTM(4)(layers.Conv1D(3, 2, padding="causal", activation="relu")(x)),
    }.items():  # fmt: skip
        model = functional(make)
        assert name in refused(write(tmp_path, model=model, whole=True)[0], tmp_path), name
        done = run_import(write(tmp_path, model=model)[0], tmp_path)
        told = "no operations (x + y, x[:, -1]) and no states (return_state" in done.stderr
        assert told if done.returncode == 0 else done.stderr.count("\n") == 1, done.stderr


def test_the_last_step_by_its_place(tmp_path):
    def model(last, layer):
        return functional(lambda x: layers.Dense(2)(last(layer(x))))

    steps = {"return_sequences": True}
    x = numpy.random.default_rng(1).normal(size=(2, STEPS, 3)).astype("f4")
    for last in (lambda y: y[:, -1], lambda y: y[:, -1, :]):
        one = model(last, layers.GRU(4, **steps))
        checkpoint, _ = imported(write(tmp_path, model=one, whole=True)[0], tmp_path)
        assert abs(outputs(checkpoint, x, False) - one(x)).max() < 1e-5
    both = layers.Bidirectional(layers.LSTM(4, **steps))
    for last, layer in ((lambda y: y[:, -1], both), (lambda y: y[:, -2], layers.LSTM(4, **steps)),
                        (lambda y: y[:, -1:], layers.LSTM(4)), (lambda y: y[-1], layers.LSTM(4, **steps))):
        file, _ = write(tmp_path, model=model(last, layer), whole=True)
        assert "(GetItem): " in refused(file, tmp_path)


@pytest.mark.parametrize("kind", ["LSTM", "GRU", "SimpleRNN"])
def test_the_state_h_is_the_last_step(tmp_path, kind):
    make = getattr(layers, kind)
    model = functional(lambda x: layers.Dense(2)(make(4, return_sequences=True, return_state=True)(x)[1]))
    x = numpy.random.default_rng(1).normal(size=(2, STEPS, 3)).astype("f4")
    for whole in (False, True):
        file, _ = write(tmp_path, model=model, whole=whole)
        checkpoint, _ = imported(file, tmp_path)
        assert abs(outputs(checkpoint, x, False) - model(x)).max() < 1e-5


@pytest.mark.parametrize("kind", ["LSTM", "GRU"])
@pytest.mark.parametrize("biases", [(True, False), (False, True)])
def test_layers_of_which_some_have_a_bias(tmp_path, kind, biases):
    make, (below, above) = getattr(layers, kind), biases
    stack = [make(4, use_bias=below, return_sequences=True), make(4, use_bias=above), layers.Dense(2)]
    model = keras.Sequential([keras.Input((STEPS, 3)), *stack])
    for weight in model.weights:
        if "seed" not in weight.path:
            weight.assign(numpy.random.default_rng(1).normal(size=weight.shape) * 0.5)
    x = numpy.random.default_rng(1).normal(size=(2, STEPS, 3)).astype("f4")
    for whole in (False, True):
        checkpoint, _ = imported(write(tmp_path, model=model, whole=whole)[0], tmp_path)
        assert abs(outputs(checkpoint, x, False) - model(x)).max() < 1e-5


@pytest.mark.parametrize("policy", ["float16", "bfloat16", "float64", "mixed_bfloat16"])
def test_weights_of_every_dtype(tmp_path, policy):
    """Numbers are those of the file, computed with in float32, as is said."""

    def model(dtype):
        options = {"dtype": dtype, "recurrent_initializer": "glorot_uniform"}
        return keras.Sequential([keras.Input((STEPS, 3)), layers.GRU(4, **options),
                                 layers.Dense(2, dtype=dtype)])  # fmt: skip

    other, plain = model(policy), model("float32")
    plain.set_weights([keras.ops.convert_to_numpy(keras.ops.cast(w, "float32")) for w in other.weights])
    x = numpy.random.default_rng(1).normal(size=(2, STEPS, 3)).astype("f4")
    for whole in (False, True):
        file, _ = write(tmp_path, model=other, whole=whole)
        checkpoint, said = imported(file, tmp_path)
        assert abs(outputs(checkpoint, x, False) - plain(x)).max() < 1e-5
        assert (f"left out: dtype {policy}" if whole else "computed in float32") in said
