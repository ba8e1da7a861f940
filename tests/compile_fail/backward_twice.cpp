#include "engine/native/stack.h"

void f(quadgate::native::Stack& stack, quadgate::native::Stack::Forward forward) {
  stack.backward(forward, nullptr);  // and once more?
}
