#pragma once

#include <string>

#include "io/importers/import_options.h"
#include "io/importers/npz_file.h"
#include "io/prepare/dataset_writer.h"
#include "io/prepare/series_writer.h"

namespace quadgate {

/// Reads sequences out of the arrays `x` and `y` of an .npz file, whose names end in `suffix` ("",
/// "_train", ...). x is [n, T, I] or [n, T] (one feature), or, with `offsets` [n + 1], 0 and where
/// each sequence ends, [sum of lengths, I] or [sum of lengths]. y is integers or texts, [n], to
/// classify; integers [n, T] or [sum of lengths] to tag; floats [n, O] or [n] to regress. The
/// arrays `feature_names` and `class_names` name features and classes. Throws FileError ("a.npz:
/// array 'y':
/// ...").
LabelledSequences read_npz(const NpzFile& file, const std::string& suffix,
                           const ImportOptions& options = {});

/// Reads a series out of the array x [L, C] or [L]; all rows are of the train split. Throws
/// FileError.
Series read_npz_series(const NpzFile& file, const ImportOptions& options = {});

}  // namespace quadgate
