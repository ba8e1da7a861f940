// A network plans its memory once; a copy would silently share or double it.
#include "engine/training/network.h"

quadgate::Network copy(quadgate::Network& network) { return network; }
