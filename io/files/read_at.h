#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

namespace quadgate {

/// Fills `out` with an open file's bytes from `offset` on. Returns how many it got, which are fewer
/// at the file's end alone; none, and errno tells why, if the file cannot be read.
std::optional<std::size_t> read_at(int descriptor, std::int64_t offset, std::span<std::byte> out);

}  // namespace quadgate
