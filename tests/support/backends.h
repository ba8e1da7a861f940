#pragma once

#include <gtest/gtest.h>

#include <string>

#include "engine/backend/backend.h"

namespace quadgate::testing {

/// For tests that every backend must pass.
inline auto both_backends() { return ::testing::Values(BackendKind::onednn, BackendKind::native); }

inline std::string backend_name(const ::testing::TestParamInfo<BackendKind>& info) {
  return std::string(to_string(info.param));
}

/// The name of a test's Combine(..., both_backends()), from the name of its first parameter.
inline std::string with_backend(const std::string& name, BackendKind backend) {
  return name + "_" + std::string(to_string(backend));
}

}  // namespace quadgate::testing
