#include "apps/train/run_config.h"

#include <fmt/format.h>
#include <toml++/toml.h>

#include <array>
#include <cerrno>
#include <cmath>
#include <fstream>
#include <map>
#include <sstream>
#include <system_error>
#include <type_traits>
#include <utility>

#include "apps/train/known_keys.h"
#include "apps/train/run_config_keys.h"
#include "apps/train/toml_depth.h"
#include "engine/base/error.h"

namespace quadgate::apps {
namespace {

/// `parsed`, if it is anything, into a field.
template <typename Enum>
bool take(std::optional<Enum> parsed, Enum& field) {
  field = parsed.value_or(field);
  return parsed.has_value();
}

bool parse(std::string_view text, Cell& field) { return take(parse_cell(text), field); }
bool parse(std::string_view text, Precision& field) { return take(parse_precision(text), field); }
bool parse(std::string_view text, Arithmetic& field) { return take(parse_arithmetic(text), field); }
bool parse(std::string_view text, Pooling& field) { return take(parse_pooling(text), field); }
bool parse(std::string_view text, Normalize& field) { return take(parse_normalize(text), field); }
bool parse(std::string_view text, LossKind& field) { return take(parse_loss(text), field); }
bool parse(std::string_view text, OptimizerConfig::Kind& field) {
  return take(parse_optimizer(text), field);
}
bool parse(std::string_view text, ScheduleConfig::Kind& field) {
  return take(parse_schedule(text), field);
}

/// A value as TOML on one line, for messages.
std::string to_text(const toml::node& node) {
  if (node.is_table()) {
    return "a table";
  }
  if (const toml::array* array = node.as_array()) {
    std::string text;
    for (const toml::node& element : *array) text += (text.empty() ? "" : ", ") + to_text(element);
    return "[" + text + "]";
  }
  if (const auto* number = node.as_floating_point()) {
    return fmt::format("{:#}", number->get());  // 1000.0 is no integer
  }
  std::ostringstream text;
  text << toml::toml_formatter(node, toml::format_flags::none);
  return text.str();
}

/// The tables of a run file under its overrides, and which of both a key's value comes from.
class Source {
 public:
  Source(std::string_view text, std::string_view name, std::span<const std::string> overrides)
      : name_(name) {
    expect_shallow_toml(text, name);
    try {
      root_ = toml::parse(text, name);
    } catch (const toml::parse_error& error) {
      throw InvalidArgument(fmt::format("{}:{}: expected TOML: {}", name, error.source().begin.line,
                                        error.description()));
    }
    expect_known(root_, "");
    for (const std::string& assignment : overrides) {
      set(assignment);
    }
  }

  const toml::node* find(std::string_view key) const { return root_.at_path(key).node(); }

  /// The value of an override as it was typed; null if the key has none.
  const std::string* typed(std::string_view key) const {
    const auto found = typed_.find(key);
    return found == typed_.end() ? nullptr : &found->second;
  }

  /// "vowels.toml: train.lr", to begin a message with.
  std::string where(std::string_view key) const {
    return fmt::format("{}: {}", typed(key) != nullptr ? "--set" : name_, key);
  }

 private:
  void expect_known(const toml::table& table, const std::string& prefix) const {
    for (const auto& [key, node] : table) {
      const std::string full = prefix + std::string(key.str());
      const bool quoted = key.str().find('.') != std::string_view::npos;  // "train.lr" = 1
      if (!quoted && is_known_key(full)) continue;
      const toml::table* inner = node.as_table();
      if (quoted || inner == nullptr || (inner->empty() && !is_known_table(full))) {
        throw_unknown_key(name_, full);
      }
      expect_known(*inner, full + ".");
    }
  }

  /// The table that holds `key`, made if there is none.
  toml::table& table_of(std::string_view key) {
    toml::table* table = &root_;
    for (auto dot = key.find('.'); dot != std::string_view::npos; dot = key.find('.')) {
      table = table->emplace<toml::table>(key.substr(0, dot)).first->second.as_table();
      key.remove_prefix(dot + 1);
    }
    return *table;
  }

  void set(const std::string& assignment) {
    const std::size_t equals = assignment.find('=');
    if (equals == std::string::npos) {
      throw InvalidArgument(fmt::format("--set: expected KEY=VALUE, found '{}'", assignment));
    }
    const std::string key = assignment.substr(0, equals);
    const std::string value = assignment.substr(equals + 1);
    if (!is_known_key(key)) throw_unknown_key("--set", key);
    toml::table& table = table_of(key);
    const std::string leaf = key.substr(key.rfind('.') + 1);
    expect_shallow_toml(value, "--set " + key);
    try {
      toml::table parsed = toml::parse("value = " + value);
      if (parsed.size() == 1) {
        table.insert_or_assign(leaf, std::move(parsed.begin()->second));
        typed_[key] = value;
        return;
      }
    } catch (const toml::parse_error&) {
      // No TOML: a string without its quotes.
    }
    table.insert_or_assign(leaf, value);
    typed_[key] = value;
  }

  std::string name_;
  toml::table root_;
  std::map<std::string, std::string, std::less<>> typed_;
};

/// Fills the fields of a config from a source.
class Reader {
 public:
  explicit Reader(const Source& source) : source_(source) {}

  template <typename Field>
  void operator()(std::string_view key, Field& field, const Rule& rule) const {
    const toml::node* node = source_.find(key);
    if (node != nullptr) {
      const Field before = field;
      if (!read(key, *node, rule, field)) {
        throw InvalidArgument(fmt::format("{}: expected {}, found {}", source_.where(key),
                                          rule.expected, to_text(*node)));
      }
      if (rule.only_with != nullptr && field != before) {
        throw InvalidArgument(fmt::format("{}: expected only with {}, found {}", source_.where(key),
                                          rule.only_with, to_text(*node)));
      }
    } else if (rule.required) {
      throw InvalidArgument(
          fmt::format("{}: expected {}, found no such key", source_.where(key), rule.expected));
    }
  }

 private:
  bool read(std::string_view key, const toml::node& node, const Rule&, std::string& field) const {
    if (const auto text = node.value_exact<std::string>()) {
      field = *text;
    } else if (const std::string* typed = source_.typed(key)) {
      field = *typed;  // --set output.dir=2024
    } else {
      return false;
    }
    return !field.empty() && field.find('\0') == std::string::npos;
  }

  static bool read(std::string_view, const toml::node& node, const Rule& rule, double& field) {
    const std::optional<double> number = node.value<double>();  // none for 2^53 + 1
    field = number.value_or(0);
    return node.is_number() && number && std::isfinite(field) && field >= rule.least &&
           field < rule.below;
  }

  static bool read(std::string_view, const toml::node& node, const Rule& rule,
                   std::int64_t& field) {
    if (!node.is_integer()) {
      return false;
    }
    field = *node.value<std::int64_t>();
    const auto number = static_cast<double>(field);
    return number >= rule.least && number < rule.below;
  }

  static bool read(std::string_view, const toml::node& node, const Rule&, bool& field) {
    field = node.value_exact<bool>().value_or(false);
    return node.is_boolean();
  }

  template <typename Enum>
  requires std::is_enum_v<Enum>
  static bool read(std::string_view, const toml::node& node, const Rule&, Enum& field) {
    return parse(node.value_exact<std::string>().value_or(""), field);
  }

  bool read(std::string_view key, const toml::node& node, const Rule& rule,
            std::array<double, 2>& field) const {
    const toml::array* numbers = node.as_array();
    return numbers != nullptr && numbers->size() == field.size() &&
           read(key, (*numbers)[0], rule, field[0]) && read(key, (*numbers)[1], rule, field[1]);
  }

  static bool read(std::string_view, const toml::node& node, const Rule&,
                   std::vector<std::string>& field) {
    const toml::array* names = node.as_array();
    if (names == nullptr || names->empty()) return false;
    field.clear();
    for (const toml::node& name : *names) {
      if (!name.is_string()) return false;
      field.push_back(*name.value<std::string>());
      if (field.back().find('\0') != std::string::npos) return false;
    }
    return true;
  }

  bool read(std::string_view key, const toml::node& node, const Rule& rule,
            RunConfig::Paths& field) const {
    field.names.assign(1, "");
    return node.is_array() ? read(key, node, rule, field.names)
                           : read(key, node, rule, field.names.front());
  }

  bool read(std::string_view key, const toml::node& node, const Rule& rule,
            std::vector<float>& field) const {
    const toml::array* numbers = node.as_array();
    if (numbers == nullptr) return false;
    field.clear();
    for (const toml::node& element : *numbers) {
      double number = 0;
      if (!read(key, element, rule, number)) return false;
      field.push_back(static_cast<float>(number));
    }
    return !field.empty();
  }

  bool read(std::string_view key, const toml::node& node, const Rule& rule,
            RunConfig::ClassWeights& field) const {
    field = {};
    field.balanced = node.value_exact<std::string>() == "balanced";
    return field.balanced || read(key, node, rule, field.values);
  }

  template <typename Field>
  bool read(std::string_view key, const toml::node& node, const Rule& rule,
            std::optional<Field>& field) const {
    return read(key, node, rule, field.emplace());
  }

  const Source& source_;
};

}  // namespace

RunConfig parse_run_config(std::string_view text, std::string_view name,
                           std::span<const std::string> overrides) {
  const Source source(text, name, overrides);
  const Reader reader(source);
  RunConfig config;
  reader("train.optimizer", config.train.optimizer.kind, kOptimizer);
  config.train.optimizer = pytorch_defaults(config.train.optimizer.kind);
  visit_keys(config, reader);
  return config;
}

RunConfig read_run_config(const std::filesystem::path& path,
                          std::span<const std::string> overrides) {
  errno = 0;
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  if (!file || !text) {
    throw FileError(fmt::format("{}: cannot read the run file: {}", path.string(),
                                std::generic_category().message(errno)));
  }
  return parse_run_config(text.str(), path.string(), overrides);
}

}  // namespace quadgate::apps
