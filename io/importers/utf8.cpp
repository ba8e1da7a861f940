#include "io/importers/utf8.h"

#include <algorithm>
#include <cstdint>
#include <cstring>

#include "io/importers/text.h"

namespace quadgate {

std::size_t utf8_size(std::string_view text) noexcept {
  const auto byte = [&](std::size_t i) {
    return i < text.size() ? static_cast<unsigned char>(text[i]) : 0U;
  };
  const unsigned lead = byte(0);
  if (lead < 0x80) return 1;
  if (lead < 0xC2 || lead > 0xF4) return 0;
  const std::size_t size = lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
  // The shortest form only, no surrogates, nothing above U+10FFFF.
  const unsigned least = lead == 0xE0 ? 0xA0 : lead == 0xF0 ? 0x90 : 0x80;
  const unsigned most = lead == 0xED ? 0x9F : lead == 0xF4 ? 0x8F : 0xBF;
  if (byte(1) < least || byte(1) > most) return 0;
  for (std::size_t i = 2; i < size; ++i) {
    if ((byte(i) & 0xC0U) != 0x80) return 0;
  }
  return size;
}

std::int64_t utf8_characters(std::string_view text) noexcept {
  std::int64_t count = 0;
  for (; !text.empty(); ++count) text.remove_prefix(std::max<std::size_t>(utf8_size(text), 1));
  return count;
}

std::size_t find_not_utf8(std::string_view text) noexcept {
  constexpr std::uint64_t kOnes = 0x0101010101010101;
  constexpr std::uint64_t kHighBits = 0x8080808080808080;
  std::size_t at = 0;
  while (at < text.size()) {
    std::uint64_t word = 0;
    if (text.size() - at >= sizeof(word)) {
      std::memcpy(&word, text.data() + at, sizeof(word));
      if (((word | (word - kOnes)) & kHighBits) == 0) {  // eight bytes from 0x01 to 0x7f
        at += sizeof(word);
        continue;
      }
    }
    const std::size_t size = utf8_size(text.substr(at));
    if (size == 0 || text[at] == '\0') return at;
    at += size;
  }
  return std::string_view::npos;
}

std::size_t utf8_whole(std::string_view text) noexcept {
  for (std::size_t back = 1; back <= std::min<std::size_t>(3, text.size()); ++back) {
    const auto byte = static_cast<unsigned char>(text[text.size() - back]);
    if (byte < 0x80) break;
    if (byte < 0xC0) continue;
    const std::size_t size = byte < 0xE0 ? 2 : byte < 0xF0 ? 3 : 4;
    return size > back ? text.size() - back : text.size();
  }
  return text.size();
}

void append_utf8(char32_t code, std::string& text) {
  const auto byte = [&](char32_t lead, int shift, char32_t bits) {
    text += static_cast<char>(static_cast<unsigned char>(lead | ((code >> shift) & bits)));
  };
  if (code < 0x80) {
    byte(0, 0, 0x7f);
  } else if (code < 0x800) {
    byte(0xc0, 6, 0x1f), byte(0x80, 0, 0x3f);
  } else if (code < 0x10000) {
    byte(0xe0, 12, 0x0f), byte(0x80, 6, 0x3f), byte(0x80, 0, 0x3f);
  } else {
    byte(0xf0, 18, 0x07), byte(0x80, 12, 0x3f), byte(0x80, 6, 0x3f), byte(0x80, 0, 0x3f);
  }
}

std::string read_utf8(const std::filesystem::path& path) {
  TextReader reader(path, {});
  std::string content;
  for (std::string_view piece; reader.piece(piece);) content += piece;
  return content;
}

}  // namespace quadgate
