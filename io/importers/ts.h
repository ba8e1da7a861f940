#pragma once

#include <filesystem>

#include "io/importers/import_options.h"
#include "io/importers/missing_policy.h"
#include "io/prepare/dataset_writer.h"

namespace quadgate {

/// Reads the `.ts` text format of aeon and sktime
/// (https://www.aeon-toolkit.org/en/stable/api_reference/file_specifications/ts.html), plain or
/// gzipped. A line is a sequence: ':' divides dimensions, ',' values, and the label comes last.
/// @classLabel names the classes in their order; after @targetLabel the label is a number, to
/// regress. Lines that begin with '#' or '%' are comments. With @timeStamps a value is
/// "(time,value)", and times are left out. Sequences may have different lengths, the dimensions of
/// one may not. '?' and NaN are missing (see fill_missing). With options.unlabelled, lines may have
/// no label (@classLabel false), or '?'. Throws FileError ("a.ts:17: dimension 3: expected ...,
/// found ..."). With options.in_pieces `take` gets the sequences that have come; returns the
/// others.
LabelledSequences read_ts(const std::filesystem::path& path,
                          MissingPolicy missing = MissingPolicy::error,
                          const ImportOptions& options = {},
                          const PieceTaker<LabelledSequences>& take = {});

/// Whether a file is of the kind that read_tsf reads: it has attributes in front of its data. A
/// pipe, which could not be read twice, is not.
bool is_tsf(const std::filesystem::path& path);

}  // namespace quadgate
