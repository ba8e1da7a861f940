#pragma once

#include <filesystem>

#include "io/importers/import_options.h"
#include "io/prepare/dataset_writer.h"

namespace quadgate {

/// Reads the IDX files of MNIST-like sets (http://yann.lecun.com/exdb/mnist), plain or gzipped:
/// `images` uint8 [n, rows, columns], each the sequence of its rows with values / 255, and `labels`
/// uint8 [n]; the classes are "0" to the largest label. Throws FileError, naming the file, what was
/// expected and found, if a file is missing, truncated, of another kind, or the counts differ.
LabelledSequences read_idx(const std::filesystem::path& images, const std::filesystem::path& labels,
                           const ImportOptions& options = {});

}  // namespace quadgate
