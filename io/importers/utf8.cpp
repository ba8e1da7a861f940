#include "io/importers/utf8.h"

#include <fmt/format.h>

#include <algorithm>

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
