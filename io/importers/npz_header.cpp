// What the header of an array says, a Python literal.

#include <fmt/format.h>

#include <charconv>
#include <cstddef>
#include <string_view>
#include <system_error>

#include "io/importers/npz_file.h"

namespace quadgate {
namespace {

constexpr std::size_t kLongestType = 16;
constexpr std::size_t kLongestShape = 200;

/// What stands behind `key` and a few blanks in a Python literal; nothing if there is no such key.
std::string_view after_key(std::string_view header, std::string_view key) {
  constexpr std::size_t kMostBlanks = 9;
  const std::size_t at = header.find(key);
  if (at == std::string_view::npos) return {};
  header.remove_prefix(at + key.size());
  const std::size_t blanks = header.find_first_not_of(" \t\n");
  return blanks <= kMostBlanks ? header.substr(blanks) : std::string_view();
}

}  // namespace

void NpzArray::parse_header(const std::string& header) {
  const auto expect = [this](bool holds) {
    if (holds) return;
    fail("expected numbers or text, found another type (a structure or Python objects)");
  };
  std::string_view descr = after_key(header, "'descr':");
  expect(descr.starts_with('\''));
  descr.remove_prefix(1);
  const std::size_t end_of_type = descr.find('\'');
  expect(end_of_type >= 1 && end_of_type <= kLongestType);
  set_type(descr.substr(0, end_of_type));
  const std::string_view order = after_key(header, "'fortran_order':");
  expect(order.starts_with("True") || order.starts_with("False"));
  std::string_view sizes = after_key(header, "'shape':");
  expect(sizes.starts_with('('));
  sizes.remove_prefix(1);
  const std::size_t end_of_sizes = sizes.find_first_not_of("0123456789, ");
  expect(end_of_sizes <= kLongestShape && sizes[end_of_sizes] == ')');
  sizes = sizes.substr(0, end_of_sizes);
  std::string_view rest = sizes;
  while (rest.find_first_of("0123456789") != std::string_view::npos) {
    rest.remove_prefix(rest.find_first_of("0123456789"));
    std::int64_t size = 0;
    const auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), size);
    if (error != std::errc()) fail(fmt::format("shape ({}): a size is too large", sizes));
    shape_.push_back(size);
    rest = {end, rest.data() + rest.size()};
  }
  is_fortran_ = order.starts_with("True") && shape_.size() > 1;
}

void NpzArray::set_type(std::string_view type) {
  constexpr std::size_t kMostDigits = 6;
  std::size_t size = 0;
  const bool is_type =
      type.size() >= 3 && type.size() <= 2 + kMostDigits &&
      std::string_view("<>|").find(type[0]) != std::string_view::npos &&
      std::string_view("fiubUS").find(type[1]) != std::string_view::npos &&
      std::from_chars(&type[2], type.data() + type.size(), size).ptr == type.data() + type.size();
  if (!is_type) {
    fail(fmt::format("expected numbers or text, found type '{}'", type));
  }
  const char letter = type[1];
  const bool is_text = letter == 'U' || letter == 'S';
  kind_ = letter == 'f' ? Kind::floating : is_text ? Kind::text : Kind::integer;
  is_signed_ = letter == 'i';
  is_unicode_ = letter == 'U';  // as UTF-32
  is_big_endian_ = type[0] == '>';
  element_size_ = is_unicode_ ? sizeof(char32_t) * size : size;
  const bool known = is_text || (letter == 'b' ? size == 1
                                               : size == 2 || size == 4 || size == 8 ||
                                                     (size == 1 && letter != 'f'));
  if (!known) fail(fmt::format("expected numbers of at most 64 bits, found type '{}'", type));
}

}  // namespace quadgate
