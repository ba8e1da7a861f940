#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace quadgate {

/// Cuts records of separated values into fields (RFC 4180): a field in double quotes may hold the
/// delimiter, ends of lines, and quotes written twice. Blanks around a field go.
class CsvRecord {
 public:
  explicit CsvRecord(char delimiter);
  ~CsvRecord();
  CsvRecord(const CsvRecord&) = delete;
  CsvRecord& operator=(const CsvRecord&) = delete;

  /// Takes the next line, without its end. Returns whether a record is complete: not after an empty
  /// line, and not while a quoted field goes on.
  bool add_line(std::string_view line);
  /// Whether it has taken lines that are no whole record yet.
  bool is_open() const noexcept { return open_; }
  /// The last record's fields, valid until the next line.
  const std::vector<std::string_view>& fields() const noexcept { return fields_; }

 private:
  struct Parser;

  std::unique_ptr<Parser> parser_;
  bool open_ = false;
  std::vector<std::string_view> fields_;
};

}  // namespace quadgate
