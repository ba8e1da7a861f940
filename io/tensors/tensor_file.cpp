#include "io/tensors/tensor_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <cerrno>
#include <cmath>
#include <system_error>

#include "engine/base/error.h"
#include "io/files/load.h"

namespace quadgate {
namespace {

/// IEEE 754 binary16.
float half_to_float(std::uint16_t half) noexcept {
  constexpr std::uint32_t kExponents = 31;
  constexpr std::uint32_t kBiases = 127 - 15;
  const std::uint32_t sign = (half & 0x8000U) << 16;
  const std::uint32_t exponent = (half >> 10) & kExponents;
  const std::uint32_t fraction = half & 0x3ffU;
  if (exponent == 0) {
    const float size = std::ldexp(static_cast<float>(fraction), -24);
    return sign == 0 ? size : -size;
  }
  const std::uint32_t widened = exponent == kExponents ? 255 : exponent + kBiases;
  return std::bit_cast<float>(sign | widened << 23 | fraction << 13);
}

}  // namespace

std::size_t size_of(ElementType type) noexcept {
  switch (type) {
    case ElementType::f64:
    case ElementType::i64:
      return 8;
    case ElementType::f32:
    case ElementType::i32:
      return 4;
    case ElementType::f16:
    case ElementType::bf16:
    case ElementType::i16:
      return 2;
    case ElementType::i8:
    case ElementType::u8:
    case ElementType::boolean:
      break;
  }
  return 1;
}

float to_float(ElementType type, const std::byte* element) noexcept {
  switch (type) {
    case ElementType::f64:
      return static_cast<float>(load<double>(element));
    case ElementType::f32:
      return load<float>(element);
    case ElementType::f16:
      return half_to_float(load<std::uint16_t>(element));
    case ElementType::bf16:
      return std::bit_cast<float>(std::uint32_t{load<std::uint16_t>(element)} << 16);
    case ElementType::i64:
      return static_cast<float>(load<std::int64_t>(element));
    case ElementType::i32:
      return static_cast<float>(load<std::int32_t>(element));
    case ElementType::i16:
      return static_cast<float>(load<std::int16_t>(element));
    case ElementType::i8:
      return static_cast<float>(load<std::int8_t>(element));
    case ElementType::u8:
    case ElementType::boolean:
      break;
  }
  return static_cast<float>(load<std::uint8_t>(element));
}

std::int64_t count_elements(std::span<const std::int64_t> shape, std::int64_t most) noexcept {
  if (std::ranges::any_of(shape, [](std::int64_t size) { return size < 0; })) return -1;
  if (std::ranges::find(shape, 0) != shape.end()) return 0;
  std::int64_t count = 1;
  for (const std::int64_t size : shape) {
    if (count > most / size) return -1;
    count *= size;
  }
  return count;
}

std::vector<std::byte> read_bytes(const std::filesystem::path& path) {
  const auto fail = [&] {
    throw FileError(fmt::format("{}: {}", path.string(), std::generic_category().message(errno)));
  };
  struct Descriptor {
    int value;
    ~Descriptor() {
      if (value >= 0) ::close(value);
    }
  };
  const Descriptor file{::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)};
  struct stat status = {};
  if (file.value < 0 || ::fstat(file.value, &status) != 0) fail();
  if (!S_ISREG(status.st_mode)) {
    throw FileError(fmt::format("{}: expected a regular file", path.string()));
  }
  std::vector<std::byte> bytes(static_cast<std::size_t>(status.st_size));
  std::size_t done = 0;
  while (done < bytes.size()) {
    const ::ssize_t got = ::read(file.value, bytes.data() + done, bytes.size() - done);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) fail();
    if (got == 0) break;
    done += static_cast<std::size_t>(got);
  }
  bytes.resize(done);
  return bytes;
}

}  // namespace quadgate
