#pragma once

#include "io/files/spool.h"
#include "io/importers/missing_policy.h"
#include "io/prepare/dataset_writer.h"
#include "io/prepare/series_writer.h"

namespace quadgate {

/// Sequences of the same kind, of which there are none so far.
LabelledSequences empty_like(const LabelledSequences& data, const SpoolOptions& spool);

/// Deals with the values of x that are NaN: `drop` leaves their sequences out; `forward` takes the
/// value of the step before, and leaves out the first steps, up to one whose values are all known;
/// `mean` is left to the writer, and `error` to the one who reads x. Throws FileError if nothing is
/// left.
LabelledSequences fill_missing(LabelledSequences data, MissingPolicy policy,
                               const SpoolOptions& spool);

/// The same of series, whose rows are all of the train split; `drop` leaves rows out.
Series fill_missing(Series data, MissingPolicy policy, const SpoolOptions& spool);

}  // namespace quadgate
