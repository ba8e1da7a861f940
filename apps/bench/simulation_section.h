#pragma once

#include <string>

#include "apps/bench/simulation_report.h"

namespace quadgate::apps {

/// The part of a page of `quadgate scale` on predicted steps of many threads.
std::string simulation_section(const SimulationReport& report);

}  // namespace quadgate::apps
