#include "io/importers/csv_numbers.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <span>
#include <string>
#include <utility>

#include "io/importers/text.h"

namespace quadgate {

/// A number in pieces.
struct WrittenNumber {
  bool is_number = false;
  bool is_ambiguous = false;  // the sign of `decimal` could be one of thousands as well
  char thousands = '\0';      // between groups of three digits
  char decimal = '\0';        // in front of the fraction
  std::string plain{};        // as programs write it: digits, '.', exponent
  std::string whole{};        // of an ambiguous one: if its sign is one of thousands
};

namespace {

constexpr std::size_t kLongest = 64;  // bytes of a number with signs between its digits
constexpr std::size_t kMostSigns = 16;

/// Runs of digits with signs between them: [.,' ], and what follows.
struct Runs {
  std::array<std::string_view, kMostSigns + 1> digits{};
  std::array<char, kMostSigns> signs{};
  std::size_t count = 0;  // of signs
  std::string_view rest{};

  char last_sign() const { return signs.at(count - 1); }
  /// Whether the first `signs_taken` signs are the same and divide groups of three digits.
  bool are_grouped(std::size_t signs_taken) const {
    constexpr std::size_t kThousand = 3;
    const auto groups = std::span(digits).subspan(1, signs_taken);
    return std::ranges::all_of(std::span(signs).first(signs_taken),
                               [&](char sign) { return sign == signs[0]; }) &&
           !digits[0].empty() && digits[0].size() <= kThousand && digits[0][0] != '0' &&
           std::ranges::all_of(groups, [](auto group) { return group.size() == kThousand; });
  }
};

/// Takes a sign off the front of `rest`. A blank and an apostrophe have other forms in Unicode.
char take_sign(std::string_view& rest) {
  using Form = std::pair<std::string_view, char>;
  constexpr std::array kForms{Form{".", '.'},
                              Form{",", ','},
                              Form{" ", ' '},
                              Form{"'", '\''},
                              Form{"\xC2\xA0", ' '},        // no-break space
                              Form{"\xE2\x80\xAF", ' '},    // narrow no-break space
                              Form{"\xE2\x80\x89", ' '},    // thin space
                              Form{"\xE2\x80\x99", '\''}};  // right single quotation mark
  for (const auto& [bytes, sign] : kForms) {
    if (!rest.starts_with(bytes)) continue;
    rest.remove_prefix(bytes.size());
    return sign;
  }
  return '\0';
}

std::string_view take_digits(std::string_view& rest) {
  const std::size_t end = std::min(rest.find_first_not_of("0123456789"), rest.size());
  const std::string_view digits = rest.substr(0, end);
  rest.remove_prefix(end);
  return digits;
}

Runs cut_runs(std::string_view text) {
  Runs runs{.rest = text};
  runs.digits[0] = take_digits(runs.rest);
  while (runs.count < kMostSigns) {
    const char sign = take_sign(runs.rest);
    if (sign == '\0') break;
    runs.signs.at(runs.count++) = sign;
    runs.digits.at(runs.count) = take_digits(runs.rest);
  }
  return runs;
}

/// Tells what the signs are; false if they make no number.
bool tell_signs(const Runs& runs, WrittenNumber& written) {
  if (runs.count == 0) return true;
  const char last = runs.last_sign();
  const bool is_mark = last == '.' || last == ',';
  if (runs.rest.empty() && runs.are_grouped(runs.count)) {
    written.is_ambiguous = runs.count == 1 && is_mark;
    (written.is_ambiguous ? written.decimal : written.thousands) = last;
    return true;
  }
  if (!is_mark) return false;
  written.decimal = last;
  if (runs.count == 1) return true;
  written.thousands = runs.signs[0];
  return written.thousands != last && runs.are_grouped(runs.count - 1);
}

WrittenNumber cut_number(std::string_view text) {
  WrittenNumber written;
  if (text.size() > kLongest) return written;
  const bool has_sign = text.starts_with('-') || text.starts_with('+');
  if (text.starts_with('-')) written.plain = "-";
  const Runs runs = cut_runs(text.substr(has_sign ? 1 : 0));
  const bool has_exponent = runs.rest.starts_with('e') || runs.rest.starts_with('E');
  if ((!runs.rest.empty() && !has_exponent) || !tell_signs(runs, written)) return written;
  for (std::size_t i = 0; i <= runs.count; ++i) {
    if (i == runs.count && written.is_ambiguous) written.whole = written.plain;
    if (i == runs.count && written.decimal != '\0') written.plain += '.';
    written.plain += runs.digits.at(i);
  }
  if (written.is_ambiguous) written.whole += runs.digits.at(runs.count);
  written.plain += runs.rest;
  written.is_number = parse_number(written.plain).has_value();
  return written;
}

char other_mark(char sign) { return sign == '.' ? ',' : '.'; }

}  // namespace

bool looks_like_number(std::string_view text) { return cut_number(text).is_number; }

void CsvNumbers::learn(std::string_view text) {
  if (decimal_ == '.') return;
  const WrittenNumber written = cut_number(text);
  if (!written.is_number || written.is_ambiguous) return;
  if (written.decimal != '\0') {
    decimal_ = written.decimal;
  } else if (written.thousands == '.' || written.thousands == ',') {
    decimal_ = other_mark(written.thousands);
  }
}

std::optional<double> CsvNumbers::parse(std::string_view text) {
  if (decimal_ == '.') {
    if (const auto number = parse_number(text)) return *number;
  }
  WrittenNumber written = cut_number(text);
  if (!written.is_number || !settle(written)) return {};
  if (written.thousands != '\0') {
    thousands_ = written.thousands;
    if (thousands_ == '.' || thousands_ == ',') decimal_ = other_mark(thousands_);
  }
  if (written.decimal != '\0') decimal_ = written.decimal;
  return parse_number(written.plain);
}

// Whether the signs of a number can be what those of the others are. Tells an ambiguous one's.
bool CsvNumbers::settle(WrittenNumber& written) {
  if (written.is_ambiguous) {
    const char sign = written.decimal;
    if (!decimal_ && thousands_ == '\0') {
      if (delimiter_ != ',') return false;
      is_assumed_ = sign == ',';
      decimal_ = '.';
    }
    if (sign != decimal_.value_or(sign)) {
      written.thousands = sign;
      written.decimal = '\0';
      written.plain = written.whole;
    }
  }
  if (written.decimal != '\0' && written.decimal != decimal_.value_or(written.decimal))
    return false;
  if (written.thousands == '\0') return true;
  if (written.thousands == ' ' && blanks_divide_) return false;
  return written.thousands != decimal_ && (thousands_ == '\0' || written.thousands == thousands_);
}

std::string CsvNumbers::expected(std::string_view text) const {
  const WrittenNumber written = cut_number(text);
  if (!written.is_number) return "a number";
  if (written.is_ambiguous && !decimal_) {
    return fmt::format("a number that can be read in one way (--decimal says {} or {})",
                       written.whole, written.plain);
  }
  if (written.thousands == ' ' && blanks_divide_) {
    return "a number (if blanks divide fields, say so with --delimiter)";
  }
  return fmt::format("a number like those before it, with a {}", about());
}

std::string CsvNumbers::about() const {
  std::string about = decimal_.value_or('.') == '.' ? "decimal point" : "decimal comma";
  if (is_assumed_) about += " (assumed: --decimal tells)";
  if (thousands_ != '\0') about += fmt::format(", thousands like 1{}000", thousands_);
  return about;
}

}  // namespace quadgate
