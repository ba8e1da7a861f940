// A network keeps pointers to its weights.
#include "engine/training/network.h"

void replace(quadgate::Network& network) {
  network.parameters() = quadgate::Parameters(network.config());
}
