#pragma once

#include <span>
#include <vector>

#include "apps/bench/simulation_model.h"
#include "apps/bench/step_shape.h"
#include "engine/threads/arena.h"

namespace quadgate::apps {

/// What `cores` cores would share of a step of this shape. Throws InvalidArgument if the backend
/// does not tell.
StepPlan plan_step(const StepShape& shape, int cores);

/// Measures a step of one core for about `seconds`, at least 5 steps.
StepProfile measure_profile(const StepShape& shape, double seconds, Pinning pinning);

/// Measures what `cores` cores, which there must be, take to meet.
Meeting measure_meeting(int cores, Pinning pinning);

/// The median of each time. All are of the same steps, or of the same cores.
StepProfile median_of(std::span<const StepProfile> samples);
Meeting median_of(std::span<const Meeting> samples);

}  // namespace quadgate::apps
