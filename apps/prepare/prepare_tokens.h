#pragma once

#include "apps/prepare/prepare_job.h"

namespace quadgate::apps {

/// Writes a data set of treebanks: sentences to tag. Throws FileError and DataError.
void prepare_conllu(PrepareJob job);

/// Writes a data set of texts, for a language model. Throws FileError and DataError.
void prepare_text(PrepareJob job);

}  // namespace quadgate::apps
