#pragma once

#include <filesystem>

#include "io/importers/import_options.h"
#include "io/prepare/dataset_writer.h"

namespace quadgate {

/// Reads the `.ts` text format of aeon and sktime
/// (https://www.aeon-toolkit.org/en/stable/api_reference/file_specifications/ts.html), plain or
/// gzipped. A line is a sequence: ':' divides dimensions, ',' values, and the label comes last.
/// @classLabel names the classes in their order. Sequences may have different lengths, the
/// dimensions of one may not. Throws FileError ("a.ts:17: dimension 3: expected ..., found ...").
LabelledSequences read_ts(const std::filesystem::path& path, const ImportOptions& options = {});

}  // namespace quadgate
