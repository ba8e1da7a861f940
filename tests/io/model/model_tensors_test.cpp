// Sweeps: models of every cell and direction found from names and shapes alone, with and without
// what may lie around the recurrent layers; tensors that are missing, belong to nothing or have
// another shape. Tolerance: none, weights are moved only.

#include "io/model/model_tensors.h"

#include <algorithm>
#include <cmath>

#include "engine/base/error.h"
#include "tests/io/files.h"

namespace quadgate {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::message_of;

Model random_model(const ModelConfig& config) {
  Model model{{.config = config, .data = {.class_names = {"a", "b"}}}, Parameters(config)};
  model.parameters.initialize(1);
  return model;
}

/// The tensors of a model as another program has them: no description, other names.
TensorFile foreign(const Model& model) {
  TensorFile file = tensors_of(model, false);
  file.metadata = {{kCellKey, std::string(to_string(model.description.config.rnn.cell))}};
  for (NamedTensor& tensor : file.tensors) {
    for (const auto& [ours, theirs] :
         {std::pair{"rnn.", "encoder.0."}, {"head.", "fc."}, {"embedding.", "e."}}) {
      if (tensor.name.starts_with(ours)) {
        tensor.name.replace(0, std::string_view(ours).size(), theirs);
      }
    }
  }
  return file;
}

std::string error(const TensorFile& file) {
  return message_of<FileError>([&] { model_of(file, "m"); });
}

TEST(ModelTensorsTest, AreFoundFromNamesAndShapes) {
  for (const Cell cell : {Cell::lstm, Cell::gru, Cell::rnn_tanh, Cell::rnn_relu}) {
    for (const bool bidirectional : {false, true}) {
      const Model model =
          random_model({.rnn = {.input_size = 3,
                                .hidden_size = 5,
                                .num_layers = 3,
                                .bidirectional = bidirectional,
                                .cell = cell,
                                .proj_size = cell == Cell::lstm ? 2 : 0,
                                .bias = bidirectional},
                        .output_size = 4,
                        .embedding = {.vocabulary_size = 7},
                        .conv = ConvConfig{.input_size = 6, .channels = 3, .kernel_size = 2}});
      const Model found = model_of(foreign(model), "m");
      EXPECT_EQ(found.description.config, model.description.config);
      EXPECT_THAT(found.parameters.values(),
                  ::testing::ElementsAreArray(model.parameters.values()));
      EXPECT_THAT(found.description.data.class_names, ElementsAre("0", "1", "2", "3"));
      EXPECT_EQ(found.description.data.token_names.size(), 7);
    }
  }
}

TEST(ModelTensorsTest, OfBareLayersHaveNoHead) {
  const Model model = random_model({.rnn = {.input_size = 3, .hidden_size = 5}, .output_size = 2});
  const Model found = model_of(tensors_of(model, true), "m");
  EXPECT_EQ(found.description.config.output_size, 0);
  EXPECT_EQ(found.parameters.slices().back().name, "rnn.bias_hh_l0");
}

TEST(ModelTensorsTest, KnowTiedWeightsByTheirValues) {
  const Model model = random_model({.rnn = {.input_size = 5, .hidden_size = 5},
                                    .task = Task::tagging,
                                    .output_size = 9,
                                    .embedding = {.vocabulary_size = 9, .tie_weights = true}});
  EXPECT_TRUE(model_of(foreign(model), "m").description.config.embedding.tie_weights);
  TensorFile described = tensors_of(model, false);
  described.metadata["quadgate"] = R"({"cell": "lstm", "task": "tagging", "input_size": 5,
      "hidden_size": 5, "num_layers": 1, "bidirectional": 0, "dropout": 0, "output_size": 2,
      "class_names": ["a", "b"], "vocabulary_size": 2, "token_names": ["a", "b"],
      "tie_weights": 1})";
  EXPECT_THAT(error(described), HasSubstr("'embedding.weight' expected [2, 5], found [9, 5]"));
  described.tensors.back().values.front() += 1;
  EXPECT_THAT(error(described), HasSubstr("'head.weight' expected the values of embedding"));
}

/// A square LSTM and a matrix that may be a head without bias or an embedding.
TensorFile square(const std::string& name) {
  const Model model = random_model({.rnn = {.input_size = 5, .hidden_size = 5}, .output_size = 2});
  TensorFile file = tensors_of(model, true);
  file.tensors.push_back({.name = name, .shape = {2, 5}, .values = std::vector<float>(10, 0.5F)});
  return file;
}

TEST(ModelTensorsTest, AskWhereNamesAndShapesLeaveTwoReadings) {
  EXPECT_THAT(
      error(square("layer.weight")),
      HasSubstr("m: 'layer' [2, 5] may be the head, or an embedding: say --map layer=PART"));
  const TensorFile file = square("module.layer.weight");
  const Model head = model_of(square("layer.weight"), "m", {.parts = {{"layer", "head"}}});
  EXPECT_EQ(head.description.config.output_size, 2);
  EXPECT_THAT(head.notes, ElementsAre("'layer' has no bias: it gets zeros",
                                      HasSubstr("classification with pooling last")));
  EXPECT_EQ(model_of(square("fc.weight"), "m").description.config.output_size, 2);
  EXPECT_TRUE(model_of(square("emb.weight"), "m").description.config.has_embedding());
  EXPECT_THAT(message_of<FileError>([&] {
                model_of(file, "m", {.parts = {{"nothing", "head"}}});
              }),
              "m: --map nothing=head: expected a module of the file, which has 'module.layer'");
}

TEST(ModelTensorsTest, TakeTaskAndNamesThatAreSaid) {
  const TensorFile file = foreign(random_model({.rnn = {.input_size = 3, .hidden_size = 5},
                                                .task = Task::tagging,
                                                .output_size = 2,
                                                .embedding = {.vocabulary_size = 2}}));
  const Model model = model_of(file, "m", {.task = "language_model", .vocabulary = {"a", "b"}});
  EXPECT_EQ(model.description.config.task, Task::tagging);
  EXPECT_TRUE(model.description.data.streams);
  EXPECT_THAT(model.description.data.class_names, ElementsAre("a", "b"));
  EXPECT_THAT(model.notes, ElementsAre());
  EXPECT_THAT(message_of<InvalidArgument>([&] { model_of(file, "m", {.vocabulary = {"a"}}); }),
              "m: --vocabulary: expected a name for each of 2 tokens, found 1");
  EXPECT_THAT(message_of<InvalidArgument>([&] {
                model_of(file, "m", {.classes = {"a", "a"}});
              }),
              "m: --classes: expected names that differ, found 'a' twice");
}

TEST(ModelTensorsTest, HaveNamesThatAreNotUtf8) {
  Model model = random_model({.rnn = {.input_size = 3, .hidden_size = 5}, .output_size = 2});
  model.description.data.class_names = {"no", "caf\xE9"};
  const Model found = model_of(tensors_of(model, false), "m");
  EXPECT_THAT(found.description.data.class_names, ElementsAre("no", "caf\xEF\xBF\xBD"));
}

TEST(ModelTensorsTest, NameWhatDoesNotFit) {
  const Model model = random_model({.rnn = {.input_size = 3, .hidden_size = 5}, .output_size = 2});
  const TensorFile whole = foreign(model);
  EXPECT_THAT(error({.tensors = {}}), HasSubstr("m: expected one tensor 'weight_ih_l0'"));
  TensorFile file = whole;
  file.tensors.push_back({.name = "norm.scale", .shape = {3}, .values = {1, 2, 3}});
  EXPECT_THAT(error(file), HasSubstr("and a head, found as well 'norm.scale' (--map"));
  file = whole;
  std::erase_if(file.tensors, [](const auto& t) { return t.name == "encoder.0.bias_hh_l0"; });
  EXPECT_THAT(error(file), "m: missing 'rnn.bias_hh_l0'");
  file = whole;
  std::erase_if(file.tensors, [](const auto& t) { return t.name == "encoder.0.weight_hh_l0"; });
  EXPECT_THAT(error(file), "m: tensor 'weight_hh_l0': missing");
  file = whole;
  file.tensors.front().shape = {19, 3};
  EXPECT_THAT(error(file), HasSubstr("expected 4, 3 or 1 gates of 5 units, found 19 rows"));
  file = tensors_of(model, false);
  file.tensors.front().shape = {3, 20};
  EXPECT_THAT(error(file), "m: 'rnn.weight_ih_l0' expected [20, 3], found [3, 20]");
  file = whole;
  file.tensors.back().values.back() = NAN;
  EXPECT_THAT(error(file), "m: 'fc.bias' expected finite numbers, found others");
  file = tensors_of(model, false);
  file.metadata["quadgate"] = R"({"cell": "lstm", "task": "regression", "input_size": 3,
      "hidden_size": 5, "num_layers": 2000000000, "bidirectional": 0, "dropout": 0,
      "output_size": 2})";
  EXPECT_THAT(error(file), "m: model: expected its 479999999972 weights, found 212 numbers");
  file.metadata["quadgate"] = "[]";
  EXPECT_THAT(error(file), "m: expected a JSON object");
  file.metadata["quadgate"] = "{\"cell\": 3}";
  EXPECT_THAT(error(file), "m: 'cell': expected text");
}

}  // namespace
}  // namespace quadgate
