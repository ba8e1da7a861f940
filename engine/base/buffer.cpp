#include "engine/base/buffer.h"

#include <sys/mman.h>

#include <algorithm>
#include <atomic>
#include <new>

namespace quadgate {
namespace {

constexpr std::align_val_t kAlignment{64};

/// From here on memory comes from the system page by page, zeroed when it is first touched.
bool is_large(std::size_t size) noexcept {
  constexpr std::size_t kLarge = std::size_t{4} << 20U;
  return size * sizeof(float) >= kLarge;
}

std::atomic<std::size_t> bytes_of_all = 0;

float* allocate(std::size_t size) {
  if (!is_large(size)) {
    auto* const data = static_cast<float*>(::operator new(size * sizeof(float), kAlignment));
    std::uninitialized_fill_n(data, size, 0.0F);
    return data;
  }
  void* const pages = mmap(nullptr, size * sizeof(float), PROT_READ | PROT_WRITE,
                           MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (pages == MAP_FAILED) throw std::bad_alloc();
  madvise(pages, size * sizeof(float), MADV_HUGEPAGE);  // a wish: the system may not have them
  return static_cast<float*>(pages);
}

}  // namespace

Buffer::Buffer(std::size_t size) : data_(allocate(size), Delete{size}) {
  bytes_of_all += size * sizeof(float);
}

std::size_t Buffer::bytes_held() noexcept { return bytes_of_all; }

void Buffer::Delete::operator()(float* data) const noexcept {
  bytes_of_all -= size * sizeof(float);
  if (is_large(size)) {
    munmap(data, size * sizeof(float));
  } else {
    ::operator delete(data, kAlignment);
  }
}

}  // namespace quadgate
