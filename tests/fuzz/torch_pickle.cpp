// The pickle in a PyTorch file, which the zip file's checksums hide from the target torch_file.

#include <array>

#include "io/model/model_tensors.h"
#include "io/tensors/torch_file.h"
#include "io/tensors/zip.h"
#include "tests/fuzz/fuzz_file.h"

namespace quadgate::fuzz {

void read(Bytes input) {
  static const std::array<std::byte, 256> storage{};
  const auto bytes = make_zip(
      {{"m/data.pkl", input}, {"m/data/0", storage}, {"m/data/1", storage}, {"m/data/2", storage}},
      "m.pt");
  model_of(parse_torch_file(bytes, "m.pt"), "m.pt");
}

}  // namespace quadgate::fuzz
