#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

namespace quadgate {

/// An array of floats of fixed size, zero at first, on a cache-line (64-byte) boundary. A large one
/// lies in huge pages where the system has them. The core that first writes to a page gives it
/// memory of its own node.
class Buffer {
 public:
  Buffer() = default;
  /// Throws std::bad_alloc if there is not enough memory.
  explicit Buffer(std::size_t size);

  float* data() noexcept { return data_.get(); }
  const float* data() const noexcept { return data_.get(); }
  std::size_t size() const noexcept { return data_.get_deleter().size; }
  /// Bytes that all buffers of the process hold. What nobody has written to yet of a large one
  /// takes no memory.
  static std::size_t bytes_held() noexcept;
  std::span<float> span() noexcept { return {data(), size()}; }
  std::span<const float> span() const noexcept { return {data(), size()}; }

 private:
  struct Delete {
    Delete() noexcept : size(0) {}
    explicit Delete(std::size_t floats) noexcept : size(floats) {}

    std::size_t size;
    void operator()(float* data) const noexcept;
  };

  std::unique_ptr<float[], Delete> data_;
};

/// The size of a buffer for a matrix [rows, columns].
constexpr std::size_t floats(std::int64_t rows, std::int64_t columns) noexcept {
  return static_cast<std::size_t>(rows * columns);
}

}  // namespace quadgate
