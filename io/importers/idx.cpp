#include "io/importers/idx.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "engine/error.h"
#include "io/importers/text.h"

namespace quadgate {
namespace {

/// An IDX file of bytes: "\0\0\x08", the rank as a byte, sizes as big-endian uint32, the elements.
struct IdxFile {
  std::vector<std::int64_t> shape;
  std::string content;
  std::size_t begin = 0;  // of the elements in content

  std::uint8_t operator[](std::size_t i) const {
    return static_cast<std::uint8_t>(content[begin + i]);
  }
};

std::int64_t big_endian(std::string_view bytes) {
  std::int64_t value = 0;
  for (const char byte : bytes) value = value * 256 + static_cast<std::uint8_t>(byte);
  return value;
}

IdxFile read_idx_file(const std::filesystem::path& path, std::size_t rank) {
  IdxFile file{.shape = {}, .content = read_input(path), .begin = 4 + 4 * rank};
  const std::string_view content = file.content;
  const std::int64_t expected = 0x0800 + static_cast<std::int64_t>(rank);
  if (content.size() < file.begin || big_endian(content.substr(0, 4)) != expected) {
    throw FileError(fmt::format(
        "{}: expected an IDX file of uint8 with {} dimensions (magic {:#010x}), found {:#010x}",
        path.string(), rank, expected, big_endian(content.substr(0, 4))));
  }
  std::int64_t size = 1;
  for (std::size_t i = 0; i < rank; ++i) {
    file.shape.push_back(big_endian(content.substr(4 + 4 * i, 4)));
    const auto room = static_cast<std::int64_t>(content.size());
    if (file.shape[i] < 1) throw FileError(path.string() + ": a dimension is 0");
    size = size > room ? size : size * file.shape[i];  // beyond `room` it is wrong already
  }
  const auto found = static_cast<std::int64_t>(content.size() - file.begin);
  if (found != size) {
    throw FileError(
        fmt::format("{}: expected {} bytes of data, found {}", path.string(), size, found));
  }
  return file;
}

}  // namespace

LabelledSequences read_idx(const std::filesystem::path& images,
                           const std::filesystem::path& labels) {
  const IdxFile image_file = read_idx_file(images, 3);
  const IdxFile label_file = read_idx_file(labels, 1);
  const std::int64_t count = image_file.shape[0];
  if (label_file.shape[0] != count) {
    throw FileError(fmt::format("{}: expected {} labels, one an image of {}, found {}",
                                labels.string(), count, images.string(), label_file.shape[0]));
  }
  LabelledSequences data;
  data.path = images;
  data.input_size = image_file.shape[2];
  for (std::int64_t i = 0; i <= count; ++i) data.offsets.push_back(i * image_file.shape[1]);
  data.x.resize(image_file.content.size() - image_file.begin);
  for (std::size_t i = 0; i < data.x.size(); ++i) {
    data.x[i] = static_cast<float>(image_file[i]) / 255.0F;
  }
  for (std::size_t i = 0; i < static_cast<std::size_t>(count); ++i) {
    data.labels.push_back(label_file[i]);
  }
  const std::int64_t largest = *std::ranges::max_element(data.labels);
  for (std::int64_t i = 0; i <= largest; ++i) data.class_names.push_back(std::to_string(i));
  return data;
}

}  // namespace quadgate
