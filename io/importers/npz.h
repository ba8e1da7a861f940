#pragma once

#include <span>
#include <string>
#include <vector>

#include "io/importers/import_options.h"
#include "io/importers/npz_file.h"
#include "io/prepare/dataset_writer.h"
#include "io/prepare/series_writer.h"

namespace quadgate {

/// Reads sequences from the arrays of an .npz file whose names end in `suffix` ("", "_train", ...):
///
///     x         [n, T, I], [n, T]                           one feature if there is no I
///               [sum of lengths, I], [sum of lengths]       with offsets
///     offsets   [n + 1]                                     0, then where each sequence ends
///     y         integers or texts [n], -100: no label       classification
///               integers [n, T], [sum of lengths]           tagging
///               floats [n, O], [n]                          regression
///
/// With options.unlabelled there may be no y. The arrays `feature_names` and `class_names`, if any,
/// name features and classes. Throws FileError ("a.npz: array 'y': ...").
LabelledSequences read_npz(const NpzFile& file, const std::string& suffix,
                           const ImportOptions& options = {});

/// The arrays that read_npz reads for none of these suffixes, in the file's order; without a suffix
/// those that read_npz_series does not read.
std::vector<std::string> unread_arrays(const NpzFile& file, std::span<const std::string> suffixes);

/// Reads a series from the array x [L, C] or [L]. All rows are of the train split. Throws
/// FileError.
Series read_npz_series(const NpzFile& file, const ImportOptions& options = {});

}  // namespace quadgate
