#include "engine/native/stack.h"

quadgate::native::Pass f(const quadgate::Batch& batch, const quadgate::native::PackedSteps& steps) {
  return {batch, steps, nullptr, {}};
}
