// So are those of one tensor.
#include "engine/model/parameters.h"

void write(quadgate::Parameters& parameters) {
  parameters.value(parameters.slice("head.bias"))[0] = 1.0F;
}
