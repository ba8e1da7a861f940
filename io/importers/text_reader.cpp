#include "io/importers/text_reader.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <zlib.h>

#include <algorithm>
#include <cerrno>
#include <system_error>
#include <utility>

#include "engine/error.h"
#include "io/importers/utf8.h"

namespace quadgate {
namespace {

constexpr std::size_t kLongestLine = std::size_t{1} << 26;

gzFile to_gz(void* file) noexcept { return static_cast<gzFile>(file); }

}  // namespace

InputFile::InputFile(const std::filesystem::path& path, ReadObserver observer)
    : path_(path), observer_(std::move(observer)) {
  errno = 0;
  file_ = ::gzopen(path.c_str(), "rb");
  if (file_ == nullptr) fail(std::generic_category().message(errno != 0 ? errno : ENOMEM));
  ::gzbuffer(to_gz(file_), 1U << 18U);
  struct stat status = {};
  if (::stat(path.c_str(), &status) == 0) total_ = status.st_size;
}

InputFile::~InputFile() { ::gzclose_r(to_gz(file_)); }

void InputFile::fail(const std::string& problem) const {
  throw FileError(fmt::format("{}: {}", path_.string(), problem));
}

std::size_t InputFile::read(char* out, std::size_t size) {
  const auto most = static_cast<unsigned>(std::min(size, std::size_t{1} << 30));
  errno = 0;
  const int got = ::gzread(to_gz(file_), out, most);
  const int error_number = errno;
  if (got <= 0) {
    int status = Z_OK;
    const std::string reason = ::gzerror(to_gz(file_), &status);
    if (status == Z_ERRNO) fail(std::generic_category().message(error_number));
    if (status == Z_BUF_ERROR) fail("the gzip file is truncated");
    if (status != Z_OK) fail("the gzip file is damaged: " + reason);
  }
  if (observer_) observer_({path_, ::gzoffset(to_gz(file_)), total_});
  return static_cast<std::size_t>(std::max(got, 0));
}

TextReader::TextReader(const std::filesystem::path& path, ReadObserver observer, std::size_t piece)
    : file_(path, std::move(observer)), piece_(piece) {
  constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
  while (buffer_.size() < kByteOrderMark.size() && fill()) {
  }
  if (buffer_.starts_with(kByteOrderMark)) begin_ = kByteOrderMark.size();
}

// Reads another piece behind what is left; false at the end of the file.
bool TextReader::fill() {
  if (at_end_) return false;
  buffer_.erase(0, std::exchange(begin_, 0));
  const std::size_t size = buffer_.size();
  buffer_.resize(size + piece_);
  const std::size_t got = file_.read(buffer_.data() + size, piece_);
  buffer_.resize(size + got);
  at_end_ = got == 0;
  return !at_end_;
}

bool TextReader::line(std::string_view& line) {
  std::size_t end = buffer_.find('\n', begin_);
  while (end == std::string::npos) {
    const std::size_t searched = buffer_.size() - begin_;
    if (searched > kLongestLine) {
      throw FileError(fmt::format("{}:{}: a line of more than {} MiB", path().string(),
                                  line_number_ + 1, kLongestLine >> 20U));
    }
    if (!fill()) break;
    end = buffer_.find('\n', begin_ + searched);
  }
  line_ended_ = end != std::string::npos;
  if (!line_ended_) end = buffer_.size();
  if (!line_ended_ && end == begin_) return false;
  line = std::string_view(buffer_).substr(begin_, end - begin_);
  begin_ = end + (line_ended_ ? 1 : 0);
  ++line_number_;
  check(line);
  return true;
}

void TextReader::check(std::string_view line) const {
  if (const std::size_t bad = find_not_utf8(line); bad != std::string_view::npos) {
    throw FileError(fmt::format("{}:{}: expected UTF-8, found byte {:#04x}", path().string(),
                                line_number_, static_cast<unsigned char>(line[bad])));
  }
}

}  // namespace quadgate
