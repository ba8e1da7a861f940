#pragma once

#include <array>
#include <string_view>
#include <utility>

#include "io/tensors/tensor_file.h"

/// What PyTorch calls things in its files.
namespace quadgate::torch_names {

inline constexpr std::string_view kOrderedDict = "collections.OrderedDict";
inline constexpr std::string_view kTensor = "torch._utils._rebuild_tensor_v2";
// Both have a tensor as their first argument.
inline constexpr std::array<std::string_view, 2> kParameters{
    "torch._utils._rebuild_parameter", "torch._utils._rebuild_parameter_with_state"};
inline constexpr std::array<std::pair<std::string_view, ElementType>, 10> kStorages{
    {{"torch.FloatStorage", ElementType::f32},
     {"torch.DoubleStorage", ElementType::f64},
     {"torch.HalfStorage", ElementType::f16},
     {"torch.BFloat16Storage", ElementType::bf16},
     {"torch.LongStorage", ElementType::i64},
     {"torch.IntStorage", ElementType::i32},
     {"torch.ShortStorage", ElementType::i16},
     {"torch.CharStorage", ElementType::i8},
     {"torch.ByteStorage", ElementType::u8},
     {"torch.BoolStorage", ElementType::boolean}}};

inline constexpr std::string_view kData = "data.pkl";
inline constexpr std::string_view kExtra = "extra/";

}  // namespace quadgate::torch_names
