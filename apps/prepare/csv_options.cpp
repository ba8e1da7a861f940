#include "apps/prepare/csv_options.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "engine/base/error.h"
#include "io/data/calendar.h"
#include "io/data/covariates.h"

namespace quadgate::apps {
namespace {

std::vector<std::string> calendar_of(const std::string& list) {
  std::vector<std::string> parts;
  if (list.empty()) return parts;
  for (std::string& part : split_names(list)) {
    if (!is_calendar_part(part) || std::ranges::find(parts, part) != parts.end()) {
      throw InvalidArgument(fmt::format("--calendar: expected some of {}, each once, found '{}'",
                                        fmt::join(calendar_parts(), ", "), list));
    }
    parts.push_back(std::move(part));
  }
  return parts;
}

std::vector<std::string> names_of(const std::vector<std::string>& lists) {
  std::vector<std::string> names;
  for (const std::string& list : lists) {
    for (std::string& name : split_names(list)) names.push_back(std::move(name));
  }
  return names;
}

std::optional<char> delimiter_of(const std::string& text) {
  if (text.empty()) return {};
  if (text == "tab") return '\t';
  if (text.size() == 1) return text[0];
  throw InvalidArgument(
      fmt::format("--delimiter: expected one character or tab, found '{}'", text));
}

std::optional<char> decimal_of(const std::string& text) {
  if (text.empty()) return {};
  return text[0];
}

std::optional<DateOrder> date_order_of(const std::string& text) {
  if (text.empty()) return {};
  return text == "day-first" ? DateOrder::day_first : DateOrder::month_first;
}

/// Fills in how the data of `known` were read.
void follow_data(const DataDescription& known, CsvOptions& options) {
  options.columns.features = known.feature_names;
  options.columns.are_known = true;
  options.columns.known = known.known_names;
  if (!known.recipe) return;
  const Recipe& recipe = *known.recipe;
  for (const std::string& name : added_names(recipe)) std::erase(options.columns.features, name);
  options.calendar = recipe.calendar;
  options.has_step = recipe.step.is_known();
  if (recipe.other_steps == 0) options.future_step = recipe.step;
  options.statics = recipe.statics;
  for (const StaticColumn& column : recipe.statics) options.columns.statics.push_back(column.name);
  options.usual_decimal = decimal_of(recipe.decimal);
  options.usual_date_order = date_order_of(recipe.date_order);
}

}  // namespace

CsvOptions csv_options(const PrepareJob& job) {
  const PrepareArguments& arguments = job.arguments;
  // Without its type, gcc 12 destroys `columns` twice when what follows it throws.
  CsvOptions options{
      .columns = CsvColumnOptions{.features = names_of(arguments.columns),
                                  .time = arguments.time,
                                  .group = arguments.group,
                                  .statics = names_of(arguments.statics),
                                  .known = names_of(arguments.known)},
      .delimiter = delimiter_of(arguments.delimiter),
      .decimal = decimal_of(arguments.decimal),
      .missing = job.policy(),
      .valid_from = arguments.valid_from,
      .test_from = arguments.test_from,
      .date_order = date_order_of(arguments.date_order),
      .resample = arguments.resample,
      .calendar = calendar_of(arguments.calendar),
  };
  if (job.known != nullptr) follow_data(job.known->data, options);
  return options;
}

}  // namespace quadgate::apps
