#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <span>
#include <string>
#include <vector>

namespace quadgate {

/// A named array of a model file, row-major.
struct NamedTensor {
  std::string name;
  std::vector<std::int64_t> shape;
  std::vector<float> values;
  bool whole_numbers = false;  ///< the file has integers: a counter, say

  bool operator==(const NamedTensor&) const = default;
};

/// What the model files of other programs hold.
struct TensorFile {
  std::vector<NamedTensor> tensors;
  std::map<std::string, std::string> metadata{};  ///< texts by key
  std::vector<std::string> notes{};               ///< what was assumed or left out, a line each
  bool in_order = false;                          ///< modules come as their program made them

  bool operator==(const TensorFile&) const = default;
};

/// The keys of metadata that tell what the tensors do not: the cell of the recurrent layers, task,
/// pooling and loss of the head, and a convolution's padding and pool_size, each as checkpoints
/// name it.
inline constexpr const char* kCellKey = "cell";
inline constexpr const char* kTaskKey = "quadgate.task";
inline constexpr const char* kPoolingKey = "quadgate.pooling";
inline constexpr const char* kLossKey = "quadgate.loss";
inline constexpr const char* kConvPaddingKey = "quadgate.conv_padding";
inline constexpr const char* kConvPoolSizeKey = "quadgate.conv_pool_size";

/// The numbers that a model file may hold. All become float.
enum class ElementType : std::uint8_t { f64, f32, f16, bf16, i64, i32, i16, i8, u8, boolean };

/// Whether they are whole numbers.
constexpr bool is_whole(ElementType type) noexcept { return type >= ElementType::i64; }

/// Tensors may share what a file holds, but a small file must not become large: the most times its
/// size that all of them have.
inline constexpr std::size_t kMostTimesOfFile = 8;

/// In bytes.
std::size_t size_of(ElementType type) noexcept;
/// The number at `element`, which need not be aligned.
float to_float(ElementType type, const std::byte* element) noexcept;

/// The number of elements of a shape, or -1 if a size is negative or there are more than `most`.
std::int64_t count_elements(std::span<const std::int64_t> shape, std::int64_t most) noexcept;

/// The whole of a regular file. Throws FileError, of a pipe at once.
std::vector<std::byte> read_bytes(const std::filesystem::path& path);

}  // namespace quadgate
