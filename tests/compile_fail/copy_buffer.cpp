// A buffer owns its floats.
#include "engine/buffer.h"

quadgate::Buffer copy(const quadgate::Buffer& buffer) { return buffer; }
