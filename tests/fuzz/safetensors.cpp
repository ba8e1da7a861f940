#include "io/tensors/safetensors.h"

#include "io/model/model_tensors.h"
#include "tests/fuzz/fuzz_file.h"

namespace quadgate::fuzz {

void read(Bytes input) { model_of(parse_safetensors(input, "m.safetensors"), "m.safetensors"); }

}  // namespace quadgate::fuzz
