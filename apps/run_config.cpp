#include "apps/run_config.h"

#include <fmt/format.h>
#include <toml++/toml.h>

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <fstream>
#include <limits>
#include <map>
#include <numeric>
#include <sstream>
#include <system_error>
#include <type_traits>
#include <utility>

#include "engine/error.h"

namespace quadgate::apps {
namespace {

/// What a key accepts, in words and as limits.
struct Rule {
  const char* expected;
  double least = -std::numeric_limits<double>::infinity();
  double below = std::numeric_limits<double>::infinity();
  bool required = false;

  constexpr Rule must() const {
    Rule rule = *this;
    rule.required = true;
    return rule;
  }
};

constexpr Rule kPath{"a path"};
constexpr Rule kNames{"an array of column names"};
constexpr Rule kFlag{"true or false"};
constexpr Rule kCount{"an integer, at least 1", 1};
constexpr Rule kThreads{"an integer from 1 to 1024", 1, 1025};
constexpr Rule kSeed{"an integer, at least 0", 0};
constexpr Rule kNonNegative{"a finite number, at least 0", 0};
constexpr Rule kPositive{"a finite number above 0", std::numeric_limits<double>::denorm_min()};
constexpr Rule kFraction{"a number, at least 0 and below 1", 0, 1};
constexpr Rule kOptimizer{R"("sgd", "adam" or "adamw")"};

/// The one value that this version knows of a key with more in store.
struct Only {
  const char* value;
};

/// Calls visit(key, field, rule) for every key of a run file, in the order in which it is written.
template <typename Config, typename Visitor>
void visit_keys(Config& config, Visitor&& visit) {
  visit("data.path", config.data.path, kPath.must());
  visit("data.input_len", config.data.input_len, kCount);
  visit("data.horizon", config.data.horizon, kCount);
  visit("data.stride", config.data.stride, kCount);
  visit("data.targets", config.data.targets, kNames);
  visit("model.cell", config.model.cell, Only{"lstm"});
  visit("model.hidden_size", config.model.hidden_size, kCount.must());
  visit("model.num_layers", config.model.num_layers, kCount);
  visit("model.bidirectional", config.model.bidirectional, kFlag);
  visit("model.dropout", config.model.dropout, kFraction);
  visit("model.init", config.model.init, kPath);
  visit("model.precision", config.model.precision, Only{"f32"});
  visit("model.pooling", config.model.pooling, Only{"last"});
  visit("train.epochs", config.train.epochs, kCount.must());
  visit("train.batch_size", config.train.batch_size, kCount);
  visit("train.optimizer", config.train.optimizer.kind, kOptimizer);
  visit("train.lr", config.train.optimizer.lr, kNonNegative);
  visit("train.momentum", config.train.optimizer.momentum, kNonNegative);
  visit("train.weight_decay", config.train.optimizer.weight_decay, kNonNegative);
  visit("train.clip_norm", config.train.optimizer.clip_norm, kPositive);
  visit("train.shuffle", config.train.shuffle, kFlag);
  visit("train.seed", config.train.seed, kSeed);
  visit("train.threads", config.train.threads, kThreads);
  visit("train.checkpoint_every_steps", config.train.checkpoint_every_steps, kCount);
  visit("train.checkpoint_every_minutes", config.train.checkpoint_every_minutes, kPositive);
  visit("output.dir", config.output_dir, kPath.must());
}

/// The keys that a resumed run may change.
constexpr std::string_view kFreeKeys[] = {"data.path",
                                          "train.checkpoint_every_minutes",
                                          "train.checkpoint_every_steps",
                                          "train.epochs",
                                          "train.threads",
                                          "output.dir"};

std::vector<std::string_view> known_keys() {
  std::vector<std::string_view> keys;
  RunConfig config;
  visit_keys(config, [&](std::string_view key, const auto&, const auto&) { keys.push_back(key); });
  return keys;
}

constexpr std::pair<std::string_view, OptimizerConfig::Kind> kOptimizers[] = {
    {"sgd", OptimizerConfig::Kind::sgd},
    {"adam", OptimizerConfig::Kind::adam},
    {"adamw", OptimizerConfig::Kind::adamw}};

/// A value as TOML on one line, for files and messages.
std::string to_text(const toml::node& node) {
  if (node.is_table()) {
    return "a table";
  }
  if (node.is_array()) {
    return "an array";
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
    try {
      root_ = toml::parse(text, name);
    } catch (const toml::parse_error& error) {
      throw InvalidArgument(fmt::format("{}:{}: expected TOML: {}", name, error.source().begin.line,
                                        error.description()));
    }
    expect_known(root_, "", 1);
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
  static void throw_unknown(std::string_view where, std::string_view key) {
    const std::vector<std::string_view> known = known_keys();
    // A key in the wrong table, or in none, is nearest to its namesake.
    const std::string_view leaf = key.substr(key.find_last_of('.') + 1);
    const auto namesake = std::find_if(known.begin(), known.end(), [&](std::string_view other) {
      return other.substr(other.find('.') + 1) == leaf;
    });
    throw InvalidArgument(fmt::format("{}: unknown key '{}', the nearest known one is '{}'", where,
                                      key,
                                      namesake != known.end() ? *namesake : nearest(key, known)));
  }

  /// Known keys are all "table.key", two levels deep.
  void expect_known(const toml::table& table, const std::string& prefix, int level) const {
    for (const auto& [key, node] : table) {
      const std::string full = prefix + std::string(key.str());
      const std::vector<std::string_view> known = known_keys();
      if (level == 2 && std::find(known.begin(), known.end(), full) != known.end()) {
        continue;
      }
      const toml::table* inner = node.as_table();
      const bool is_section =
          level == 1 && std::any_of(known.begin(), known.end(), [&](std::string_view other) {
            return other.substr(0, other.find('.')) == full;
          });
      if (inner == nullptr || (inner->empty() && !is_section)) {
        throw_unknown(name_, full);
      }
      expect_known(*inner, full + ".", level + 1);
    }
  }

  void set(const std::string& assignment) {
    const std::size_t equals = assignment.find('=');
    if (equals == std::string::npos) {
      throw InvalidArgument(fmt::format("--set: expected KEY=VALUE, found '{}'", assignment));
    }
    const std::string key = assignment.substr(0, equals);
    const std::string value = assignment.substr(equals + 1);
    const std::vector<std::string_view> known = known_keys();
    if (std::find(known.begin(), known.end(), key) == known.end()) {
      throw_unknown("--set", key);
    }
    const std::string section = key.substr(0, key.find('.'));
    toml::table& table = *root_.emplace<toml::table>(section).first->second.as_table();
    const std::string leaf = key.substr(section.size() + 1);
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
      if (!read(key, *node, rule, field)) {
        throw InvalidArgument(fmt::format("{}: expected {}, found {}", source_.where(key),
                                          rule.expected, to_text(*node)));
      }
    } else if (rule.required) {
      throw InvalidArgument(
          fmt::format("{}: expected {}, found no such key", source_.where(key), rule.expected));
    }
  }

  void operator()(std::string_view key, std::string& field, const Only& only) const {
    const toml::node* node = source_.find(key);
    const Rule rule{only.value};
    if (node != nullptr && (!read(key, *node, rule, field) || field != only.value)) {
      throw InvalidArgument(fmt::format("{}: this version trains \"{}\", found {}",
                                        source_.where(key), only.value, to_text(*node)));
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
    return !field.empty();
  }

  static bool read(std::string_view, const toml::node& node, const Rule& rule, double& field) {
    if (!node.is_number()) {
      return false;
    }
    field = *node.value<double>();
    return std::isfinite(field) && field >= rule.least && field < rule.below;
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

  static bool read(std::string_view, const toml::node& node, const Rule&,
                   OptimizerConfig::Kind& field) {
    const std::string text = node.value_exact<std::string>().value_or("");
    for (const auto& [name, kind] : kOptimizers) {
      if (name == text) {
        field = kind;
        return true;
      }
    }
    return false;
  }

  static bool read(std::string_view, const toml::node& node, const Rule&,
                   std::vector<std::string>& field) {
    const toml::array* names = node.as_array();
    if (names == nullptr || names->empty()) {
      return false;
    }
    field.clear();
    for (const toml::node& name : *names) {
      if (!name.is_string()) {
        return false;
      }
      field.push_back(*name.value<std::string>());
    }
    return true;
  }

  template <typename Field>
  bool read(std::string_view key, const toml::node& node, const Rule& rule,
            std::optional<Field>& field) const {
    return read(key, node, rule, field.emplace());
  }

  const Source& source_;
};

/// Collects every key that has a value, and the value as TOML.
class Writer {
 public:
  template <typename Field, typename Expected>
  void operator()(std::string_view key, const Field& field, const Expected&) {
    if (const std::string text = write(field); !text.empty()) {
      values.emplace_back(key, text);
    }
  }

  std::vector<std::pair<std::string_view, std::string>> values;

 private:
  static std::string write(const std::string& field) {
    return field.empty() ? "" : to_text(toml::value<std::string>(field));
  }
  static std::string write(bool field) { return field ? "true" : "false"; }
  static std::string write(std::int64_t field) { return fmt::format("{}", field); }
  static std::string write(double field) { return fmt::format("{}", field); }
  static std::string write(OptimizerConfig::Kind field) {
    for (const auto& [name, kind] : kOptimizers) {
      if (kind == field) {
        return fmt::format("\"{}\"", name);
      }
    }
    return "";
  }
  static std::string write(const std::vector<std::string>& field) {
    std::string text;
    for (const std::string& name : field) {
      text += (text.empty() ? "[" : ", ") + write(name);
    }
    return text.empty() ? "" : text + "]";
  }
  template <typename Field>
  static std::string write(const std::optional<Field>& field) {
    return field ? write(*field) : "";
  }
};

std::vector<std::pair<std::string_view, std::string>> values_of(const RunConfig& config) {
  Writer writer;
  visit_keys(config, writer);
  return writer.values;
}

std::size_t levenshtein(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = std::exchange(row[0], i);
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t changed = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, changed});
    }
  }
  return row.back();
}

}  // namespace

std::string_view nearest(std::string_view word, std::span<const std::string_view> candidates) {
  const auto best = std::min_element(
      candidates.begin(), candidates.end(),
      [&](const auto& a, const auto& b) { return levenshtein(word, a) < levenshtein(word, b); });
  return best == candidates.end() ? "" : *best;
}

std::optional<Window> RunConfig::window() const {
  if (!data.input_len && !data.horizon && !data.stride && data.targets.empty()) {
    return {};
  }
  if (!data.input_len || !data.horizon) {
    throw InvalidArgument(fmt::format("data.{}: expected an integer, at least 1, for a forecast",
                                      data.input_len ? "horizon" : "input_len"));
  }
  return Window{*data.input_len, *data.horizon, data.stride.value_or(1), data.targets};
}

RunConfig parse_run_config(std::string_view text, std::string_view name,
                           std::span<const std::string> overrides) {
  const Source source(text, name, overrides);
  RunConfig config;
  visit_keys(config, Reader(source));
  const OptimizerConfig& optimizer = config.train.optimizer;
  if (optimizer.momentum != 0 && optimizer.kind != OptimizerConfig::Kind::sgd) {
    throw InvalidArgument(fmt::format("{}: expected only with optimizer \"sgd\", found {}",
                                      source.where("train.momentum"), optimizer.momentum));
  }
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

std::string to_toml(const RunConfig& config) {
  std::string text;
  std::string_view section;
  for (const auto& [key, value] : values_of(config)) {
    const std::size_t dot = key.find('.');
    if (key.substr(0, dot) != section) {
      text += fmt::format("{}[{}]\n", section.empty() ? "" : "\n", key.substr(0, dot));
      section = key.substr(0, dot);
    }
    text += fmt::format("{} = {}\n", key.substr(dot + 1), value);
  }
  return text;
}

void expect_same_run(const RunConfig& stored, const RunConfig& config) {
  std::map<std::string_view, std::pair<std::string, std::string>> both;
  for (const auto& [key, value] : values_of(stored)) {
    both[key].first = value;
  }
  for (const auto& [key, value] : values_of(config)) {
    both[key].second = value;
  }
  for (const auto& [key, values] : both) {
    const auto& [before, now] = values;
    const auto* const free = std::find(std::begin(kFreeKeys), std::end(kFreeKeys), key);
    if (before != now && free == std::end(kFreeKeys)) {
      const auto shown = [](const std::string& value) { return value.empty() ? "none" : value; };
      throw InvalidArgument(fmt::format("{}: expected {} as in the run to resume, found {}", key,
                                        shown(before), shown(now)));
    }
  }
}

}  // namespace quadgate::apps
