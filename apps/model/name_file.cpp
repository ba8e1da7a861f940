#include "apps/model/name_file.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <string_view>

#include "engine/base/error.h"
#include "io/importers/text.h"
#include "io/importers/utf8.h"

namespace quadgate::apps {
namespace {

std::vector<std::string> read_json_names(const std::filesystem::path& path) {
  using nlohmann::json;
  const auto fail = [&](const std::string& where) {
    throw FileError(fmt::format(
        "{}: expected a list of names, or an object with their numbers, 0 to the last, found "
        "another value{}",
        path.string(), where));
  };
  const json all = json::parse(read_utf8(path), nullptr, false);
  if (!all.is_structured()) fail("");
  std::vector<std::string> names(all.size());
  std::vector<bool> is_known(all.size(), false);
  for (const auto& [key, value] : all.items()) {  // of a list, the keys are its indices
    const json& number = all.is_array() ? json(std::stoul(key)) : value;
    const json& name = all.is_array() ? value : json(key);
    const auto place = number.is_number_unsigned() ? number.get<std::size_t>() : names.size();
    if (!name.is_string() || place >= names.size() || is_known[place]) fail(" at '" + key + "'");
    is_known[place] = true;
    names[place] = name.get<std::string>();
  }
  return names;
}

}  // namespace

std::vector<std::string> read_names(const std::filesystem::path& path) {
  if (path.empty()) return {};
  if (path.extension() == ".json") return read_json_names(path);
  std::vector<std::string> names;
  const std::string text = read_utf8(path);
  std::string_view rest = text;
  while (!rest.empty()) {
    std::string_view line = cut(rest, '\n');
    if (line.ends_with('\r')) line.remove_suffix(1);
    names.emplace_back(line);
  }
  return names;
}

}  // namespace quadgate::apps
