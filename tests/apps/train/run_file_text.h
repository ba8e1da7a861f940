#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "apps/train/run_config.h"
#include "engine/base/error.h"

namespace quadgate::apps {

inline constexpr const char* kSmallest = R"(
[data]
path = "vowels.h5"
[model]
hidden_size = 64
[train]
epochs = 30
[output]
dir = "runs/vowels"
)";

inline RunConfig parse(std::string_view text, std::vector<std::string> overrides = {}) {
  return parse_run_config(text, "run.toml", overrides);
}

/// The message of the InvalidArgument that parsing throws.
inline std::string error_of(std::string_view text, std::vector<std::string> overrides = {}) {
  try {
    parse(text, std::move(overrides));
  } catch (const InvalidArgument& error) {
    return error.what();
  }
  return "no error";
}

inline std::string error_of_set(const std::string& assignment) {
  return error_of(kSmallest, {assignment});
}

}  // namespace quadgate::apps
