#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace quadgate {

/// What becomes of a missing value (see is_missing).
enum class MissingPolicy : std::uint8_t {
  error,    ///< the file is refused
  drop,     ///< the row, or the sequence, is left out
  forward,  ///< the value of the series' row before; rows without one are left out
  mean      ///< the mean of the column's training rows
};

/// "error", "drop", "forward" or "mean". Throws InvalidArgument for others.
MissingPolicy missing_policy_from_name(std::string_view name);

std::string_view to_string(MissingPolicy policy);

/// " (prepare csv ...)": what a user may do about a missing value in a file of that kind. Commands
/// that read a file as a model's data were read have no such option.
std::string way_out_of_missing(std::string_view kind);

}  // namespace quadgate
