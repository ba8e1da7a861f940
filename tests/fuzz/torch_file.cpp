#include "io/tensors/torch_file.h"

#include "io/model/model_tensors.h"
#include "tests/fuzz/fuzz_file.h"

namespace quadgate::fuzz {

void read(Bytes input) { model_of(parse_torch_file(input, "m.pt"), "m.pt"); }

}  // namespace quadgate::fuzz
