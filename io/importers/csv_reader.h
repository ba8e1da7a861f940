#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "io/importers/csv_record.h"
#include "io/importers/text.h"

namespace quadgate {

/// The records of a table in text, plain or gzipped, one after the other. Lines that begin with '#'
/// are comments; the last one in front of a table without names names its columns, if it has as
/// many fields. A first line "sep=;" names the delimiter.
class CsvReader {
 public:
  /// The first lines tell a delimiter that is not given. Throws FileError.
  CsvReader(const std::filesystem::path& path, std::optional<char> delimiter,
            const ImportOptions& options = {});

  char delimiter() const noexcept { return delimiter_; }
  /// The first records, at most a hundred: `next` gives them once more.
  std::vector<std::vector<std::string>> first_records() const;
  /// From here on '#' begins a value as all other characters do.
  void take_no_comments() noexcept { has_comments_ = false; }
  /// Reads the next record. False after the last. Throws FileError.
  bool next();
  /// The record's fields, valid until `next`.
  const std::vector<std::string_view>& fields() const noexcept { return record_->fields(); }
  /// The line in which the record ends, from 1.
  std::int64_t line() const noexcept { return line_; }
  /// How many lines were comments so far.
  std::int64_t comments() const noexcept { return comments_; }
  /// "a.csv:17", to begin an error message with.
  std::string where() const;

 private:
  bool is_comment(std::string_view line) const;
  void uncomment_names();
  bool next_line(std::string_view& line);

  TextReader text_;
  std::vector<std::string> first_lines_;  // read ahead to tell the delimiter
  std::size_t next_first_line_ = 0;
  char delimiter_ = ',';
  std::optional<CsvRecord> record_;
  bool has_comments_ = true;
  std::int64_t comments_ = 0;
  std::int64_t line_ = 0;
};

}  // namespace quadgate
