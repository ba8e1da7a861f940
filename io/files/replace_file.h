#pragma once

#include <cstddef>
#include <filesystem>
#include <optional>
#include <span>

namespace quadgate {

/// Makes `bytes` the content of `path`, wholly or not at all: a TemporaryFile is written, synced
/// and renamed, and the folder synced. With `previous`, the file that was there gets that name.
/// Throws FileError, naming the file and the reason, with no temporary file left behind and the
/// other files as they were.
void replace_file(const std::filesystem::path& path, std::span<const std::byte> bytes,
                  const std::optional<std::filesystem::path>& previous = {});

}  // namespace quadgate
