#pragma once

#include "apps/bench/scaling_run.h"
#include "apps/common/ranks.h"

namespace quadgate::apps {

/// Times training steps at several numbers of ranks, the first ones of a run, and of threads, in
/// turns, where they have cores of their own; the other ranks sleep. With arguments.network it
/// measures what the exchange is made of as well, and predicts the step. Rank 0 writes the report.
/// Collective.
void scale_ranks(Ranks& ranks, const ScalingArguments& arguments);

}  // namespace quadgate::apps
