#include "io/importers/text.h"

#include <fmt/format.h>
#include <zlib.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cmath>
#include <memory>
#include <system_error>

#include "engine/error.h"

namespace quadgate {

std::string read_input(const std::filesystem::path& path) {
  constexpr unsigned kChunk = 1U << 20;
  const auto fail = [&](const std::string& reason) {
    throw FileError(fmt::format("{}: {}", path.string(), reason));
  };
  errno = 0;
  std::unique_ptr<gzFile_s, int (*)(gzFile)> file(::gzopen(path.c_str(), "rb"), ::gzclose_r);
  if (!file) fail(std::generic_category().message(errno != 0 ? errno : ENOMEM));
  ::gzbuffer(file.get(), kChunk);
  std::string content;
  int got = 0;
  do {
    const std::size_t size = content.size();
    content.resize(size + kChunk);
    got = ::gzread(file.get(), content.data() + size, kChunk);
    content.resize(size + static_cast<std::size_t>(std::max(got, 0)));
  } while (got > 0);
  int status = Z_OK;
  const std::string reason = ::gzerror(file.get(), &status);
  if (status == Z_ERRNO) fail(std::generic_category().message(errno));
  if (status == Z_BUF_ERROR) fail("the gzip file is truncated");
  if (status != Z_OK) fail("the gzip file is damaged: " + reason);
  return content;
}

std::string_view trim(std::string_view text) {
  constexpr const char* kBlanks = " \t\r";
  const std::size_t begin = text.find_first_not_of(kBlanks);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(kBlanks) - begin + 1);
}

std::string_view cut(std::string_view& rest, char separator) {
  const std::size_t end = rest.find(separator);
  const std::string_view part = rest.substr(0, end);
  rest = end == std::string_view::npos ? std::string_view() : rest.substr(end + 1);
  return part;
}

std::optional<float> parse_number(std::string_view text) {
  if (text.starts_with('+') && !text.starts_with("+-")) text.remove_prefix(1);
  // As a double, so that a number too small for float32 becomes 0 and is no error.
  double value = 0;
  const char* end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, value);
  const auto number = static_cast<float>(value);
  if (error != std::errc() || rest != end || !std::isfinite(number)) return {};
  return number;
}

}  // namespace quadgate
