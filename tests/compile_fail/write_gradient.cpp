// A gradient belongs to the pass that returned it.
#include "engine/model/gradient.h"

void write(const quadgate::Gradient& gradient) { gradient.values[0] = 1.0F; }
