#include "io/importers/csv_look.h"

#include <cstddef>

namespace quadgate {

CsvNumbers numbers_of(CsvRecords first, const CsvColumns& columns, const CsvOptions& options,
                      char delimiter) {
  CsvNumbers numbers(delimiter, options.decimal, columns.names.size() == 1);
  for (const auto& record : first.subspan(columns.has_header ? 1 : 0)) {
    if (record.size() != columns.names.size()) continue;
    for (const std::size_t i : columns.features) numbers.learn(record[i]);
  }
  numbers.assume(options.usual_decimal);
  return numbers;
}

std::vector<std::string_view> time_values(CsvRecords first, const CsvColumns& columns) {
  std::vector<std::string_view> values;
  for (const auto& record : first.subspan(columns.has_header ? 1 : 0)) {
    if (*columns.time < record.size()) values.push_back(record[*columns.time]);
  }
  return values;
}

TimeFormat times_of(CsvRecords first, const CsvColumns& columns, const CsvOptions& options) {
  const auto values = time_values(first, columns);
  TimeFormat format(values, options.date_order);
  return format.is_ambiguous() ? TimeFormat(values, options.usual_date_order) : format;
}

}  // namespace quadgate
