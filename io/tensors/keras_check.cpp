#include <fmt/format.h>

#include <charconv>
#include <optional>
#include <utility>

#include "engine/base/error.h"
#include "io/tensors/keras_config.h"
#include "io/tensors/tensor_file.h"

namespace quadgate::keras {
namespace {

/// Compares what each layer computes with what a model here can.
class Checker {
 public:
  explicit Checker(std::string file) : file_(std::move(file)) {}

  Layers run(const std::vector<ConfiguredLayer>& layers) {
    for (const ConfiguredLayer& layer : layers) {
      layer_ = &layer;
      expect_order();
      check();
      note_on_dtype();
      result_.layers.push_back(layer.layer);
    }
    describe_head();
    return std::move(result_);
  }

 private:
  [[noreturn]] void fail(const Layer& layer, const std::string& reason) const {
    throw FileError(fmt::format("{}: {}: {}", file_, layer.name, reason));
  }
  [[noreturn]] void fail(const std::string& reason) const { fail(layer_->layer, reason); }

  /// The value of a setting of the layer, or "".
  std::string setting(const std::string& path) const {
    const auto found = layer_->settings.lower_bound(path);
    if (found == layer_->settings.end()) return "";
    if (found->first == path) return found->second;
    const bool is_within = layer_->settings.lower_bound(path + "/") != layer_->settings.end() &&
                           layer_->settings.lower_bound(path + "/")->first.starts_with(path + "/");
    return is_within ? "one of its own" : "";
  }
  /// Of a setting that is a number, or a list of one.
  std::optional<std::int64_t> number(const std::string& path) const {
    const std::string alone = setting(path);
    const std::string text = alone == "one of its own" ? setting(path + "/0") : alone;
    std::int64_t value = 0;
    const auto read = std::from_chars(text.data(), text.data() + text.size(), value);
    if (text.empty() || read.ec != std::errc()) return {};
    return value;
  }
  void expect(const std::string& path, std::string_view one, std::string_view other = "") const {
    const std::string found = setting(path);
    if (found.empty() || found == one || found == other) return;
    fail(fmt::format("{}: expected {}{}{}, found {}", path, one, other.empty() ? "" : " or ", other,
                     found));
  }
  void expect_number(const std::string& path, std::int64_t expected) const {
    const auto found = number(path);
    if (!found || *found == expected) return;
    fail(fmt::format("{}: expected {}, found {}", path, expected, *found));
  }
  std::string activation(const std::string& prefix) const {
    const std::string found = setting(prefix + "activation");
    return found.empty() ? "linear" : found;
  }

  void expect_order() {
    const Layer& layer = layer_->layer;
    const Kind kind = layer.type->kind;
    if (kind == Kind::skipped || kind == Kind::activation) return;
    const bool again = kind == Kind::recurrent && last_ != nullptr && last_->type->kind == kind;
    if (last_ != nullptr && last_->type->kind >= kind && !again) {
      fail(fmt::format("no model here has a {} behind {}", layer.type->name, last_->name));
    }
    last_ = &layer;
  }

  void check() {
    const std::string_view type = layer_->layer.type->name;
    switch (layer_->layer.type->kind) {
      case Kind::embedding:
        return expect("mask_zero", "false");
      case Kind::convolution:
        return check_convolution();
      case Kind::max_pooling:
        return check_max_pooling();
      case Kind::recurrent:
        type == "Bidirectional" ? check_bidirectional() : check_recurrent("", type);
        return;
      case Kind::pooling:
        if (!returns_steps_) fail("expected the steps of a recurrent layer, found its last");
        expect("keepdims", "false");
        expect("data_format", "channels_last");
        result_.metadata[kPoolingKey] = type == "GlobalMaxPooling1D" ? "max" : "mean";
        pools_ = true;
        return;
      case Kind::dense:
        return check_dense();
      case Kind::activation:
        return check_activation(type);
      case Kind::skipped:
        return;
    }
  }

  /// A policy is of all layers, mostly: it is told once.
  void note_on_dtype() {
    const std::string plain = setting("dtype");
    const std::string policy = plain == "one of its own" ? setting("dtype/config/name") : plain;
    const bool is_whole = policy.find("int") != std::string::npos;  // of tokens
    if (policy.empty() || policy == "float32" || is_whole || has_dtype_) return;
    has_dtype_ = true;
    result_.notes.push_back(fmt::format("{}: left out: dtype {}, as models here compute in float32",
                                        layer_->layer.name, policy));
  }

  void check_convolution() {
    expect_number("strides", 1);
    expect_number("dilation_rate", 1);
    expect_number("groups", 1);
    expect("data_format", "channels_last");
    expect("padding", "valid", "same");
    std::int64_t padding = 0;
    if (setting("padding") == "same") {
      const std::int64_t steps = number("kernel_size").value_or(0);
      if (steps % 2 == 0) {
        fail(fmt::format("padding same: expected an odd kernel_size, found {}", steps));
      }
      padding = (steps - 1) / 2;
    }
    result_.metadata[kConvPaddingKey] = std::to_string(padding);
    convolution_ = &layer_->layer;
    activation_ = activation("");
  }

  void check_max_pooling() {
    if (convolution_ == nullptr) fail("no model here pools without a convolution before it");
    expect_relu();
    expect("padding", "valid");
    expect("data_format", "channels_last");
    const auto steps = number("pool_size");
    if (!steps) fail("pool_size: expected a number, found none");
    expect_number("strides", *steps);
    result_.metadata[kConvPoolSizeKey] = std::to_string(*steps);
  }

  void expect_relu() const {
    if (convolution_ == nullptr || activation_ == "relu") return;
    fail(*convolution_, fmt::format("activation: expected relu, found {}", activation_));
  }

  void check_recurrent(const std::string& prefix, std::string_view type) {
    if (recurrent_ == nullptr) expect_relu();
    if (recurrent_ != nullptr && !returns_steps_) {
      fail(*recurrent_, "return_sequences: expected true before another recurrent layer");
    }
    recurrent_ = &layer_->layer;
    returns_steps_ = setting(prefix + "return_sequences") == "true";
    check_cell(prefix, type, "false");
  }

  void check_cell(const std::string& prefix, std::string_view type, const char* backwards) {
    std::string cell = type == "LSTM" ? "lstm" : "gru";
    if (type == "SimpleRNN") {
      expect(prefix + "activation", "tanh", "relu");
      cell = "rnn_" + activation(prefix);
    } else {
      expect(prefix + "activation", "tanh");
      expect(prefix + "recurrent_activation", "sigmoid");
    }
    if (type == "GRU") expect(prefix + "reset_after", "true");
    expect(prefix + "go_backwards", backwards);
    const auto [found, is_new] = result_.metadata.try_emplace(kCellKey, cell);
    if (!is_new && found->second != cell) {
      fail(fmt::format("expected a cell {} as in the layer before, found {}", found->second, cell));
    }
    if (setting(prefix + "stateful") == "true") {
      result_.notes.push_back(layer_->layer.name +
                              ": left out: stateful, each sequence begins with zeros here");
    }
  }

  void check_bidirectional() {
    expect("merge_mode", "concat");
    if (setting("merge_mode").empty()) fail("merge_mode: expected concat, found none");
    const std::string type = setting("layer/class_name");
    if (type != "LSTM" && type != "GRU" && type != "SimpleRNN") {
      fail(fmt::format("expected an LSTM, GRU or SimpleRNN in it, found {}", type));
    }
    expect("layer/module", "keras.layers");
    check_recurrent("layer/config/", type);
    if (setting("backward_layer").empty()) return;
    expect("backward_layer/class_name", type);
    expect("backward_layer/module", "keras.layers");
    check_cell("backward_layer/config/", type, "true");
  }

  void check_dense() {
    if (recurrent_ == nullptr) fail("no model here has it in front of the recurrent layers");
    const bool wrapped = layer_->layer.type->name == "TimeDistributed";
    if (wrapped) {
      expect("layer/class_name", "Dense");
      expect("layer/module", "keras.layers");
    }
    dense_ = &layer_->layer;
    activation_ = activation(wrapped ? "layer/config/" : "");
  }

  /// A layer for what the one before might do itself.
  void check_activation(std::string_view type) {
    std::string function = type == "Softmax" ? "softmax" : "relu";
    if (type == "Activation") function = activation("");
    if (type == "Softmax") expect("axis", "-1");
    if (type == "ReLU") {
      expect("max_value", "");
      expect("negative_slope", "0", "0.0");
      expect("threshold", "0", "0.0");
    }
    if (function == "linear") return;
    const Kind before = last_ == nullptr ? Kind::skipped : last_->type->kind;
    if ((before != Kind::convolution && before != Kind::dense) || activation_ != "linear") {
      fail(fmt::format("no model here has {} there", function));
    }
    activation_ = function;
  }

  /// What the head's activation makes of the task.
  void describe_head() {
    if (recurrent_ == nullptr) {
      throw FileError(file_ + ": expected a recurrent layer, found none");
    }
    if (dense_ == nullptr) {
      if (pools_) fail(*last_, "expected a Dense behind it, found none");
      return;
    }
    const bool each_step = returns_steps_ && !pools_;
    const bool is_class = activation_ == "softmax";
    if (!is_class && activation_ != "linear" && (activation_ != "sigmoid" || each_step)) {
      fail(*dense_, fmt::format("activation: expected linear, softmax{}, found {}",
                                each_step ? "" : " or sigmoid", activation_));
    }
    result_.metadata[kTaskKey] = each_step ? "tagging" : is_class ? "classification" : "regression";
    if (activation_ == "sigmoid") result_.metadata[kLossKey] = "bce";
    if (activation_ == "linear" && !each_step) {
      result_.notes.push_back(dense_->name +
                              ": assumed that its outputs are values to predict: if they are "
                              "logits, say --task classification");
    }
    if (is_class) {
      result_.notes.push_back(dense_->name +
                              ": softmax is left to what uses the model, whose outputs are logits");
    }
  }

  std::string file_;
  Layers result_;
  const ConfiguredLayer* layer_ = nullptr;  // that is being checked
  const Layer* last_ = nullptr;             // that was checked and changes numbers
  const Layer* convolution_ = nullptr;
  const Layer* recurrent_ = nullptr;
  const Layer* dense_ = nullptr;
  std::string activation_;  // of the last convolution or Dense
  bool returns_steps_ = false;
  bool pools_ = false;
  bool has_dtype_ = false;  // other than float32
};

}  // namespace

Layers check_layers(const std::vector<ConfiguredLayer>& layers, const std::string& name) {
  return Checker(name).run(layers);
}

}  // namespace quadgate::keras
