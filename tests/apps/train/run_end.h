#pragma once

#include <filesystem>

namespace quadgate::apps {

/// Expects that two runs, in these folders, left the same bits: weights, optimizer, where the
/// training stands, best.h5, and metrics.jsonl but for the clocks.
void expect_same_end(const std::filesystem::path& run, const std::filesystem::path& reference);

}  // namespace quadgate::apps
