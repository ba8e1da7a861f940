#pragma once

#include "apps/prepare/prepare_job.h"
#include "io/importers/csv.h"

namespace quadgate::apps {

/// How the tables of a job are read. Throws InvalidArgument if an option is not as its help says.
CsvOptions csv_options(const PrepareJob& job);

}  // namespace quadgate::apps
