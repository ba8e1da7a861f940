#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include "engine/base/error.h"
#include "io/tensors/keras_weights.h"

namespace quadgate::keras {
namespace {

/// Lists the layers of one file.
class Listing {
 public:
  explicit Listing(const hdf5::File& file) : file_(file) {}

  Layers run() {
    expect_sequence();
    std::vector<std::pair<std::int64_t, Layer>> found;
    std::vector<std::string> scales;
    for (const std::string& group : file_.members("layers")) {
      // The file is of quadgate's own, so that they are in front and behind.
      const bool is_scale = group.starts_with("normalization") && file_.has_attribute("", kTaskKey);
      is_scale ? scales.push_back(group) : found.push_back(layer_of(group));
    }
    if (!scales.empty()) {
      result_.notes.push_back(fmt::format(
          "left out: the scale of the data in {} (--like FILE gives it)", fmt::join(scales, ", ")));
    }
    std::ranges::stable_sort(found, {}, [](const auto& numbered) {
      return std::pair{numbered.second.type->kind, numbered.first};
    });
    for (auto& [number, layer] : found) {
      expect_once(layer);
      result_.layers.push_back(std::move(layer));
    }
    if (!has(Kind::recurrent)) fail("expected a recurrent layer, found none");
    for (const Layer& layer : result_.layers) {
      if (layer.type->kind == Kind::pooling && has_class("TimeDistributed")) {
        fail(layer, "no model here pools behind a TimeDistributed");
      }
    }
    tell_what_is_assumed();
    return std::move(result_);
  }

 private:
  [[noreturn]] void fail(const std::string& reason) const {
    throw FileError(fmt::format("{}: {}", file_.path().string(), reason));
  }
  [[noreturn]] void fail(const Layer& layer, const std::string& reason) const {
    fail(fmt::format("{}: {}", layer.name, reason));
  }

  /// Refuses what is no Sequential or functional model.
  void expect_sequence() const {
    if (file_.has_attribute("", "layer_names") || file_.has_attribute("", "model_config")) {
      fail(
          "expected weights as Keras 3 saves them, found a file of the older format: load it in "
          "Keras and call model.save_weights(\"NAME.weights.h5\")");
    }
    for (const std::string& member : file_.members("")) {
      if (member == "layers" || member == "vars" || member == "optimizer") continue;
      fail(
          fmt::format("expected the layers of a Sequential or functional model, found '{}' of a "
                      "model whose code the file does not have",
                      member));
    }
    if (!file_.has("layers")) fail("expected the group 'layers' of a Keras file, found none");
  }

  /// What a group in "layers" is, and its number: "lstm_1" is an LSTM and 1.
  std::pair<std::int64_t, Layer> layer_of(const std::string& group) {
    std::string_view base = group;
    std::int64_t number = 0;
    if (const std::size_t bar = group.rfind('_'); bar != std::string::npos) {
      const char* const end = group.data() + group.size();
      const auto read = std::from_chars(group.data() + bar + 1, end, number);
      if (read.ec == std::errc() && read.ptr == end) base = base.substr(0, bar);
    }
    Layer layer{.group = "layers/" + group, .name = fmt::format("layer '{}'{}", group, own(group))};
    const auto classes = layer_classes();
    const auto found = std::ranges::find(classes, base, &LayerClass::group);
    if (found == classes.end()) fail(layer, "no layer that a model here can have");
    layer.type = &*found;
    return {number, std::move(layer)};
  }

  /// The name that a model's author gave a layer, if it says more.
  std::string own(const std::string& group) {
    const std::string variables = "layers/" + group + "/vars";
    if (!file_.has(variables) || !file_.has_attribute(variables, "name")) return "";
    has_names_ = true;
    const std::string name = file_.read_string(variables, "name");
    return name == group ? "" : fmt::format(" ({})", name);
  }

  void expect_once(const Layer& layer) {
    const Kind kind = layer.type->kind;
    if (kind == Kind::activation || kind == Kind::max_pooling) {
      fail(layer, "what it does is not among the weights: import the whole model, NAME.keras");
    }
    const bool is_input = layer.type->name == "InputLayer";
    if (kind == Kind::skipped && !is_input) return;
    const auto other = std::ranges::find_if(result_.layers, [&](const Layer& l) {
      return l.type->kind == kind && (!is_input || l.type == layer.type);
    });
    if (other == result_.layers.end()) return;
    if (kind != Kind::recurrent) {
      fail(layer, fmt::format("no model here has it beside {}", other->name));
    }
    if (other->type != layer.type) {
      fail(layer,
           fmt::format("expected recurrent layers of one kind, found {} as well", other->name));
    }
  }

  bool has(Kind kind) const {
    return std::ranges::any_of(result_.layers,
                               [&](const Layer& layer) { return layer.type->kind == kind; });
  }
  bool has_class(std::string_view name) const {
    return std::ranges::any_of(result_.layers,
                               [&](const Layer& layer) { return layer.type->name == name; });
  }

  /// A file that quadgate wrote tells it as attributes of the root.
  void tell_what_is_assumed() {
    for (const char* key :
         {kCellKey, kTaskKey, kPoolingKey, kLossKey, kConvPaddingKey, kConvPoolSizeKey}) {
      if (file_.has_attribute("", key)) result_.metadata[key] = file_.read_string("", key);
    }
    if (!result_.metadata.empty()) return;
    std::vector<std::string> order;
    for (const Layer& layer : result_.layers) {
      if (layer.type->kind != Kind::skipped) {
        order.push_back(layer.group.substr(layer.group.rfind('/') + 1));
      }
    }
    std::string assumed = fmt::format(
        "assumed, as Keras's weights do not tell it (a whole model, NAME.keras, does): layers, "
        "each once, one behind the other in the order {}{}; activation tanh, recurrent_activation "
        "sigmoid",
        fmt::join(order, ", "), has_names_ ? "" : ", and none without weights among them");
    if (has_class("InputLayer")) {
      assumed +=
          "; no operations (x + y, x[:, -1]) and no states (return_state, initial_state) between "
          "them";
    }
    assumed += "; computed in float32; go_backwards False";
    if (has_class("Bidirectional")) assumed += "; merge_mode concat";
    if (has_class("GRU") || has_class("Bidirectional")) assumed += "; reset_after True of a GRU";
    if (has(Kind::embedding)) assumed += "; mask_zero False";
    if (has(Kind::dense)) assumed += "; activation linear of the Dense";
    result_.notes.push_back(assumed);
  }

  const hdf5::File& file_;
  Layers result_;
  bool has_names_ = false;  // versions of Keras without them leave out layers without weights
};

}  // namespace

Layers list_layers(const hdf5::File& file) { return Listing(file).run(); }

}  // namespace quadgate::keras
