#include "engine/training/recurrent.h"

void f(quadgate::Recurrent& recurrent, quadgate::Recurrent::Forward& forward,
       std::span<const float> d_output) {
  recurrent.backward(forward, d_output);  // and once more?
}
