#include "engine/native/stack.h"

void f(quadgate::native::Stack& stack, const quadgate::native::WorkRange& work) {
  stack.forward(work);
}
