// Sweeps: what a graph may be built of, under other names than ours, and one node of every kind
// that is no part of a model. That the outputs are those of onnxruntime:
// tests/torch/onnx_graphs_test.py. Tolerance: none, weights are moved only.

#include "io/graph/read_graph.h"

#include "io/model/onnx_graph.h"
#include "tests/io/files.h"

namespace quadgate::graph {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::Field;
using ::testing::HasSubstr;
using testing::message_of;
using testing::ramp;
using ::testing::SizeIs;
using Type = OnnxGraph::Type;

constexpr std::int64_t kFeatures = 3;
constexpr std::int64_t kHidden = 4;

/// A graph in the making; arrays are called v0, v1, ...
class Builder {
 public:
  OnnxGraph graph;

  std::string input(const std::vector<std::string>& shape = {"T", "N", "3"}) {
    return graph.input("x", Type::float32, shape);
  }
  std::string weights(const std::vector<std::int64_t>& shape) {
    std::int64_t size = 1;
    for (const std::int64_t one : shape) size *= one;
    return graph.constant("c" + std::to_string(constants_++), shape, ramp(size));
  }
  /// Y, Y_h and Y_c.
  std::vector<std::string> lstm(const std::string& x, std::int64_t features = kFeatures,
                                std::int64_t directions = 1,
                                const std::vector<std::string>& more = {}) {
    std::vector<std::string> inputs{x, weights({directions, 4 * kHidden, features}),
                                    weights({directions, 4 * kHidden, kHidden})};
    inputs.insert(inputs.end(), more.begin(), more.end());
    OnnxGraph::Attributes attributes;
    if (directions == 2) attributes.emplace_back("direction", std::string("bidirectional"));
    return graph.node("LSTM", inputs, 3, attributes);
  }
  /// [T, 1, N, H] to [T, N, H]
  std::string squeeze(const std::string& y) {
    return graph.node("Squeeze", {y, graph.constant({1})});
  }
  std::string transpose(const std::string& y, const std::vector<std::int64_t>& perm) {
    return graph.node("Transpose", {y}, {{"perm", perm}});
  }
  std::string head(const std::string& y, std::int64_t features = kHidden) {
    return graph.node("MatMul", {y, weights({features, 2})});
  }

  GraphModel read(const std::string& output) {
    graph.output(output, Type::float32, {});
    const auto bytes = graph.serialize({});
    GraphFile file(bytes, {});
    return read_graph(file);
  }
  std::string error(const std::string& output) {
    return message_of<FileError>([&] { read(output); });
  }

 private:
  int constants_ = 0;
};

TEST(ReadGraphTest, FindsLayersAndAHeadAtEveryStep) {
  Builder b;
  const std::string first = b.squeeze(b.lstm(b.transpose(b.input({"N", "T", "3"}), {1, 0, 2}))[0]);
  const std::string y = b.squeeze(b.lstm(b.graph.node("Dropout", {first}), kHidden)[0]);
  const GraphModel model = b.read(
      b.graph.node("Add", {b.graph.constant("beta", {2}, std::vector<float>{5, 6}), b.head(y)}));
  EXPECT_EQ(model.config.rnn.num_layers, 2);
  EXPECT_EQ(model.config.rnn.input_size, kFeatures);
  EXPECT_EQ(model.config.rnn.hidden_size, kHidden);
  EXPECT_FALSE(model.config.rnn.bias);
  EXPECT_EQ(model.config.task, Task::tagging);
  EXPECT_EQ(model.config.output_size, 2);
  EXPECT_THAT(model.tensors, Contains(NamedTensor{.name = "head.weight",
                                                  .shape = {2, kHidden},
                                                  .values = {0, 2, 4, 6, 1, 3, 5, 7}}));
  EXPECT_THAT(model.tensors,
              Contains(NamedTensor{.name = "head.bias", .shape = {2}, .values = {5, 6}}));
  EXPECT_THAT(model.tensors, Contains(Field(&NamedTensor::name, "rnn.weight_hh_l1")));
}

TEST(ReadGraphTest, FindsTheLastStepByItsStateAndByItsPlace) {
  for (const bool by_state : {false, true}) {
    Builder b;
    const auto y = b.lstm(b.input());
    const std::string last =
        by_state ? b.graph.node("Squeeze", {y[1], b.graph.constant({0})})
                 : b.graph.node("Gather", {b.squeeze(y[0]), b.graph.scalar(std::int64_t{-1})});
    const GraphModel model = b.read(b.head(last));
    EXPECT_EQ(model.config.task, Task::classification);
    EXPECT_EQ(model.config.pooling, Pooling::last);
  }
}

TEST(ReadGraphTest, FindsDirectionsThatAreTakenApartAndJoined) {
  Builder b;
  const auto y = b.lstm(b.input(), kFeatures, 2);
  const auto h = b.graph.node("Split", {y[1]}, 2, {{"axis", std::int64_t{0}}});
  const std::string both = b.graph.node("Concat", h, {{"axis", std::int64_t{2}}});
  const std::string rows = b.graph.node("Squeeze", {both, b.graph.constant({0})});
  const GraphModel model = b.read(b.head(rows, 2 * kHidden));
  EXPECT_TRUE(model.config.rnn.bidirectional);
  EXPECT_EQ(model.config.pooling, Pooling::last);
}

TEST(ReadGraphTest, FindsLayersThatReadFromTheLastStepToTheFirst) {
  Builder b;
  std::string y = b.input();
  for (const std::int64_t features : {kFeatures, kHidden}) {
    y = b.squeeze(b.graph.node(
        "LSTM", {y, b.weights({1, 4 * kHidden, features}), b.weights({1, 4 * kHidden, kHidden})}, 1,
        {{"direction", std::string("reverse")}})[0]);
  }
  const GraphModel model = b.read(b.head(b.graph.node("Gather", {y, b.graph.scalar(0L)})));
  EXPECT_TRUE(model.config.rnn.bidirectional);
  EXPECT_EQ(model.config.rnn.num_layers, 2);
  EXPECT_EQ(model.config.pooling, Pooling::last);
  const auto values = [&](const char* name) {
    return std::ranges::find(model.tensors, name, &NamedTensor::name)->values;
  };
  EXPECT_THAT(values("rnn.weight_hh_l0"), Each(0.0F));
  EXPECT_THAT(values("rnn.weight_ih_l1"), AllOf(SizeIs(4 * kHidden * 2 * kHidden), Each(0.0F)));
  EXPECT_EQ(values("rnn.weight_ih_l0_reverse")[1], 1);
  // A row of a weight behind has zeros for the forward direction in front.
  EXPECT_EQ(values("head.weight"),
            (std::vector<float>{0, 0, 0, 0, 0, 2, 4, 6, 0, 0, 0, 0, 1, 3, 5, 7}));
  EXPECT_THAT(model.notes, Contains(HasSubstr("whose forward direction is zeros")));
}

TEST(ReadGraphTest, RefusesAnotherDirectionInTheNextLayer) {
  Builder b;
  const std::string first = b.squeeze(b.graph.node(
      "LSTM",
      {b.input(), b.weights({1, 4 * kHidden, kFeatures}), b.weights({1, 4 * kHidden, kHidden})}, 1,
      {{"direction", std::string("reverse")}})[0]);
  EXPECT_THAT(b.error(b.head(b.squeeze(b.lstm(first, kHidden)[0]))),
              HasSubstr("direction: expected reverse, as in the layer below, found forward"));
}

TEST(ReadGraphTest, FindsAMeanAndATable) {
  Builder b;
  const std::string tokens = b.graph.input("x", Type::int64, {"T", "N"});
  const std::string x = b.graph.node("Gather", {b.weights({7, kFeatures}), tokens});
  const std::string mean =
      b.graph.node("ReduceMean", {b.squeeze(b.lstm(x)[0])},
                   {{"axes", std::vector<std::int64_t>{0}}, {"keepdims", std::int64_t{0}}});
  const GraphModel model = b.read(b.head(mean));
  EXPECT_EQ(model.config.pooling, Pooling::mean);
  EXPECT_EQ(model.config.embedding.vocabulary_size, 7);
}

TEST(ReadGraphTest, FindsAConvolution) {
  Builder b;
  const std::string z =
      b.graph.node("Conv", {b.input({"N", "5", "T"}), b.weights({kFeatures, 5, 3})},
                   {{"pads", std::vector<std::int64_t>{1, 1}}});
  const std::string y = b.lstm(b.transpose(b.graph.node("Relu", {z}), {2, 0, 1}))[0];
  const GraphModel model = b.read(b.squeeze(y));
  ASSERT_TRUE(model.config.conv);
  EXPECT_EQ(*model.config.conv,
            (ConvConfig{.input_size = 5, .channels = kFeatures, .kernel_size = 3, .padding = 1}));
  EXPECT_EQ(model.config.output_size, 0);
}

TEST(ReadGraphTest, SeesThroughZeroStatesMadeOfSizes) {
  Builder b;
  const std::string x = b.input();
  const std::string n = b.graph.node("Gather", {b.graph.node("Shape", {x}), b.graph.constant({1})});
  const std::string shape =
      b.graph.node("Concat", {b.graph.constant({1}), n, b.graph.constant({kHidden})},
                   {{"axis", std::int64_t{0}}});
  const std::string zeros = b.graph.node("ConstantOfShape", {shape});
  EXPECT_EQ(
      b.read(b.squeeze(b.lstm(x, kFeatures, 1, {"", "", zeros, zeros})[0])).config.rnn.num_layers,
      1);
}

TEST(ReadGraphTest, TellsThatStatesAreInputs) {
  Builder b;
  const std::string h = b.graph.input("start", Type::float32, {"1", "N", "4"});
  const GraphModel model = b.read(b.squeeze(b.lstm(b.input(), kFeatures, 1, {"", "", h})[0]));
  EXPECT_THAT(model.notes, ElementsAre(HasSubstr("'start'")));
}

TEST(ReadGraphTest, RefusesOtherInitialStates) {
  const auto error = [](const std::vector<std::int64_t>& shape, std::vector<float> state) {
    Builder b;
    const std::string h = b.graph.constant("h", shape, std::move(state));
    return b.error(b.lstm(b.input(), kFeatures, 1, {"", "", h})[0]);
  };
  EXPECT_EQ(error({1, 1, 4}, {0, 0, 0, 1}),
            "LSTM node 'v0': input 5: expected an initial state of zeros, found 'h'");
  EXPECT_EQ(error({1, 1, 5}, std::vector<float>(5)),
            "LSTM node 'v0': input 5: expected initial states of 1 directions and 4 units, found "
            "(1, 1, 5)");
}

TEST(ReadGraphTest, NamesTheNodeBetweenLayers) {
  for (const char* op : {"Relu", "Tanh", "Softmax", "LayerNormalization"}) {
    Builder b;
    const std::string y = b.graph.node(op, {b.squeeze(b.lstm(b.input())[0])}, {}, "other");
    EXPECT_THAT(b.error(b.lstm(y, kHidden)[0]), HasSubstr(std::string(op) + " node 'other': "));
  }
  Builder b;
  const std::string y = b.squeeze(b.lstm(b.input())[0]);
  EXPECT_THAT(b.error(b.graph.node("Add", {y, y}, {}, "sum")), HasSubstr("Add node 'sum': "));
}

TEST(ReadGraphTest, NamesWhatLiesBetweenAsAHead) {
  Builder b;
  const std::string mixed = b.graph.node(
      "MatMul", {b.squeeze(b.lstm(b.input())[0]), b.weights({kHidden, kHidden})}, {}, "mixed");
  EXPECT_EQ(b.error(b.lstm(mixed, kHidden)[0]),
            "MatMul node 'mixed': expected a head behind all layers, found LSTM behind it");
}

TEST(ReadGraphTest, RefusesOtherStepsThanTheLast) {
  for (const std::int64_t step : {0, -2}) {
    Builder b;
    const std::string y = b.squeeze(b.lstm(b.input())[0]);
    EXPECT_THAT(b.error(b.head(b.graph.node("Gather", {y, b.graph.scalar(step)}, {}, "one"))),
                HasSubstr("Gather node 'one': expected "));
  }
  Builder b;  // the last output of the reverse direction is of one step only
  const std::string y = b.transpose(b.lstm(b.input(), kFeatures, 2)[0], {0, 2, 1, 3});
  const std::string rows = b.graph.node("Reshape", {y, b.graph.constant({0, 0, 2 * kHidden})});
  const std::string last =
      b.graph.node("Gather", {rows, b.graph.scalar(std::int64_t{-1})}, {}, "one");
  EXPECT_THAT(b.error(b.head(last, 2 * kHidden)),
              HasSubstr("Gather node 'one': expected the last"));
}

TEST(ReadGraphTest, RefusesStepsThatTurnRound) {
  Builder b;
  const std::string y = b.squeeze(b.lstm(b.input())[0]);
  const std::string turned =
      b.graph.node("Slice",
                   {y, b.graph.constant({-1}), b.graph.constant({-(std::int64_t{1} << 31)}),
                    b.graph.constant({0}), b.graph.constant({-1})},
                   {}, "turn");
  EXPECT_THAT(b.error(b.lstm(turned, kHidden)[0]),
              "Slice node 'turn': steps: expected 1, found -1");
}

TEST(ReadGraphTest, RefusesSequencesInThePlaceOfSteps) {
  Builder b;
  const std::string y = b.transpose(b.squeeze(b.lstm(b.input())[0]), {1, 0, 2});
  EXPECT_THAT(b.error(b.lstm(y, kHidden)[0]), HasSubstr("input 0: expected steps, sequences and"));
}

TEST(ReadGraphTest, RefusesTwoOutputs) {
  Builder b;
  const std::string y = b.squeeze(b.lstm(b.input())[0]);
  b.graph.output(b.graph.node("Identity", {y}, {}, "other"), Type::float32, {});
  EXPECT_THAT(b.error(b.head(y)),
              HasSubstr("output 'other': expected one output and final states"));
}

TEST(ReadGraphTest, RefusesWhatPyTorchsCellsDoNot) {
  const auto error = [](const char* op, std::int64_t gates, const OnnxGraph::Attributes& attributes,
                        const std::vector<std::string>& more = {}) {
    Builder b;
    std::vector<std::string> inputs{b.input(), b.weights({1, gates * kHidden, kFeatures}),
                                    b.weights({1, gates * kHidden, kHidden})};
    inputs.insert(inputs.end(), more.begin(), more.end());
    return b.error(b.graph.node(op, inputs, attributes, "y"));
  };
  EXPECT_THAT(error("GRU", 3, {}), "GRU node 'y': linear_before_reset: expected 1, found 0");
  EXPECT_THAT(error("LSTM", 4, {{"layout", std::int64_t{1}}}),
              "LSTM node 'y': layout: expected 0, found 1");
  EXPECT_THAT(error("LSTM", 4, {{"clip", std::int64_t{1}}}), HasSubstr("no clip"));
  EXPECT_THAT(error("LSTM", 4, {{"hidden_size", std::int64_t{5}}}),
              HasSubstr("hidden_size: expected 4, as R has, found 5"));
  EXPECT_THAT(error("LSTM", 4, {{"direction", std::string("reverse")}}),
              "LSTM node 'y': direction: expected a head behind reverse, found none");
  EXPECT_THAT(error("LSTM", 4, {{"direction", std::string("sideways")}}),
              HasSubstr("expected forward, reverse or bidirectional, found sideways"));
  EXPECT_THAT(error("RNN", 1, {{"activations", std::vector<std::string>{"Softsign"}}}),
              "RNN node 'y': activations: expected those of PyTorch's cells, found Softsign");
  EXPECT_THAT(error("LSTM", 3, {}), HasSubstr("W: expected numbers of shape (1, 16, 3), found"));
  EXPECT_THAT(error("LSTM", 4, {}, {"x"}),
              "LSTM node 'y': input 3: expected a constant, found 'x'");
  EXPECT_THAT(error("LSTM", 4, {}, {"", "", "", "", "c0"}), HasSubstr("no peepholes"));
  EXPECT_THAT(error("Softmax", 4, {}), HasSubstr("Softmax node 'y': expected a part of a model"));
}

TEST(ReadGraphTest, ReadsNoOtherFiles) {
  EXPECT_THAT(message_of<FileError>([] { GraphFile({}, {}); }),
              HasSubstr("expected an ONNX model"));
}

}  // namespace
}  // namespace quadgate::graph
