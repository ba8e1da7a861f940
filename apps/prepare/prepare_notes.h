#pragma once

#include <string>
#include <vector>

#include "io/importers/npz_file.h"
#include "io/prepare/dataset_writer.h"
#include "io/prepare/series_writer.h"

namespace quadgate::apps {

using Lines = std::vector<std::string>;

/// What was done to the rows of series; `policy` is of missing values.
Lines notes_on(const Series& series, const std::string& policy);
/// The same of sequences.
Lines notes_on(const LabelledSequences& data, const std::string& policy);

/// Warns of arrays that are not read of a series, of sequences, or of those that are divided.
void warn_of_unread(const NpzFile& file, bool is_of_series, bool is_divided);

}  // namespace quadgate::apps
