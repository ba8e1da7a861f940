#include "io/tensors/keras_file.h"

#include "io/model/model_tensors.h"
#include "tests/fuzz/fuzz_file.h"

namespace quadgate::fuzz {

void read(Bytes input) { model_of(read_keras_file(InputFile(input).path()), "m.weights.h5"); }

}  // namespace quadgate::fuzz
