#pragma once

#include <initializer_list>
#include <string>

namespace quadgate::apps {

/// A row of a table of an HTML page.
std::string table_row(std::initializer_list<std::string> cells);
/// A table with `head`, a cell each in <th>, and rows.
std::string table(const char* head, const std::string& rows);

/// Four digits: as they are, and of seconds.
std::string number(double value);
std::string milliseconds(double seconds);
std::string microseconds(double seconds);

}  // namespace quadgate::apps
