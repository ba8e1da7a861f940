#pragma once

// For the files of one instruction set, like math.h.

#include <cstdint>

namespace quadgate::kernels {
namespace {

/// Calls body.template operator()<n>() for the n vectors, 1 to 4, that hold `columns` floats; not
/// at all for none.
template <typename Vec, typename Body>
void with_vectors(std::int64_t columns, Body body) noexcept {
  switch ((columns + Vec::kLanes - 1) / Vec::kLanes) {
    case 0:
      return;
    case 1:
      return body.template operator()<1>();
    case 2:
      return body.template operator()<2>();
    case 3:
      return body.template operator()<3>();
    default:
      return body.template operator()<4>();
  }
}

}  // namespace
}  // namespace quadgate::kernels
