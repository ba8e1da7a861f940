#pragma once

#include <string>

#include "apps/bench/network_report.h"

namespace quadgate::apps {

/// The constants, checks and predictions of a network as a part of an HTML page.
std::string network_section(const NetworkReport& report);

}  // namespace quadgate::apps
