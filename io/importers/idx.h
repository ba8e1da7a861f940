#pragma once

#include <filesystem>

#include "io/importers/import_options.h"
#include "io/prepare/dataset_writer.h"

namespace quadgate {

/// Reads the IDX files of MNIST-like sets (http://yann.lecun.com/exdb/mnist), plain or gzipped:
/// `images` uint8 [n, rows, columns] and `labels` uint8 [n]. An image is the sequence of its rows,
/// with values / 255. The classes are "0" to the largest label; without a name of `labels`, nobody
/// knows them. Throws FileError, naming file, expected and found, if a file is missing, truncated
/// or of another kind, or if the counts differ.
LabelledSequences read_idx(const std::filesystem::path& images, const std::filesystem::path& labels,
                           const ImportOptions& options = {});

}  // namespace quadgate
