#pragma once

namespace quadgate {

/// Whether an open file lies on a disk that a network, or another program, stands before: if that
/// goes, a read waits for ever.
bool is_on_network_disk(int descriptor) noexcept;

}  // namespace quadgate
