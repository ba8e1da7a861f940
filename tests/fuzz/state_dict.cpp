#include "io/model/state_dict.h"

#include "io/model/model_tensors.h"
#include "tests/fuzz/fuzz_file.h"

namespace quadgate::fuzz {

void read(Bytes input) {
  if (const auto file = read_state_dict(InputFile(input).path())) model_of(*file, "m.h5");
}

}  // namespace quadgate::fuzz
