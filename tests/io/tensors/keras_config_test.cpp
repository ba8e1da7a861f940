// Sweeps: configurations of Keras models, with settings and orders of layers that no model here
// has, and 10,000 damaged ones (models that Keras wrote: tests/torch).

#include "io/tensors/keras_config.h"

#include <fmt/format.h>

#include "io/tensors/tensor_file.h"
#include "tests/io/files.h"
#include "tests/io/mutations.h"

namespace quadgate::keras {
namespace {

using ::testing::HasSubstr;
using testing::message_of;

std::string layer(const std::string& type, const std::string& name, const std::string& settings,
                  const std::string& input = "") {
  const std::string tensor = fmt::format(
      R"({{"class_name": "__keras_tensor__", "config": {{"keras_history": ["{}", 0, 0]}}}})",
      input);
  return fmt::format(
      R"({{"module": "keras.layers", "class_name": "{}", "name": "{}",
           "config": {{"name": "{}"{}}}, "inbound_nodes": [{}]}})",
      type, name, name, settings,
      input.empty() ? "" : R"({"args": [)" + tensor + R"(], "kwargs": {"mask": null}})");
}

const std::string kLstm =
    R"(, "activation": "tanh", "recurrent_activation": "sigmoid", "return_sequences": false)";

std::string sequential(const std::string& layers) {
  return R"({"class_name": "Sequential", "config": {"name": "s", "layers": [)" + layers + "]}}";
}

std::string functional(const std::string& last_input) {
  return R"({"class_name": "Functional", "config": {"name": "f", "layers": [)" +
         layer("InputLayer", "i", "") + "," + layer("LSTM", "a", kLstm, "i") + "," +
         layer("Dropout", "b", R"(, "rate": 0.5)", "a") + "," +
         layer("Dense", "c", R"(, "activation": "softmax")", last_input) +
         R"(], "input_layers": [["i", 0, 0]], "output_layers": [["c", 0, 0]]}})";
}

Layers check(const std::string& config) { return check_layers(read_config(config, "m"), "m"); }
std::string problem(const std::string& config) {
  return message_of<FileError>([&] { check(config); });
}

TEST(KerasConfigTest, TellsOfAChainOfLayers) {
  const Layers model = check(functional("b"));
  ASSERT_EQ(model.layers.size(), 4);
  EXPECT_EQ(model.layers[3].group, "layers/dense");
  EXPECT_EQ(model.metadata.at(kCellKey), "lstm");
  EXPECT_EQ(model.metadata.at(kTaskKey), "classification");
  EXPECT_EQ(check(sequential(layer("LSTM", "a", kLstm))).metadata.count(kTaskKey), 0);
}

TEST(KerasConfigTest, TakesTheLastStepOfALayerAlone) {
  const std::string all =
      R"({"class_name": "__slice__", "config": {"start": null, "stop": null, "step": null}})";
  const std::string last =
      R"({"module": "keras.src.ops.numpy", "class_name": "GetItem", "config": {"name": "g"},
          "inbound_nodes": [{"args": [{}, [)" +
      all + ", -1]]}]}";
  const std::string steps = R"(, "return_sequences": true)";
  EXPECT_EQ(read_config(sequential(layer("LSTM", "a", steps) + "," + last), "m")
                .at(0)
                .settings.at("return_sequences"),
            "false");
  for (const std::string& before :
       {std::string(), layer("LSTM", "a", kLstm) + ",", layer("Bidirectional", "a", steps) + ","}) {
    EXPECT_THAT(problem(sequential(before + last)),
                HasSubstr("layer 'g' (GetItem): expected the steps of one direction"));
  }
}

TEST(KerasConfigTest, NamesTheLayerThatNoModelHereHas) {
  EXPECT_THAT(problem(functional("i")), HasSubstr("layer 'c' (Dense): expected layers one behind"));
  EXPECT_THAT(problem(functional("d")), HasSubstr("expected layers one behind the other, found 3"));
  const std::string lstm = layer("LSTM", "a", kLstm);
  EXPECT_THAT(problem(sequential(lstm + "," + lstm)), HasSubstr("layer 'a' (LSTM): return_seq"));
  EXPECT_THAT(problem(sequential(layer("Dense", "c", "") + "," + lstm)),
              HasSubstr("layer 'c' (Dense): no model here has it in front"));
  EXPECT_THAT(problem(sequential(lstm + "," + layer("Add", "c", ""))),
              HasSubstr("layer 'c' (Add): no layer"));
  EXPECT_THAT(problem(sequential(layer("LSTM", "a", R"(, "activation": "relu")"))),
              "m: layer 'a' (LSTM): activation: expected tanh, found relu");
  EXPECT_THAT(problem(sequential(layer("LSTM", "a", R"(, "activation": {"class_name": "f"})"))),
              "m: layer 'a' (LSTM): activation: expected tanh, found one of its own");
  EXPECT_THAT(problem(sequential("")), "m: expected a recurrent layer, found none");
  EXPECT_THAT(problem("{}"), HasSubstr("expected a Sequential or functional model"));
  EXPECT_THAT(problem("{"), HasSubstr("m: config.json: "));
  EXPECT_THAT(problem(std::string(1'000'000, '[')), HasSubstr("no deeper lists"));
}

TEST(KerasConfigTest, SurvivesDamage) {
  for (const std::string& text : {functional("b"), sequential(layer("LSTM", "a", kLstm))}) {
    const auto bytes = std::as_bytes(std::span(text));
    testing::survive_mutations({bytes.begin(), bytes.end()}, [](const testing::Bytes& damaged) {
      check({reinterpret_cast<const char*>(damaged.data()), damaged.size()});
    });
  }
}

}  // namespace
}  // namespace quadgate::keras
