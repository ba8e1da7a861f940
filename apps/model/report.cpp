#include "apps/model/report.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <nlohmann/json.hpp>

#include "engine/base/error.h"
#include "engine/base/nan.h"

namespace quadgate::apps {
namespace {

using Json = nlohmann::ordered_json;

Json json_of(const ReportNumber& number) {
  if (const auto* count = std::get_if<std::int64_t>(&number)) return *count;
  if (const auto* value = std::get_if<double>(&number)) return *value;
  return nullptr;
}

void expect_new(const Json& object, const std::string& key) {
  if (!object.contains(key)) return;
  throw DataError(fmt::format("--json: expected names that differ, found '{}' twice", key));
}

std::string text_of(const ReportNumber& number) {
  if (const auto* count = std::get_if<std::int64_t>(&number)) return fmt::format("{}", *count);
  if (const auto* value = std::get_if<double>(&number))
    return fmt::format("{:.6g}", without_nan_sign(*value));
  return "-";
}

/// A row's numbers: an object, whose keys must differ, or but one of them.
Json json_of(const ReportTable& table, const ReportTable::Row& row) {
  if (table.columns == std::vector<std::string>{""}) return json_of(row.numbers.front());
  Json object = Json::object();
  for (std::size_t i = 0; i < table.columns.size(); ++i) {
    expect_new(object, table.columns[i]);
    object[table.columns[i]] = json_of(row.numbers[i]);
  }
  return object;
}

Json json_of(const ReportTable& table) {
  Json object = Json::object();
  for (const ReportTable::Row& row : table.rows) {
    Json* place = &object;
    for (const std::string& name : row.names) {
      if (&name == &row.names.back()) expect_new(*place, name);
      place = &(*place)[name];
    }
    *place = json_of(table, row);
  }
  return object;
}

/// A name on one line: a control character is escaped as in C.
std::string on_one_line(const std::string& name) {
  std::string text;
  for (const char c : name) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '\n') {
      text += "\\n";
    } else if (byte < 0x20 || byte == 0x7F) {
      text += fmt::format("\\x{:02x}", byte);
    } else {
      text += c;
    }
  }
  return text;
}

/// Steps of a terminal that a UTF-8 text takes, about.
std::size_t width_of(const std::string& text) {
  return static_cast<std::size_t>(std::ranges::count_if(
      text, [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

/// Lines of cells, the first `names` columns aligned to the left, the others to the right.
std::string aligned(const std::vector<std::vector<std::string>>& lines, std::size_t names) {
  std::vector<std::size_t> widths(lines.front().size());
  for (const auto& line : lines) {
    for (std::size_t i = 0; i < line.size(); ++i) {
      widths[i] = std::max(widths[i], width_of(line[i]));
    }
  }
  std::string text;
  for (const auto& line : lines) {
    std::string row;
    for (std::size_t i = 0; i < line.size(); ++i) {
      const std::string blanks(widths[i] - width_of(line[i]), ' ');
      row += (i > 0 ? "  " : "") + (i < names ? line[i] + blanks : blanks + line[i]);
    }
    row.erase(row.find_last_not_of(' ') + 1);
    text += row + "\n";
  }
  return text;
}

std::string text_of(const ReportTable& table) {
  std::vector<std::vector<std::string>> lines{table.of};
  std::ranges::transform(table.columns, std::back_inserter(lines.front()), on_one_line);
  for (const ReportTable::Row& row : table.rows) {
    std::vector<std::string>& line = lines.emplace_back();
    std::ranges::transform(row.names, std::back_inserter(line), on_one_line);
    for (const ReportNumber& number : row.numbers) line.push_back(text_of(number));
  }
  return aligned(lines, table.of.size());
}

}  // namespace

std::string to_json(const Report& report) {
  Json record = Json::object();
  for (const auto& [name, number] : report.numbers) record[name] = json_of(number);
  record[report.source.first] = report.source.second;
  for (const ReportTable& table : report.tables) record[table.key] = json_of(table);
  return record.dump(-1, ' ', false, Json::error_handler_t::replace);  // of names that are no UTF-8
}

std::string to_text(const Report& report) {
  std::size_t width = 10;
  for (const auto& [name, number] : report.numbers) width = std::max(width, name.size());
  std::string text;
  for (const auto& [name, number] : report.numbers) {
    text += fmt::format("{:<{}} {}\n", name, width, text_of(number));
  }
  for (const ReportTable& table : report.tables) {
    if (table.is_shown)
      text += "\n" + (table.title.empty() ? "" : table.title + "\n") + text_of(table);
  }
  return text;
}

}  // namespace quadgate::apps
