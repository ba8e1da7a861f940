#include "io/importers/utf8.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <cstring>

#include "engine/error.h"
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

std::size_t find_not_utf8(std::string_view text) noexcept {
  constexpr std::size_t kWord = sizeof(std::uint64_t);
  constexpr std::uint64_t kHighBits = 0x8080808080808080;
  constexpr std::uint64_t kOnes = 0x0101010101010101;
  for (std::size_t at = 0; at < text.size();) {
    // Most text is plain ASCII, eight characters at once.
    std::uint64_t word = 0;
    while (at + kWord <= text.size()) {
      std::memcpy(&word, text.data() + at, kWord);
      if (((word | (word - kOnes)) & kHighBits) != 0) break;  // the difference: of zero bytes
      at += kWord;
    }
    if (at == text.size()) break;
    const std::size_t size = utf8_size(text.substr(at));
    if (size == 0 || text[at] == '\0') return at;
    at += size;
  }
  return std::string_view::npos;
}

std::string read_utf8(const std::filesystem::path& path) {
  constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
  std::string content = read_input(path);
  for (std::size_t at = 0; at < content.size();) {
    const std::size_t size = utf8_size(std::string_view(content).substr(at));
    if (size == 0 || content[at] == '\0') {
      const auto end = content.begin() + static_cast<std::ptrdiff_t>(at);
      throw FileError(fmt::format("{}:{}: expected UTF-8, found byte {:#04x}", path.string(),
                                  std::count(content.begin(), end, '\n') + 1,
                                  static_cast<unsigned char>(content[at])));
    }
    at += size;
  }
  if (content.starts_with(kByteOrderMark)) content.erase(0, kByteOrderMark.size());
  return content;
}

}  // namespace quadgate
