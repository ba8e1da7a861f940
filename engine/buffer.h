#pragma once

#include <cstddef>
#include <memory>
#include <new>
#include <span>

namespace quadgate {

/// A fixed-size array of zeroed floats on a cache-line (64-byte) boundary, owned and movable.
class Buffer {
 public:
  Buffer() = default;
  explicit Buffer(std::size_t size)
      : data_(static_cast<float*>(::operator new(size * sizeof(float), kAlignment))), size_(size) {
    std::uninitialized_fill_n(data_.get(), size, 0.0F);
  }

  float* data() noexcept { return data_.get(); }
  const float* data() const noexcept { return data_.get(); }
  std::size_t size() const noexcept { return size_; }
  std::span<float> span() noexcept { return {data_.get(), size_}; }
  std::span<const float> span() const noexcept { return {data_.get(), size_}; }

 private:
  static constexpr std::align_val_t kAlignment{64};
  struct Delete {
    void operator()(float* data) const noexcept { ::operator delete(data, kAlignment); }
  };

  std::unique_ptr<float[], Delete> data_;
  std::size_t size_ = 0;
};

}  // namespace quadgate
