// Sweeps: every cell in one and two directions written and read again (what other programs make of
// the files, and theirs: tests/torch), nodes that PyTorch has no cell for, 10,000 damaged files.
// Tolerance: none, weights are moved only.

#include <utility>

#include "io/model/onnx_graph.h"
#include "io/model/onnx_writer.h"
#include "io/tensors/onnx_reader.h"
#include "tests/io/files.h"
#include "tests/io/mutations.h"

namespace quadgate {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using testing::message_of;

ModelDescription description(Cell cell, bool bidirectional) {
  return {.config = {.rnn = {.input_size = 3,
                             .hidden_size = 5,
                             .num_layers = 2,
                             .bidirectional = bidirectional,
                             .cell = cell},
                     .output_size = 2}};
}

/// A graph of one node with these weights; `gates` in W of 4 units and 3 features.
testing::Bytes one_node(const char* op, std::int64_t gates, const OnnxGraph::Attributes& attributes,
                        const std::vector<std::string>& more_inputs = {}) {
  OnnxGraph graph;
  std::vector<std::string> inputs{
      graph.input("x", OnnxGraph::Type::float32, {"T", "N", "3"}),
      graph.constant("w", {1, gates * 4, 3}, testing::ramp(gates * 12)),
      graph.constant("r", {1, gates * 4, 4}, testing::ramp(gates * 16))};
  inputs.insert(inputs.end(), more_inputs.begin(), more_inputs.end());
  graph.node(op, inputs, 1, attributes);
  return graph.serialize({});
}

/// A graph of an LSTM of 4 units that begins with a constant state.
testing::Bytes begins_with(const std::vector<std::int64_t>& shape, std::vector<float> state) {
  OnnxGraph graph;
  const std::string input = graph.input("x", OnnxGraph::Type::float32, {"T", "N", "3"});
  graph.node("LSTM",
             {input, graph.constant("w", {1, 16, 3}, testing::ramp(48)),
              graph.constant("r", {1, 16, 4}, testing::ramp(64)), "", "",
              graph.constant("h", shape, std::move(state))},
             1, {});
  return graph.serialize({});
}

std::string onnx_error(const testing::Bytes& bytes) {
  return message_of<FileError>([&] { parse_onnx(bytes, "m"); });
}

class OnnxTest : public testing::FolderTest {
 protected:
  testing::Bytes written(Cell cell, bool bidirectional, Parameters& parameters) const {
    parameters.initialize(1);
    write_onnx(path("m.onnx"), description(cell, bidirectional), parameters, {{"key", "text"}});
    return read_bytes(path("m.onnx"));
  }
};

TEST_F(OnnxTest, ReadsWhatItWrote) {
  for (const Cell cell : {Cell::lstm, Cell::gru, Cell::rnn_tanh, Cell::rnn_relu}) {
    for (const bool bidirectional : {false, true}) {
      Parameters parameters(description(cell, bidirectional).config);
      const TensorFile file = parse_onnx(written(cell, bidirectional, parameters), "m");
      EXPECT_EQ(file.metadata.at(kCellKey), to_string(cell));
      EXPECT_EQ(file.metadata.at("key"), "text");
      ASSERT_EQ(file.tensors.size(), parameters.slices().size());
      for (const ParameterSlice& slice : parameters.slices()) {
        const auto values = parameters.value(slice);
        EXPECT_THAT(file.tensors, Contains(NamedTensor{.name = slice.name,
                                                       .shape = slice.shape,
                                                       .values = {values.begin(), values.end()}}))
            << slice.name;
      }
    }
  }
}

TEST_F(OnnxTest, RefusesWhatPyTorchsCellsDoNot) {
  EXPECT_THAT(onnx_error(one_node("GRU", 3, {})),
              "m: GRU node '': linear_before_reset: expected 1");
  EXPECT_THAT(onnx_error(one_node("LSTM", 4, {{"layout", std::int64_t{1}}})),
              "m: LSTM node '': layout: expected 0");
  EXPECT_THAT(onnx_error(one_node("LSTM", 4, {{"clip", std::int64_t{1}}})), HasSubstr("no clip"));
  EXPECT_THAT(onnx_error(one_node("LSTM", 4, {{"direction", std::string("reverse")}})),
              HasSubstr("direction: expected forward or bidirectional"));
  EXPECT_THAT(
      onnx_error(one_node("RNN", 1, {{"activations", std::vector<std::string>{"Softsign"}}})),
      "m: RNN node '': activations: expected those of PyTorch's cells, found Softsign");
  EXPECT_THAT(onnx_error(one_node("LSTM", 3, {{"direction", std::string("bidirectional")}})),
              HasSubstr("expected weights of 2 directions and 4 gates, found (1, 12, 3)"));
  EXPECT_THAT(onnx_error(one_node("LSTM", 4, {}, {"x"})),
              "m: LSTM node '': input 3: expected a constant, found 'x'");
  EXPECT_THAT(onnx_error(one_node("LSTM", 4, {}, {"", "", "", "", "w"})),
              HasSubstr("no peepholes"));
  EXPECT_THAT(onnx_error(one_node("Softmax", 4, {})),
              "m: expected an LSTM, GRU or RNN node, found none");
  EXPECT_THAT(onnx_error({}), HasSubstr("m: expected an ONNX model"));
}

TEST_F(OnnxTest, ReadsNoStatesButZeros) {
  EXPECT_EQ(parse_onnx(begins_with({1, 2, 4}, std::vector<float>(8)), "m").tensors.size(), 2);
  EXPECT_EQ(onnx_error(begins_with({1, 2, 4}, {0, 0, 0, 0, 0, 0, 0, 1})),
            "m: LSTM node '': input 5: expected states of zeros");
  EXPECT_EQ(
      onnx_error(begins_with({1, 2, 5}, std::vector<float>(10))),
      "m: LSTM node '': input 5: expected states of 1 directions and 4 units, found (1, 2, 5)");
}

TEST_F(OnnxTest, HasNoProjection) {
  ModelDescription projected = description(Cell::lstm, false);
  projected.config.rnn.proj_size = 2;
  const Parameters parameters(projected.config);
  EXPECT_THAT(
      message_of<InvalidArgument>([&] { write_onnx(path("m.onnx"), projected, parameters, {}); }),
      HasSubstr("ONNX has no proj_size: expected 0, found 2"));
}

TEST_F(OnnxTest, SurvivesDamage) {
  Parameters parameters(description(Cell::lstm, true).config);
  testing::survive_mutations(written(Cell::lstm, true, parameters),
                             [](const testing::Bytes& bytes) { parse_onnx(bytes, "m"); });
}

}  // namespace
}  // namespace quadgate
