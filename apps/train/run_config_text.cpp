#include <fmt/format.h>
#include <toml++/toml.h>

#include <algorithm>
#include <array>
#include <iterator>
#include <map>
#include <sstream>
#include <type_traits>
#include <utility>

#include "apps/train/run_config.h"
#include "apps/train/run_config_keys.h"
#include "engine/base/error.h"

namespace quadgate::apps {
namespace {

/// The keys that a resumed run may change.
constexpr std::string_view kFreeKeys[] = {"data.path",
                                          "train.checkpoint_every_minutes",
                                          "train.checkpoint_every_steps",
                                          "train.early_stopping_patience",
                                          "train.epochs",
                                          "train.threads",
                                          "output.dir"};

/// Collects every key that has a value, and the value as TOML.
class Writer {
 public:
  template <typename Field>
  void operator()(std::string_view key, const Field& field, const Rule& rule) {
    if (rule.only_with == nullptr) {
      add(key, field);
    }
  }

  std::vector<std::pair<std::string_view, std::string>> values;

 private:
  template <typename Field>
  void add(std::string_view key, const Field& field) {
    if (const std::string text = write(field); !text.empty()) {
      values.emplace_back(key, text);
    }
  }

  static std::string write(const std::string& field) {
    std::ostringstream text;
    if (!field.empty()) {
      text << toml::toml_formatter(toml::value<std::string>(field), toml::format_flags::none);
    }
    return text.str();
  }
  static std::string write(bool field) { return field ? "true" : "false"; }
  static std::string write(std::int64_t field) { return fmt::format("{}", field); }
  static std::string write(double field) { return fmt::format("{}", field); }
  static std::string write(const std::array<double, 2>& field) {
    return fmt::format("[{}, {}]", field[0], field[1]);
  }
  template <typename Enum>
  requires std::is_enum_v<Enum>
  static std::string write(Enum field) { return fmt::format("\"{}\"", to_string(field)); }
  static std::string write(const std::vector<float>& field) {
    return field.empty() ? "" : fmt::format("[{}]", fmt::join(field, ", "));
  }
  static std::string write(const std::vector<std::string>& field) {
    std::string text;
    for (const std::string& name : field) {
      text += (text.empty() ? "[" : ", ") + write(name);
    }
    return text.empty() ? "" : text + "]";
  }
  static std::string write(const RunConfig::ClassWeights& field) {
    return field.balanced ? "\"balanced\"" : write(field.values);
  }
  static std::string write(const RunConfig::Paths& field) {
    return field.names.size() == 1 ? write(field.names.front()) : write(field.names);
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

}  // namespace

std::string to_toml(const RunConfig& config) {
  std::string text;
  std::string_view section;
  for (const auto& [key, value] : values_of(config)) {
    const std::size_t dot = key.rfind('.');
    if (key.substr(0, dot) != section) {
      text += fmt::format("{}[{}]\n", section.empty() ? "" : "\n", key.substr(0, dot));
      section = key.substr(0, dot);
    }
    text += fmt::format("{} = {}\n", key.substr(dot + 1), value);
  }
  return text;
}

void expect_same_run(const RunConfig& stored, const RunConfig& config) {
  const auto text_of = [](const RunConfig& run) {
    const auto values = values_of(run);
    return std::map<std::string_view, std::string>(values.begin(), values.end());
  };
  auto before = text_of(stored);
  auto now = text_of(config);
  visit_keys(config, [&](std::string_view key, const auto&, const auto&) {
    const auto* const free = std::find(std::begin(kFreeKeys), std::end(kFreeKeys), key);
    if (before[key] != now[key] && free == std::end(kFreeKeys)) {
      const auto shown = [](const std::string& value) { return value.empty() ? "none" : value; };
      throw InvalidArgument(fmt::format("{}: expected {} as in the run to resume, found {}", key,
                                        shown(before[key]), shown(now[key])));
    }
  });
}

}  // namespace quadgate::apps
