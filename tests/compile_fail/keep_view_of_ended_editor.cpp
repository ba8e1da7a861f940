// A view would outlive an editor without a name, and what is written to it be missed.
#include "engine/model/parameters.h"

void write(quadgate::Parameters& parameters) { parameters.edit().values()[0] = 1.0F; }
