#include "io/importers/missing_policy.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cstddef>

#include "engine/base/error.h"

namespace quadgate {
namespace {

constexpr std::array<std::string_view, 4> kPolicyNames{"error", "drop", "forward", "mean"};

}  // namespace

MissingPolicy missing_policy_from_name(std::string_view name) {
  const auto* const found = std::ranges::find(kPolicyNames, name);
  if (found == kPolicyNames.end()) {
    throw InvalidArgument(fmt::format("missing: expected one of {}, found '{}'",
                                      fmt::join(kPolicyNames, ", "), name));
  }
  return static_cast<MissingPolicy>(found - kPolicyNames.begin());
}

std::string_view to_string(MissingPolicy policy) {
  return kPolicyNames.at(static_cast<std::size_t>(policy));
}

std::string way_out_of_missing(std::string_view kind) {
  return fmt::format(
      " (prepare {} with --missing, beside --like too, drops or fills what is missing)", kind);
}

}  // namespace quadgate
