#pragma once

#include <sys/mman.h>

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <functional>
#include <new>
#include <span>
#include <vector>

namespace quadgate::kernels {

/// `size` floats whose last byte is the last of a page, with a page behind it that cannot be read
/// or written: a kernel that touches what lies behind the array crashes. The start is aligned to a
/// float only, as `size` has it. before_is_intact() tells whether what lies before is unchanged.
class GuardedArray {
 public:
  explicit GuardedArray(std::size_t size)
      : bytes_((size * sizeof(float) + kPage - 1) / kPage * kPage + 2 * kPage),
        map_(mmap(nullptr, bytes_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)) {
    if (map_ == MAP_FAILED) throw std::bad_alloc();
    std::byte* const end = static_cast<std::byte*>(map_) + bytes_ - kPage;
    mprotect(end, kPage, PROT_NONE);
    values_ = {reinterpret_cast<float*>(end) - size, size};
  }
  GuardedArray(std::size_t size, const std::function<float()>& next) : GuardedArray(size) {
    std::generate(values_.begin(), values_.end(), next);
  }
  GuardedArray(const GuardedArray& other) : GuardedArray(other.values_.size()) {
    std::copy(other.values_.begin(), other.values_.end(), values_.begin());
  }
  GuardedArray& operator=(const GuardedArray&) = delete;
  ~GuardedArray() { munmap(map_, bytes_); }

  float* data() noexcept { return values_.data(); }
  float operator[](std::size_t i) const noexcept { return values_[i]; }

  /// Whether the memory before the array still holds the zeros that it was made with.
  bool before_is_intact() const {
    const auto* const begin = static_cast<const std::byte*>(map_);
    const auto* const end = reinterpret_cast<const std::byte*>(values_.data());
    return std::all_of(begin, end, [](std::byte byte) { return byte == std::byte{0}; });
  }

  /// Whether both arrays hold the same bits.
  bool same_bits(const GuardedArray& other) const {
    return values_.size() == other.values_.size() &&
           std::memcmp(values_.data(), other.values_.data(), values_.size_bytes()) == 0;
  }

 private:
  static constexpr std::size_t kPage = 4096;
  std::size_t bytes_;
  void* map_;
  std::span<float> values_;
};

/// 0 to 100, which holds every tail of every vector length, and some that span pages.
inline std::vector<std::size_t> ragged_sizes() {
  std::vector<std::size_t> sizes;
  for (std::size_t size = 0; size <= 100; ++size) sizes.push_back(size);
  sizes.insert(sizes.end(), {1023, 1024, 4099, 10007});
  return sizes;
}

}  // namespace quadgate::kernels
