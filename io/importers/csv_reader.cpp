#include "io/importers/csv_reader.h"

#include <fmt/format.h>

#include <algorithm>

#include "engine/base/error.h"
#include "io/importers/csv_dialect.h"

namespace quadgate {

CsvReader::CsvReader(const std::filesystem::path& path, std::optional<char> delimiter,
                     const ImportOptions& options, std::size_t enough)
    : text_(path, options), given_delimiter_(delimiter) {
  for (std::string_view line; is_learning() && text_.line(line);) {
    learn(line);
    if (of_records_.size() >= enough && text_.at_pause()) break;
  }
  if (!of_records_.empty() && delimiter_of_sep_line(of_records_.front()) != '\0') {
    while (first_lines_[next_first_line_] != of_records_.front()) ++next_first_line_;
    named_lines_ = ++next_first_line_;
    line_ = static_cast<std::int64_t>(named_lines_);
  }
  delimiter_ = told_delimiter();
  record_.emplace(delimiter_);
  uncomment_names();
}

bool CsvReader::is_learning() const noexcept {
  constexpr std::size_t kFirstBytes = std::size_t{1} << 20;
  return of_records_.size() < kFirstRecords && record_bytes_ < kFirstBytes &&
         first_bytes_ < TextReader::kMaxLine;
}

void CsvReader::learn(std::string_view line) {
  first_lines_.emplace_back(line);
  first_bytes_ += line.size() + 1;
  if (is_comment(line) || trim(line).empty()) return;
  of_records_.emplace_back(line);
  record_bytes_ += line.size();
}

char CsvReader::told_delimiter() const {
  const char named = of_records_.empty() ? '\0' : delimiter_of_sep_line(of_records_.front());
  return given_delimiter_.value_or(named != '\0' ? named : detect_delimiter(of_records_));
}

// As in "# a,b" in front of "1,2", which numpy.savetxt writes.
void CsvReader::uncomment_names() {
  std::size_t first = next_first_line_;
  std::size_t names = first_lines_.size();
  for (; first < first_lines_.size(); ++first) {
    if (is_comment(first_lines_[first])) names = first;
    if (!is_comment(first_lines_[first]) && !trim(first_lines_[first]).empty()) break;
  }
  if (first == first_lines_.size() || names == first_lines_.size()) return;
  CsvRecord values(delimiter_);
  CsvRecord comment(delimiter_);
  const std::string uncommented = first_lines_[names].substr(1);
  const bool are_names = values.add_line(first_lines_[first]) && comment.add_line(uncommented) &&
                         values.fields().size() > 1 &&
                         comment.fields().size() == values.fields().size() &&
                         std::ranges::all_of(values.fields(), is_value) &&
                         std::ranges::none_of(comment.fields(), is_value);
  if (are_names) first_lines_[names] = uncommented;
}

std::vector<std::vector<std::string>> CsvReader::first_records() const {
  std::vector<std::vector<std::string>> records;
  CsvRecord record(delimiter_);
  for (std::size_t i = named_lines_; i < first_lines_.size(); ++i) {
    if (!record.is_open() && is_comment(first_lines_[i])) continue;
    if (!record.add_line(first_lines_[i])) continue;
    records.emplace_back(record.fields().begin(), record.fields().end());
  }
  return records;
}

bool CsvReader::is_comment(std::string_view line) const {
  return has_comments_ && line.starts_with('#');
}

bool CsvReader::next_line(std::string_view& line) {
  if (next_first_line_ < first_lines_.size()) {
    line = first_lines_[next_first_line_++];
    return true;
  }
  if (!text_.line(line)) return false;
  if (is_learning()) {
    learn(line);
    next_first_line_ = first_lines_.size();
  }
  return true;
}

bool CsvReader::next() {
  std::size_t size = 0;
  for (std::string_view line; next_line(line);) {
    ++line_;
    if (!record_->is_open() && is_comment(line)) {
      ++comments_;
      continue;
    }
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
