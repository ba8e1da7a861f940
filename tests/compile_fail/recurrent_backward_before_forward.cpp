#include "engine/training/recurrent.h"

void f(quadgate::Recurrent& recurrent, std::span<const float> d_output) {
  recurrent.backward(d_output);
}
