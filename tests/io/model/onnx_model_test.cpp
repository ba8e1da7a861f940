// Sweeps: every cell in one and two directions, with embedding, convolution and each pooling,
// written and read again; files that were changed since (what other programs make of the files, and
// theirs: tests/torch); 10,000 damaged files. Tolerance: none, weights are moved only.

#include "io/model/onnx_model.h"

#include <utility>

#include "io/model/json_attributes.h"
#include "io/model/onnx_writer.h"
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

Model read(const testing::Bytes& bytes, const ImportChoices& choices = {}) {
  return read_onnx(bytes, "m", {}, choices);
}

class OnnxTest : public testing::FolderTest {
 protected:
  /// The file of a model, described in it unless other texts are given.
  static testing::Bytes written(const ModelDescription& model, Parameters& parameters,
                                const std::map<std::string, std::string>& texts = {}) {
    parameters.initialize(1);
    return to_onnx(
        model, parameters,
        texts.empty() ? std::map<std::string, std::string>{{kModelKey, to_json(model)}} : texts);
  }
};

TEST_F(OnnxTest, ReadsWhatItWrote) {
  for (const Cell cell : {Cell::lstm, Cell::gru, Cell::rnn_tanh, Cell::rnn_relu}) {
    for (const Pooling pooling : {Pooling::last, Pooling::mean, Pooling::max}) {
      ModelDescription model = description(cell, pooling != Pooling::last);
      model.config.pooling = pooling;
      model.data.class_names = {"ja", "nein"};
      if (pooling != Pooling::last) {
        model.config.conv = {.input_size = 4, .channels = 3, .kernel_size = 3, .padding = 1};
        model.config.embedding.vocabulary_size = 2;
        model.data.token_names = {"a", "b"};
      }
      Parameters parameters(model.config);
      const Model found = read(written(model, parameters));
      EXPECT_EQ(found.description, model);
      EXPECT_THAT(found.parameters.values(), ::testing::ElementsAreArray(parameters.values()));
      EXPECT_THAT(found.notes, ::testing::IsEmpty());
    }
  }
}

TEST_F(OnnxTest, ReadsModelsInTheUnitsOfTheirData) {
  for (const LossKind loss : {LossKind::mse, LossKind::bce, LossKind::student_t}) {
    ModelDescription model = description(Cell::lstm, false);
    model.config.task = Task::regression;
    model.config.loss.kind = loss;
    model.config.output_size = 2 * model.config.loss.outputs_per_target();
    model.data.feature_names = {"a", "b", "c"};
    model.data.mean = {1, 2, 3};
    model.data.std = {4, 5, 6};
    model.data.window = {.input_len = 7, .horizon = 2, .targets = {"b"}};
    Parameters parameters(model.config);
    const std::map<std::string, std::string> standardized{{kModelKey, to_json(model)}};
    auto texts = standardized;
    texts[kUnitsKey] = kOriginal;
    const auto bytes = written(model, parameters, texts);
    EXPECT_GT(bytes.size(), written(model, parameters, standardized).size() + texts.size());
    EXPECT_EQ(read(bytes).description, model);
    EXPECT_THAT(read(bytes).notes, ::testing::IsEmpty());
  }
}

TEST_F(OnnxTest, ReadsItsGraphsAsThoseOfOthers) {
  const ModelDescription model = description(Cell::gru, true);
  Parameters parameters(model.config);
  const Model found = read(written(model, parameters, {{"key", "text"}}));
  EXPECT_EQ(found.description.config, model.config);
  EXPECT_THAT(found.parameters.values(), ::testing::ElementsAreArray(parameters.values()));
}

TEST_F(OnnxTest, TakesNoChoiceThatTheGraphDoesNotCompute) {
  const ModelDescription model = description(Cell::lstm, false);
  Parameters parameters(model.config);
  const auto bytes = written(model, parameters, {{"key", "text"}});
  EXPECT_EQ(read(bytes, {.task = "regression"}).description.config.task, Task::regression);
  EXPECT_THAT(message_of<InvalidArgument>([&] { read(bytes, {.task = "tagging"}); }),
              "m: --task: expected classification or regression, as the graph has a head of each "
              "sequence, found tagging");
  EXPECT_THAT(message_of<InvalidArgument>([&] {
                read(bytes, {.parts = {{"a", "head"}}});
              }),
              HasSubstr("m: --map, --nonlinearity, --pooling: expected none"));
}

TEST_F(OnnxTest, DoesNotTrustTheDescriptionOfAGraphThatWasChanged) {
  ModelDescription model = description(Cell::lstm, false);
  Parameters parameters(model.config);
  const auto changed = [&](const ModelDescription& said) {
    return written(model, parameters, {{kModelKey, to_json(said)}});
  };
  ModelDescription other = model;
  other.config.task = Task::tagging;
  other.data.class_names = {"ja", "nein"};
  const Model found = read(changed(other));
  EXPECT_EQ(found.description.config, model.config);
  EXPECT_THAT(found.notes, Contains(HasSubstr("not as quadgate wrote it")));
  model.config.pooling = Pooling::mean;  // the graph computes it from lengths
  other.config.pooling = Pooling::last;
  EXPECT_THAT(message_of<FileError>([&] { read(changed(other)); }), HasSubstr("m: Range node '"));
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
  const ModelDescription model = description(Cell::lstm, true);
  Parameters parameters(model.config);
  testing::survive_mutations(written(model, parameters, {{"key", "text"}}),
                             [](const testing::Bytes& bytes) { read(bytes); });
}

}  // namespace
}  // namespace quadgate
