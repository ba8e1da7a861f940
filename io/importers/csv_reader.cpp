#include "io/importers/csv_reader.h"

#include <fmt/format.h>

#include "engine/base/error.h"

namespace quadgate {

CsvReader::CsvReader(const std::filesystem::path& path, std::optional<char> delimiter,
                     std::optional<char> decimal, const ImportOptions& options)
    : text_(path, options) {
  constexpr std::size_t kFirstLines = 100;
  std::string sample;
  for (std::string_view line; first_lines_.size() < kFirstLines &&
                              sample.size() < TextReader::kMaxLine && text_.line(line);) {
    first_lines_.emplace_back(line);
    sample.append(line) += '\n';
  }
  dialect_ = detect_csv_dialect(sample, delimiter);
  if (decimal) dialect_.decimal = *decimal;
  record_.emplace(dialect_.delimiter);
}

bool CsvReader::next_line(std::string_view& line) {
  if (next_first_line_ == first_lines_.size()) return text_.line(line);
  line = first_lines_[next_first_line_++];
  return true;
}

bool CsvReader::next() {
  std::size_t size = 0;
  for (std::string_view line; next_line(line);) {
    ++line_;
    size = record_->is_open() ? size + 1 + line.size() : line.size();
    if (size > TextReader::kMaxLine) {
      throw FileError(fmt::format("{}: expected a record of at most {} bytes, found a longer one",
                                  where(), TextReader::kMaxLine));
    }
    if (record_->add_line(line)) return true;
  }
  if (record_->is_open()) {
    throw FileError(where() + ": expected a quote at the end of the last field, found none");
  }
  return false;
}

std::string CsvReader::where() const { return fmt::format("{}:{}", text_.path().string(), line_); }

}  // namespace quadgate
