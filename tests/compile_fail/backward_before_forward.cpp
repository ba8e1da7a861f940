#include "engine/native/stack.h"

void f(quadgate::native::Stack& stack, const quadgate::native::WorkRange& work) {
  stack.backward(stack.load(work, quadgate::native::StepFeatures{}), nullptr);
}
