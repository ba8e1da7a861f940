#pragma once

#include <cstdint>
#include <vector>

#include "io/files/spool.h"

namespace quadgate::testing {

/// All of an array, in memory.
inline std::vector<double> doubles_of(const SpooledFloats& floats) {
  std::vector<double> values(static_cast<std::size_t>(floats.size()));
  SpooledFloats::Reader(floats).read(values);
  return values;
}

inline std::vector<float> values_of(const SpooledFloats& floats) {
  const std::vector<double> values = doubles_of(floats);
  return {values.begin(), values.end()};
}

inline std::vector<std::int64_t> values_of(const SpooledIntegers& integers) {
  SpooledIntegers::Reader reader(integers);
  std::vector<std::int64_t> values;
  for (std::int64_t i = 0; i < integers.size(); ++i) values.push_back(reader.next());
  return values;
}

}  // namespace quadgate::testing
