#include "io/importers/idx.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/error.h"
#include "engine/model/loss_config.h"
#include "io/importers/input.h"

namespace quadgate {
namespace {

std::int64_t big_endian(std::string_view bytes) {
  std::int64_t value = 0;
  for (const char byte : bytes) value = value * 256 + static_cast<std::uint8_t>(byte);
  return value;
}

/// Reads an IDX file of bytes: "\0\0\x08", the rank as a byte, sizes as big-endian uint32, the
/// elements.
class IdxReader {
 public:
  IdxReader(const std::filesystem::path& path, std::size_t rank, const ImportOptions& options)
      : input_(path, options.observer), buffer_(std::max<std::size_t>(options.buffer_size, 16)) {
    const std::string_view header = read(4 + 4 * rank);
    const std::int64_t expected = 0x0800 + static_cast<std::int64_t>(rank);
    if (header.size() < 4 + 4 * rank || big_endian(header.substr(0, 4)) != expected) {
      fail(fmt::format(
          "expected an IDX file of uint8 with {} dimensions (magic {:#010x}), found {:#010x}", rank,
          expected, big_endian(header.substr(0, 4))));
    }
    for (std::size_t i = 0; i < rank; ++i) {
      shape_.push_back(big_endian(header.substr(4 + 4 * i, 4)));
      if (shape_[i] < 1) fail("a dimension is 0");
    }
  }

  const std::vector<std::int64_t>& shape() const noexcept { return shape_; }

  /// Calls `body` with piece after piece of the elements.
  template <typename Body>
  void for_each_piece(Body body) {
    constexpr std::int64_t kMost = std::int64_t{1} << 60;  // no file is as large
    std::int64_t expected = 1;
    for (const std::int64_t size : shape_) expected = std::min(expected, kMost / size) * size;
    std::int64_t found = 0;
    for (std::string_view piece; !(piece = read(buffer_.size())).empty();) {
      found += std::ssize(piece);
      if (found <= expected) {
        body(std::as_bytes(std::span(piece)));
      }
    }
    if (found != expected) {
      fail(fmt::format("expected {} bytes of data, found {}", expected, found));
    }
  }

  [[noreturn]] void fail(const std::string& problem) const {
    throw FileError(fmt::format("{}: {}", input_.path().string(), problem));
  }

 private:
  /// The next `size` bytes, or what is left.
  std::string_view read(std::size_t size) {
    std::size_t done = 0;
    while (done < size) {
      const std::size_t got = input_.read(std::span(buffer_).subspan(done, size - done));
      if (got == 0) break;
      done += got;
    }
    return {buffer_.data(), done};
  }

  Input input_;
  std::vector<char> buffer_;
  std::vector<std::int64_t> shape_;
};

}  // namespace

LabelledSequences read_idx(const std::filesystem::path& images, const std::filesystem::path& labels,
                           const ImportOptions& options) {
  LabelledSequences data(images, options.spool);
  IdxReader image_file(images, 3, options);
  image_file.for_each_piece([&](auto bytes) { data.x.append_fractions(bytes); });
  const std::int64_t count = image_file.shape()[0];
  const std::int64_t rows = image_file.shape()[1];
  data.input_size = image_file.shape()[2];

  for (std::int64_t i = 0; i < count; ++i) data.lengths.push_back(rows);
  if (labels.empty()) {
    data.has_targets = false;
    for (std::int64_t i = 0; i < count; ++i) data.labels.push_back(kIgnoreIndex);
    return data;
  }
  IdxReader label_file(labels, 1, options);
  std::int64_t largest = 0;
  label_file.for_each_piece([&](auto bytes) {
    for (const std::byte byte : bytes) {
      const auto label = std::to_integer<std::int64_t>(byte);
      largest = std::max(largest, label);
      data.labels.push_back(label);
    }
  });
  if (label_file.shape()[0] != count) {
    label_file.fail(fmt::format("expected {} labels, one an image of {}, found {}", count,
                                images.string(), label_file.shape()[0]));
  }
  for (std::int64_t i = 0; i <= largest; ++i) data.class_names.push_back(std::to_string(i));
  return data;
}

}  // namespace quadgate
