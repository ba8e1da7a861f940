#pragma once

#include <cstddef>
#include <optional>

#include "engine/model/config.h"
#include "io/files/file_progress.h"
#include "io/files/spool.h"

namespace quadgate {

/// How importers read.
struct ImportOptions {
  SpoolOptions spool{};                            ///< where they put what they read
  ProgressObserver observer{};                     ///< hears how far they are, if there is one
  std::size_t buffer_size = std::size_t{1} << 20;  ///< bytes to read at once
  std::optional<Task>
      unlabelled{};  ///< of data like others, which may lack labels; else they may not
};

}  // namespace quadgate
