#include "apps/bench/section_table.h"

#include <fmt/format.h>

namespace quadgate::apps {

std::string table_row(std::initializer_list<std::string> cells) {
  std::string row = "<tr>";
  for (const std::string& text : cells) row += fmt::format("<td>{}</td>", text);
  return row + "</tr>\n";
}

std::string table(const char* head, const std::string& rows) {
  return fmt::format("<table>\n<thead><tr>{}</tr></thead>\n<tbody>\n{}</tbody>\n</table>\n", head,
                     rows);
}

std::string number(double value) { return fmt::format("{:.4g}", value); }
std::string milliseconds(double seconds) { return number(seconds * 1e3); }
std::string microseconds(double seconds) { return number(seconds * 1e6); }

}  // namespace quadgate::apps
