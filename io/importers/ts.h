#pragma once

#include <filesystem>

#include "io/importers/import_options.h"
#include "io/prepare/dataset_writer.h"

namespace quadgate {

/// Reads the `.ts` text format of aeon and sktime
/// (https://www.aeon-toolkit.org/en/stable/api_reference/file_specifications/ts.html), plain or
/// gzipped: a sequence a line, dimensions divided by ':', values by ',', the label last; class
/// names and their order from @classLabel. Lengths may differ between sequences, not between the
/// dimensions of one. Throws FileError ("a.ts:17: dimension 3: expected ..., found ...").
LabelledSequences read_ts(const std::filesystem::path& path, const ImportOptions& options = {});

}  // namespace quadgate
