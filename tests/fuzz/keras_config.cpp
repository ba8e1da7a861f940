#include "io/tensors/keras_config.h"

#include "tests/fuzz/fuzz_file.h"

namespace quadgate::fuzz {

// The config.json of a .keras file, whose checksum would hide most changes.
void read(Bytes input) {
  keras::check_layers(keras::read_config(text_of(input), "m.keras"), "m.keras");
}

}  // namespace quadgate::fuzz
