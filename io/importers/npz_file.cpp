#include "io/importers/npz_file.h"

#include <fmt/format.h>
#include <zip.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <limits>
#include <string_view>
#include <system_error>
#include <utility>

#include "engine/base/error.h"
#include "io/files/load.h"
#include "io/importers/utf8.h"
#include "io/tensors/tensor_file.h"

namespace quadgate {
namespace {

constexpr std::size_t kLongestHeader = 1 << 16;
constexpr std::size_t kBufferSize = std::size_t{1} << 18;
constexpr std::string_view kSuffix = ".npy";

}  // namespace

struct NpzArray::Member {
  std::unique_ptr<zip_file_t, int (*)(zip_file_t*)> file;
  std::uint64_t left;  // bytes, unpacked
};

NpzArray::NpzArray(std::string where, std::unique_ptr<Member> member)
    : where_(std::move(where)), member_(std::move(member)) {
  read_header();
}

NpzArray::~NpzArray() = default;
NpzArray::NpzArray(NpzArray&&) noexcept = default;

void NpzArray::fail(const std::string& problem) const {
  throw FileError(fmt::format("{}: {}", where_, problem));
}

void NpzArray::read_bytes(std::span<std::byte> out) {
  if (out.size() > member_->left) fail("the array is truncated");
  member_->left -= out.size();
  zip_file_t* const file = member_->file.get();
  while (!out.empty()) {
    const auto got = zip_fread(file, out.data(), out.size());
    if (got <= 0) fail(got < 0 ? zip_file_strerror(file) : "the array is truncated");
    out = out.subspan(static_cast<std::size_t>(got));
  }
  // Only at the end does libzip compare the checksum.
  std::byte more{};
  if (member_->left == 0 && zip_fread(file, &more, 1) != 0) fail(zip_file_strerror(file));
}

// Magic, version, the header's length, and the header, a Python literal.
void NpzArray::read_header() {
  constexpr std::string_view kMagic = "\x93NUMPY";
  std::array<std::byte, 8> front{};
  read_bytes(front);
  if (std::memcmp(front.data(), kMagic.data(), kMagic.size()) != 0) {
    fail("expected an array of NumPy, found another kind");
  }
  std::array<std::byte, 4> length{};
  const std::size_t length_size = front[6] == std::byte{1} ? 2 : 4;
  read_bytes(std::span(length).first(length_size));
  const auto header_size = load<std::uint32_t>(length.data());
  if (header_size > kLongestHeader) fail(fmt::format("a header of {} bytes", header_size));
  std::string header(header_size, '\0');
  read_bytes(std::as_writable_bytes(std::span(header)));
  parse_header(header);
  const std::uint64_t found = member_->left;
  const auto most = static_cast<std::int64_t>(
      std::min<std::uint64_t>(found, std::numeric_limits<std::int64_t>::max()));
  size_ = count_elements(shape_, most);
  if (size_ < 0 || static_cast<std::uint64_t>(size_) * element_size_ != found) {
    fail(fmt::format("its shape and type do not fit the {} bytes that it has", found));
  }
}

// Fortran's order is of columns: all of them are read before there is a row.
void NpzArray::transpose() {
  std::vector<std::byte> columns(static_cast<std::size_t>(size_) * element_size_);
  read_bytes(columns);
  rows_.resize(columns.size());
  std::vector<std::int64_t> index(shape_.size(), 0);
  for (std::size_t to = 0; to < rows_.size(); to += element_size_) {
    std::int64_t from = 0;
    for (std::size_t i = shape_.size(); i-- > 0;) from = from * shape_[i] + index[i];
    std::copy_n(&columns[static_cast<std::size_t>(from) * element_size_], element_size_,
                &rows_[to]);
    for (std::size_t i = shape_.size(); i-- > 0 && ++index[i] == shape_[i];) index[i] = 0;
  }
}

void NpzArray::read_raw_elements(std::span<std::byte> out) {
  if (!is_fortran_) {
    read_bytes(out);
  } else {
    if (rows_.empty()) transpose();
    std::copy_n(rows_.begin() + static_cast<std::ptrdiff_t>(rows_taken_), out.size(), out.begin());
    rows_taken_ += out.size();
  }
  if (!is_big_endian_) return;
  const std::size_t unit = is_unicode_ ? sizeof(char32_t) : element_size_;
  for (std::size_t at = 0; at < out.size(); at += unit) std::ranges::reverse(out.subspan(at, unit));
}

template <typename T, typename Convert>
void NpzArray::read_elements(std::span<T> out, Convert convert) {
  buffer_.resize(kBufferSize);
  while (!out.empty()) {
    const std::size_t count = std::min(out.size(), kBufferSize / element_size_);
    const auto bytes = std::span(buffer_).first(count * element_size_);
    read_raw_elements(bytes);
    for (std::size_t i = 0; i < count; ++i) out[i] = convert(&bytes[i * element_size_]);
    out = out.subspan(count);
  }
}

void NpzArray::read(std::span<double> out) {
  if (kind_ == Kind::floating && element_size_ == sizeof(double)) {
    read_elements(out, [](const std::byte* element) { return load<double>(element); });
    return;
  }
  if (kind_ == Kind::integer) {
    read_elements(out, [this](const std::byte* e) { return static_cast<double>(integer(e)); });
    return;
  }
  std::vector<float> floats(out.size());
  read(floats);
  std::ranges::copy(floats, out.begin());
}

void NpzArray::read(std::span<float> out) {
  if (kind_ == Kind::text) fail("expected numbers, found text");
  if (kind_ == Kind::integer) {
    read_elements(out, [this](const std::byte* e) { return static_cast<float>(integer(e)); });
    return;
  }
  const ElementType type = element_size_ == 8   ? ElementType::f64
                           : element_size_ == 4 ? ElementType::f32
                                                : ElementType::f16;
  read_elements(out, [type](const std::byte* element) { return to_float(type, element); });
}

void NpzArray::read(std::span<std::int64_t> out) {
  if (kind_ != Kind::integer) fail("expected integers, found others");
  read_elements(out, [this](const std::byte* element) { return integer(element); });
}

std::int64_t NpzArray::integer(const std::byte* element) const {
  switch (element_size_) {
    case 1:
      return is_signed_ ? load<std::int8_t>(element) : load<std::uint8_t>(element);
    case 2:
      return is_signed_ ? load<std::int16_t>(element) : load<std::uint16_t>(element);
    case 4:
      return is_signed_ ? load<std::int32_t>(element) : std::int64_t{load<std::uint32_t>(element)};
    default:
      break;
  }
  const auto value = load<std::int64_t>(element);
  if (!is_signed_ && value < 0) fail(fmt::format("{} is too large", load<std::uint64_t>(element)));
  return value;
}

std::string NpzArray::text(std::span<const std::byte> element) const {
  std::string text;
  if (!is_unicode_) {
    for (const std::byte byte : element) text += static_cast<char>(byte);
    text.erase(std::min(text.find('\0'), text.size()));
    if (find_not_utf8(text) != std::string::npos) fail("expected text in UTF-8");
    return text;
  }
  for (std::size_t at = 0; at < element.size(); at += sizeof(char32_t)) {
    const auto code = load<char32_t>(&element[at]);
    if (code == 0) break;
    if (code > 0x10ffff || (code >= 0xd800 && code < 0xe000)) fail("expected Unicode text");
    append_utf8(code, text);
  }
  return text;
}

std::vector<std::string> NpzArray::read_texts() {
  if (kind_ != Kind::text) fail("expected text, found numbers");
  std::vector<std::string> texts;
  std::vector<std::byte> element(element_size_);
  for (std::int64_t i = 0; i < size_; ++i) {
    read_raw_elements(element);
    texts.push_back(text(element));
  }
  return texts;
}

NpzFile::NpzFile(const std::filesystem::path& path) : path_(path) {
  int code = 0;
  archive_ = zip_open(path.c_str(), ZIP_RDONLY, &code);
  if (archive_ == nullptr) {
    zip_error_t error;
    zip_error_init_with_code(&error, code);
    const std::string reason = zip_error_strerror(&error);
    zip_error_fini(&error);
    throw FileError(fmt::format("{}: zip: {}", path.string(), reason));
  }
  auto* const archive = static_cast<zip_t*>(archive_);
  for (zip_int64_t i = 0; i < zip_get_num_entries(archive, 0); ++i) {
    const char* const found = zip_get_name(archive, static_cast<zip_uint64_t>(i), 0);
    std::string_view name = found == nullptr ? "" : found;
    if (name.ends_with(kSuffix)) {
      name.remove_suffix(kSuffix.size());
      names_.emplace_back(name);
    }
  }
}

NpzFile::~NpzFile() { zip_discard(static_cast<zip_t*>(archive_)); }

bool NpzFile::has(const std::string& array) const {
  return std::ranges::find(names_, array) != names_.end();
}

NpzArray NpzFile::open(const std::string& array) const {
  const std::string where = fmt::format("{}: array '{}'", path_.string(), array);
  const auto fail = [&](const char* reason) {
    throw FileError(fmt::format("{}: {}", where, reason));
  };
  if (!has(array)) fail("missing");
  auto* const archive = static_cast<zip_t*>(archive_);
  const std::string member = array + std::string(kSuffix);
  zip_stat_t status;
  if (zip_stat(archive, member.c_str(), 0, &status) != 0) fail(zip_strerror(archive));
  if ((status.valid & ZIP_STAT_SIZE) == 0) fail("its size is not told");
  // Before anything is made of that size.
  constexpr std::uint64_t kMostDeflated = 1032;  // bytes in one
  std::error_code error;
  if (status.size / kMostDeflated > std::filesystem::file_size(path_, error)) {
    fail("its size does not fit that of the file");
  }
  std::unique_ptr<zip_file_t, int (*)(zip_file_t*)> file(zip_fopen(archive, member.c_str(), 0),
                                                         zip_fclose);
  if (!file) fail(zip_strerror(archive));
  return {where,
          std::make_unique<NpzArray::Member>(NpzArray::Member{std::move(file), status.size})};
}

}  // namespace quadgate
