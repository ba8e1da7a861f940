#include "io/hdf5/lzf_filter.h"

#include <hdf5.h>

#include <algorithm>

namespace quadgate::hdf5 {
namespace {

constexpr H5Z_filter_t kLzf = 32000;  // as registered with the HDF Group

// h5py stores the version of the filter, that of LZF, and the bytes of a chunk.
constexpr std::size_t kValues = 3;

std::size_t filter(unsigned flags, std::size_t value_count, const unsigned* values,
                   std::size_t size, std::size_t* buffer_size, void** buffer) {
  if ((flags & H5Z_FLAG_REVERSE) == 0 || value_count < kValues) return 0;
  const std::size_t chunk_bytes = values[2];
  void* const out = H5allocate_memory(chunk_bytes, false);
  if (out == nullptr) return 0;
  const std::size_t unpacked = unpack_lzf({static_cast<const std::byte*>(*buffer), size},
                                          {static_cast<std::byte*>(out), chunk_bytes});
  if (unpacked == 0) {
    H5free_memory(out);
    return 0;
  }
  H5free_memory(*buffer);
  *buffer = out;
  *buffer_size = chunk_bytes;
  return unpacked;
}

}  // namespace

void register_lzf() {
  const H5Z_class2_t lzf{H5Z_CLASS_T_VERS, kLzf, 0, 1, "lzf", nullptr, nullptr, filter};
  H5Zregister(&lzf);
}

//   000LLLLL                      a run of L + 1 bytes follows
//   LLLOOOOO            OOOOOOOO  a copy of L + 2 bytes from O + 1 bytes back, L < 7
//   111OOOOO  LLLLLLLL  OOOOOOOO  one of L + 9 bytes
std::size_t unpack_lzf(std::span<const std::byte> packed, std::span<std::byte> out) noexcept {
  std::size_t at = 0;
  std::size_t filled = 0;
  const auto next = [&] { return std::to_integer<std::size_t>(packed[at++]); };
  while (at < packed.size()) {
    const std::size_t control = next();
    if (control < 32) {
      const std::size_t length = control + 1;
      if (length > packed.size() - at || length > out.size() - filled) return 0;
      std::ranges::copy(packed.subspan(at, length),
                        out.begin() + static_cast<std::ptrdiff_t>(filled));
      at += length;
      filled += length;
      continue;
    }
    std::size_t length = (control >> 5) + 2;
    if (packed.size() - at < (length == 9 ? 2 : 1)) return 0;
    if (length == 9) length += next();
    const std::size_t back = ((control & 31) << 8) + next() + 1;
    if (back > filled || length > out.size() - filled) return 0;
    // Byte by byte: a copy may reach into itself.
    for (; length > 0; --length, ++filled) out[filled] = out[filled - back];
  }
  return filled;
}

}  // namespace quadgate::hdf5
