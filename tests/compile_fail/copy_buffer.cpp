// A buffer owns its floats.
#include "engine/base/buffer.h"

quadgate::Buffer copy(const quadgate::Buffer& buffer) { return buffer; }
