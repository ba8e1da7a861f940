#include "engine/native/stack.h"

void f(quadgate::native::Stack& stack, const quadgate::native::Stack::Forward& forward,
       quadgate::RecurrentStates& states) {
  stack.store_d_states(forward, states);
}
