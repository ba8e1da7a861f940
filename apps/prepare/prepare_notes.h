#pragma once

#include <string>

#include "io/importers/npz_file.h"
#include "io/prepare/dataset_writer.h"
#include "io/prepare/series_writer.h"

namespace quadgate::apps {

/// What was done to the rows of series, lines of it; `policy` is of missing values.
std::string note_on(const Series& series, const std::string& policy);
/// The same of sequences.
std::string note_on(const LabelledSequences& data, const std::string& policy);

/// Warns of arrays that are not read.
void warn_of_unread(const NpzFile& file, bool is_divided);

}  // namespace quadgate::apps
