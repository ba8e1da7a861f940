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
  /// The first lines of this many records are read ahead.
  static constexpr std::size_t kFirstRecords = 100;

  /// The first lines tell a delimiter that is not given. Of a table that is read in pieces they are
  /// those that have come, if they hold `enough` records. Throws FileError.
  CsvReader(const std::filesystem::path& path, std::optional<char> delimiter,
            const ImportOptions& options = {}, std::size_t enough = kFirstRecords);

  char delimiter() const noexcept { return delimiter_; }
  /// What the first lines that have come by now tell.
  char told_delimiter() const;
  /// See TextReader.
  bool at_pause() { return next_first_line_ == first_lines_.size() && text_.at_pause(); }
  /// How many of the first lines have come by now.
  std::size_t first_lines() const noexcept { return first_lines_.size(); }
  /// The first records, at most a hundred, whether `next` has given them or not.
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
  bool is_learning() const noexcept;
  void learn(std::string_view line);
  void uncomment_names();
  bool next_line(std::string_view& line);

  TextReader text_;
  std::optional<char> given_delimiter_;
  std::vector<std::string> first_lines_;  // read ahead to tell the delimiter
  std::vector<std::string> of_records_;   // those of them that are no comments
  std::size_t record_bytes_ = 0;
  std::size_t first_bytes_ = 0;  // with comments
  std::size_t named_lines_ = 0;  // in front of the records, the last of which names the delimiter
  std::size_t next_first_line_ = 0;
  char delimiter_ = ',';
  std::optional<CsvRecord> record_;
  bool has_comments_ = true;
  std::int64_t comments_ = 0;
  std::int64_t line_ = 0;
};

}  // namespace quadgate
