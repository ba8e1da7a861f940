#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace quadgate {

struct WrittenNumber;

/// How a table writes its numbers: 1234.5, 1,234.5, 1.234,5, 1 234,5 or 1'234.5. It learns the
/// signs from numbers that can be read in one way only, then reads all others so. A text like
/// "12.500", which may be 12.5 or 12500, is no number while the signs are not known; but where
/// commas divide fields, a decimal sign is a point.
class CsvNumbers {
 public:
  CsvNumbers() = default;
  /// `decimal` tells the decimal sign. A blank divides no thousands where a record is one field.
  CsvNumbers(char delimiter, std::optional<char> decimal, bool is_one_field)
      : decimal_(decimal), delimiter_(delimiter), blanks_divide_(is_one_field) {}

  /// Learns the decimal sign from a field of the first lines.
  void learn(std::string_view text);
  /// Takes this decimal sign, unless it has learnt one.
  void assume(std::optional<char> decimal) {
    if (!decimal_) decimal_ = decimal;
  }
  /// The decimal sign, as far as it is known.
  std::optional<char> decimal() const noexcept { return decimal_; }
  /// The number, unless it is infinite as a float32; empty for all else.
  std::optional<double> parse(std::string_view text);
  /// What `parse` expected where it found this text.
  std::string expected(std::string_view text) const;
  /// The signs, for people: "decimal comma, thousands like 1.000".
  std::string about() const;

 private:
  bool settle(WrittenNumber& written);

  std::optional<char> decimal_;
  char thousands_ = '\0';  // none was seen
  char delimiter_ = ',';
  bool blanks_divide_ = false;
  bool is_assumed_ = false;  // the decimal sign, of numbers that can be read in two ways
};

/// Whether a text is a number, with whatever signs.
bool looks_like_number(std::string_view text);

}  // namespace quadgate
