#pragma once

#include <cstddef>
#include <filesystem>
#include <span>
#include <string>

#include "io/model/import_choices.h"
#include "io/model/model_tensors.h"

namespace quadgate {

/// The model that an ONNX graph computes. A file that write_onnx wrote, and nobody changed, gives
/// the same model again, with all its names. Of other graphs, embedding, convolution, recurrent
/// layers, pooling and head are found by what the nodes do, whatever they are called. The task is
/// tagging if there is a head at every step, else classification, and `choices` may say better;
/// without a head, output_size is 0; classes and tokens are called "0", "1", ... What is assumed or
/// left out is a note of the model. `name` stands for the file in messages. External weights lie in
/// files of `folder`. Throws FileError, naming the node that computes what no model of ours does,
/// and InvalidArgument for a choice that the model cannot be.
Model read_onnx(std::span<const std::byte> bytes, const std::string& name,
                const std::filesystem::path& folder, const ImportChoices& choices = {});

}  // namespace quadgate
