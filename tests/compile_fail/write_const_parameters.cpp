// What is lent as const is not written through a span.
#include "engine/model/parameters.h"

void write(const quadgate::Parameters& parameters) { parameters.values()[0] = 1.0F; }
