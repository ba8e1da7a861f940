#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>

#include "engine/model/config.h"
#include "io/files/file_progress.h"
#include "io/files/spool.h"

namespace quadgate {

/// How importers read.
struct ImportOptions {
  SpoolOptions spool{};         ///< where they put what they read
  ProgressObserver observer{};  ///< hears how far they are, if there is one
  bool in_pieces = false;  ///< they hand on what they have read whenever more must be waited for
  std::size_t buffer_size = std::size_t{1} << 20;  ///< bytes to read at once
  std::optional<Task>
      unlabelled{};  ///< of data like others, which may lack labels; else they may not
};

/// Takes what was read of an input in pieces since the piece before, up to a line. See
/// ImportOptions::in_pieces.
template <typename Data>
using PieceTaker = std::function<void(Data piece, std::int64_t line)>;

}  // namespace quadgate
