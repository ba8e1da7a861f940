#pragma once

#include <cstddef>
#include <span>

namespace quadgate::hdf5 {

/// Makes chunks readable that h5py compressed with `compression="lzf"`, which is no filter of the
/// HDF5 library's own. Call it under the LibraryLock.
void register_lzf();

/// Unpacks LZF data (http://oldhome.schmorp.de/marc/liblzf.html): runs of bytes, and copies of
/// bytes that were there before. Returns how many bytes of `out` they fill; 0 if they are damaged
/// or do not fit.
std::size_t unpack_lzf(std::span<const std::byte> packed, std::span<std::byte> out) noexcept;

}  // namespace quadgate::hdf5
