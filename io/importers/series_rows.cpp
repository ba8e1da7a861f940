#include "io/importers/series_rows.h"

#include <utility>

namespace quadgate {
namespace {

constexpr std::size_t kMostValues = 1 << 16;  // written at a time

}  // namespace

void SeriesRows::append(std::size_t series, std::span<const double> row) {
  if (series != 0 && series_.size() == 0) {
    for (std::int64_t rows = x_.size() / std::ssize(row); rows > 0; --rows) series_.push_back(0);
  }
  x_.append(row);
  if (series != 0 || series_.size() > 0) series_.push_back(static_cast<std::int64_t>(series));
}

SpooledFloats SeriesRows::take(std::span<const SeriesPart> parts, std::size_t columns) {
  if (series_.size() == 0) return std::move(x_);
  std::vector<std::int64_t> next;  // row of each series
  std::int64_t begin = 0;
  for (const SeriesPart& part : parts) {
    next.push_back(begin);
    begin += part.size();
  }
  SpooledFloats sorted(spool_);
  SpooledFloats::Reader x(x_);
  SpooledIntegers::Reader numbers(series_);
  std::vector<double> row(columns);
  std::vector<double> rows;  // of one series that follow each other: one write
  std::size_t series = 0;
  const auto write = [&] {
    if (rows.empty()) return;
    sorted.write(next[series] * std::ssize(row), rows);
    next[series] += std::ssize(rows) / std::ssize(row);
    rows.clear();
  };
  for (std::int64_t i = 0; i < series_.size(); ++i) {
    const auto number = static_cast<std::size_t>(numbers.next());
    if (number != series || rows.size() >= kMostValues) write();
    series = number;
    x.read(row);
    rows.insert(rows.end(), row.begin(), row.end());
  }
  write();
  return sorted;
}

SpooledFloats SeriesRows::take_but_keep(std::int64_t kept, std::size_t columns) {
  SpooledFloats last(spool_);
  SpooledFloats::Reader x(x_);
  x.skip(x_.size() - kept * static_cast<std::int64_t>(columns));
  std::vector<double> row(columns);
  for (; kept > 0; --kept) {
    x.read(row);
    last.append(row);
  }
  return std::exchange(x_, std::move(last));
}

}  // namespace quadgate
