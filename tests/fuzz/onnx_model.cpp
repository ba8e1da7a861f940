#include "io/model/onnx_model.h"
#include "tests/fuzz/fuzz_file.h"

namespace quadgate::fuzz {

void read(Bytes input) { read_onnx(input, "m.onnx", {}); }

}  // namespace quadgate::fuzz
