#include "io/tensors/keras_config.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>
#include <utility>

#include "engine/base/error.h"

namespace quadgate::keras {
namespace {

using nlohmann::json;

/// A JSON value for a message.
std::string shown(const json& value) {
  constexpr std::size_t kShown = 60;
  const std::string text = value.is_string()
                               ? value.get<std::string>()
                               : value.dump(-1, ' ', false, json::error_handler_t::replace);
  return text.size() > kShown ? text.substr(0, kShown) + "..." : text;
}

/// The value of a key, or null.
const json& member(const json& object, const char* key) {
  static const json nothing;
  const auto found = object.is_object() ? object.find(key) : object.end();
  return found == object.end() ? nothing : *found;
}

/// All values of a configuration by their path, as text; what is null is not there.
std::map<std::string, std::string> settings_of(const json& config) {
  std::map<std::string, std::string> settings;
  const json values = config.is_structured() ? config.flatten() : json::object();
  for (const auto& [path, value] : values.items()) {
    if (!value.is_null()) settings[path.substr(1)] = shown(value);
  }
  return settings;
}

/// Brings the layers of a model, and of models in it, into their order.
class Flattener {
 public:
  explicit Flattener(std::string file) : file_(std::move(file)) {}

  std::vector<ConfiguredLayer> run(const json& model) {
    flatten(model, "");
    return std::move(layers_);
  }

 private:
  [[noreturn]] void fail(const std::string& reason) const {
    throw FileError(fmt::format("{}: {}", file_, reason));
  }

  static std::string class_of(const json& layer) { return shown(member(layer, "class_name")); }
  static std::string name_of(const json& layer) {
    const json& name = member(member(layer, "config"), "name");
    return name.is_null() ? fmt::format("a layer {}", class_of(layer))
                          : fmt::format("layer '{}' ({})", shown(name), class_of(layer));
  }
  static bool is_model(const std::string& type) {
    return type == "Sequential" || type == "Functional" || type == "Model";
  }

  /// `prefix` is where the model's weights lie: "", or "layers/sequential/".
  void flatten(const json& model, const std::string& prefix) {
    const std::string type = class_of(model);
    if (!is_model(type)) {
      fail(
          fmt::format("expected a Sequential or functional model, found {}, whose code the file "
                      "does not have",
                      type));
    }
    const json& layers = member(member(model, "config"), "layers");
    if (!layers.is_array()) fail(name_of(model) + ": expected a list of layers, found none");
    std::map<std::string, int> counts;
    std::vector<std::string> groups;
    for (const json& layer : layers) {
      const std::string group = takes_last_step(layer) ? "" : group_of(layer);
      groups.push_back(fmt::format("{}layers/{}", prefix, numbered(group, counts[group]++)));
    }
    for (const std::size_t number : order_of(type, member(model, "config"))) {
      if (takes_last_step(layers[number])) {
        take_last_step(layers[number]);
      } else if (is_model(class_of(layers[number]))) {
        flatten(layers[number], groups[number] + "/");
      } else {
        layers_.push_back(configured(layers[number], groups[number]));
      }
    }
  }

  /// Whether it is the operation y[:, -1].
  static bool takes_last_step(const json& layer) {
    static const json all = {
        {"class_name", "__slice__"},
        {"config", {{"start", nullptr}, {"stop", nullptr}, {"step", nullptr}}}};
    const json& nodes = member(layer, "inbound_nodes");
    if (class_of(layer) != "GetItem" || member(layer, "module") != "keras.src.ops.numpy" ||
        nodes.size() != 1) {
      return false;
    }
    const json& args = member(nodes.front(), "args");
    return args.size() == 2 &&
           (args[1] == json::array({all, -1}) || args[1] == json::array({all, -1, all}));
  }
  void take_last_step(const json& operation) {
    const auto has_steps = [](ConfiguredLayer& layer) {
      return layer.layer.type->kind == Kind::recurrent &&
             layer.layer.type->name != "Bidirectional" &&
             layer.settings["return_sequences"] == "true";
    };
    if (layers_.empty() || !has_steps(layers_.back())) {
      fail(name_of(operation) + ": expected the steps of one direction in front of it");
    }
    layers_.back().settings["return_sequences"] = "false";
  }

  ConfiguredLayer configured(const json& layer, const std::string& group) const {
    ConfiguredLayer made{.layer = {.type = type_of(layer), .group = group, .name = name_of(layer)},
                         .settings = settings_of(member(layer, "config"))};
    if (gives_state_.contains(&layer)) made.settings["return_sequences"] = "false";
    return made;
  }

  const LayerClass* type_of(const json& layer) const {
    const auto classes = layer_classes();
    const auto found = std::ranges::find(classes, class_of(layer), &LayerClass::name);
    if (found == classes.end() || member(layer, "module") != "keras.layers") {
      fail(name_of(layer) + ": no layer that a model here can have");
    }
    return &*found;
  }
  std::string group_of(const json& layer) const {
    const std::string type = class_of(layer);
    if (type == "Sequential") return "sequential";
    return is_model(type) ? "functional" : std::string(type_of(layer)->group);
  }

  std::vector<std::size_t> order_of(const std::string& type, const json& config) {
    const json& layers = member(config, "layers");
    std::vector<std::size_t> order;
    if (type == "Sequential") {
      for (std::size_t i = 0; i < layers.size(); ++i) order.push_back(i);
      return order;
    }
    std::map<std::string, std::size_t> followers;  // of a layer, by its name
    std::set<std::string> give_states;
    std::string first;
    for (std::size_t i = 0; i < layers.size(); ++i) {
      const auto [before, output] = input_of(layers[i]);
      if (output == 1) give_states.insert(before);
      if (before.empty() && !first.empty()) {
        fail(name_of(layers[i]) + ": expected a model of one input, found another");
      }
      if (before.empty()) {
        first = shown(member(layers[i], "name"));
        order.push_back(i);
      } else if (!followers.try_emplace(before, i).second) {
        fail(fmt::format("{}: expected layers one behind the other, found two behind '{}'",
                         name_of(layers[i]), before));
      }
    }
    std::string last = first;
    for (auto next = followers.find(last); next != followers.end(); next = followers.find(last)) {
      order.push_back(next->second);
      last = shown(member(layers[next->second], "name"));
      if (order.size() > layers.size()) fail("config.json: expected no circle of layers");
    }
    expect_chain(config, order.size(), last);
    for (const json& layer : layers) {
      if (!give_states.contains(shown(member(layer, "name")))) continue;
      // Behind the steps comes h, which is the last of them.
      const std::string kind = class_of(layer);
      if (kind != "LSTM" && kind != "GRU" && kind != "SimpleRNN") {
        fail(name_of(layer) + ": expected its first output to be used, found another");
      }
      gives_state_.insert(&layer);
    }
    return order;
  }

  void expect_chain(const json& config, std::size_t found, const std::string& last) const {
    const std::size_t all = member(config, "layers").size();
    if (found != all) {
      fail(fmt::format("expected layers one behind the other, found {} of {} behind the input",
                       found, all));
    }
    const std::string outputs = member(config, "output_layers").dump();
    if (outputs != json::array({last, 0, 0}).dump() &&
        outputs != json::array({json::array({last, 0, 0})}).dump()) {
      fail(fmt::format("expected the output of '{}' alone, found {}", last,
                       shown(member(config, "output_layers"))));
    }
  }

  /// The layer that goes into this one, "" for an input, and which of its outputs does.
  std::pair<std::string, int> input_of(const json& layer) const {
    const json& nodes = member(layer, "inbound_nodes");
    if (class_of(layer) == "InputLayer") return {};
    if (nodes.size() != 1) {
      fail(fmt::format("{}: expected it once in the model, found {} times", name_of(layer),
                       nodes.size()));
    }
    if (member(member(nodes.front(), "kwargs"), "training") == true) {
      fail(name_of(layer) + ": expected it not to be training, found training=True");
    }
    std::vector<const json*> tensors;
    collect_tensors(nodes.front(), tensors);
    if (tensors.size() != 1) {
      fail(fmt::format("{}: expected one input, found {}", name_of(layer), tensors.size()));
    }
    const json& history = member(member(*tensors.front(), "config"), "keras_history");
    if (history.size() != 3 || history[1] != 0 || (history[2] != 0 && history[2] != 1)) {
      fail(fmt::format("{}: expected steps or the state h of another layer, found output {}",
                       name_of(layer), shown(history)));
    }
    return {shown(history[0]), history[2].get<int>()};
  }

  static void collect_tensors(const json& value, std::vector<const json*>& tensors) {
    if (member(value, "class_name") == "__keras_tensor__") {
      tensors.push_back(&value);
    } else if (value.is_structured()) {
      for (const json& item : value) collect_tensors(item, tensors);
    }
  }

  std::string file_;
  std::set<const json*> gives_state_;  // layers whose second output is used
  std::vector<ConfiguredLayer> layers_;
};

}  // namespace

std::vector<ConfiguredLayer> read_config(std::string_view json_text, const std::string& name) {
  const auto expect_flat = [&](int depth, json::parse_event_t, json&) {
    constexpr int kDeepest = 64;
    if (depth > kDeepest) {
      throw FileError(name + ": config.json: expected no deeper lists and objects");
    }
    return true;
  };
  try {
    const json model = json::parse(json_text, expect_flat);
    return Flattener(name).run(model);
  } catch (const json::exception& error) {
    throw FileError(fmt::format("{}: config.json: {}", name, error.what()));
  }
}

}  // namespace quadgate::keras
