#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "io/importers/csv_dialect.h"
#include "io/importers/csv_record.h"
#include "io/importers/text.h"

namespace quadgate {

/// The records of a table in text, plain or gzipped, one after the other.
class CsvReader {
 public:
  /// The first lines tell a delimiter or decimal sign that is not given. Throws FileError.
  CsvReader(const std::filesystem::path& path, std::optional<char> delimiter,
            std::optional<char> decimal, const ImportOptions& options = {});

  const CsvDialect& dialect() const noexcept { return dialect_; }
  /// Reads the next record. False after the last. Throws FileError.
  bool next();
  /// The record's fields, valid until `next`.
  const std::vector<std::string_view>& fields() const noexcept { return record_->fields(); }
  /// The line in which the record ends, from 1.
  std::int64_t line() const noexcept { return line_; }
  /// "a.csv:17", to begin an error message with.
  std::string where() const;

 private:
  bool next_line(std::string_view& line);

  TextReader text_;
  std::vector<std::string> first_lines_;  // read ahead to tell the dialect
  std::size_t next_first_line_ = 0;
  CsvDialect dialect_;
  std::optional<CsvRecord> record_;
  std::int64_t line_ = 0;
};

}  // namespace quadgate
