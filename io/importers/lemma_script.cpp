#include "io/importers/lemma_script.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <system_error>

#include "io/importers/utf8.h"

namespace quadgate {
namespace {

constexpr std::string_view kLower = "lower";

bool is_within(char32_t code, char32_t first, char32_t last) {
  return first <= code && code <= last;
}

/// The small letter of a capital one, as Unicode has it; else the same. Where one capital letter
/// becomes two, it stays.
char32_t to_small(char32_t code) {
  const auto even = [&] { return code | 1U; };          // of pairs that begin at even codes
  const auto odd = [&] { return code + (code & 1U); };  // at odd ones
  if (is_within(code, 'A', 'Z')) return code + 32;
  if (is_within(code, 0xC0, 0xDE) && code != 0xD7) return code + 32;
  if (code == 0x130) return code;
  if (is_within(code, 0x100, 0x137) || is_within(code, 0x14A, 0x177)) return even();
  if (is_within(code, 0x139, 0x148) || is_within(code, 0x179, 0x17E)) return odd();
  if (code == 0x178) return 0xFF;
  if (is_within(code, 0x1CD, 0x1DC)) return odd();
  if (is_within(code, 0x1DE, 0x1EF) || is_within(code, 0x1F8, 0x21F)) return even();
  if (code == 0x386) return 0x3AC;
  if (is_within(code, 0x388, 0x38A)) return code + 37;
  if (code == 0x38C) return 0x3CC;
  if (is_within(code, 0x38E, 0x38F)) return code + 63;
  if (is_within(code, 0x391, 0x3AB) && code != 0x3A2) return code + 32;
  if (is_within(code, 0x400, 0x40F)) return code + 80;
  if (is_within(code, 0x410, 0x42F)) return code + 32;
  if (is_within(code, 0x460, 0x481) || is_within(code, 0x48A, 0x4BF)) return even();
  if (code == 0x4C0) return 0x4CF;
  if (is_within(code, 0x4C1, 0x4CE)) return odd();
  if (is_within(code, 0x4D0, 0x52F)) return even();
  if (is_within(code, 0x531, 0x556)) return code + 48;
  if (is_within(code, 0x1E00, 0x1E95) || is_within(code, 0x1EA0, 0x1EFF)) return even();
  return code;
}

/// The code points of UTF-8.
std::u32string code_points(std::string_view text) {
  std::u32string codes;
  while (!text.empty()) {
    const std::size_t size = std::max<std::size_t>(utf8_size(text), 1);
    const auto lead = static_cast<unsigned char>(text.front());
    char32_t code = size == 1 ? lead : lead & (0x7FU >> size);
    for (std::size_t i = 1; i < size; ++i) {
      code = code << 6 | (static_cast<unsigned char>(text[i]) & 0x3FU);
    }
    codes += code;
    text.remove_prefix(size);
  }
  return codes;
}

std::string utf8_of(std::u32string_view codes) {
  std::string text;
  const auto tail = [&](char32_t bits) { text += static_cast<char>(0x80U | (bits & 0x3FU)); };
  for (const char32_t code : codes) {
    if (code < 0x80) {
      text += static_cast<char>(code);
    } else if (code < 0x800) {
      text += static_cast<char>(0xC0U | code >> 6);
      tail(code);
    } else if (code < 0x10000) {
      text += static_cast<char>(0xE0U | code >> 12);
      tail(code >> 6);
      tail(code);
    } else {
      text += static_cast<char>(0xF0U | code >> 18);
      tail(code >> 12);
      tail(code >> 6);
      tail(code);
    }
  }
  return text;
}

std::u32string small(std::u32string codes) {
  std::ranges::transform(codes, codes.begin(), to_small);
  return codes;
}

std::size_t common_prefix(const std::u32string& a, const std::u32string& b) {
  return static_cast<std::size_t>(std::ranges::mismatch(a, b).in1 - a.begin());
}

}  // namespace

std::string lemma_script(std::string_view form, std::string_view lemma) {
  const std::u32string whole = code_points(form);
  const std::u32string wanted = code_points(lemma);
  const std::size_t kept = common_prefix(whole, wanted);
  const std::size_t kept_small = common_prefix(small(whole), wanted);
  const std::size_t most = std::max(kept, kept_small);
  return fmt::format("{}-{}+{}", kept_small > kept ? kLower : "", whole.size() - most,
                     utf8_of(std::u32string_view(wanted).substr(most)));
}

std::string apply_lemma_script(std::string_view script, std::string_view form) {
  std::u32string codes = code_points(form);
  if (script.starts_with(kLower)) {
    script.remove_prefix(kLower.size());
    codes = small(codes);
  }
  std::size_t off = 0;
  const char* const end = script.data() + script.size();
  if (!script.starts_with('-')) return std::string(form);
  const auto [rest, error] = std::from_chars(script.data() + 1, end, off);
  if (error != std::errc() || rest == end || *rest != '+' || off > codes.size()) {
    return std::string(form);
  }
  codes.resize(codes.size() - off);
  return utf8_of(codes) + std::string(rest + 1, end);
}

}  // namespace quadgate
