#include "io/tensors/onnx_reader.h"

#include "io/model/model_tensors.h"
#include "tests/fuzz/fuzz_file.h"

namespace quadgate::fuzz {

void read(Bytes input) { model_of(parse_onnx(input, "m.onnx"), "m.onnx"); }

}  // namespace quadgate::fuzz
