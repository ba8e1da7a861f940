#pragma once

#include <filesystem>
#include <map>
#include <string>

#include "engine/model/parameters.h"
#include "io/model/checkpoint.h"

namespace quadgate {

/// Writes a whole model as an ONNX graph of opset 17: from "x" [N, T, I], or "tokens" [N, T], and
/// "lengths" int32 [N] (whatever lies beyond them counts for nothing) to "output": [N,
/// output_size], or [N, T, output_size] for a tagger or language model; the latter also goes from
/// "h_0" (and "c_0") [layers, N, H] to "h_n" (and "c_n"). N and T vary. Of a forecast or
/// regression, values as the model was trained on; of classes, logits. Atomic (see replace_file).
/// Throws InvalidArgument for what ONNX does not have (proj_size), FileError.
void write_onnx(const std::filesystem::path& path, const ModelDescription& model,
                const Parameters& parameters, const std::map<std::string, std::string>& metadata);

}  // namespace quadgate
