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

  bool operator==(const NamedTensor&) const = default;
};

/// What the model files of other programs hold.
struct TensorFile {
  std::vector<NamedTensor> tensors;
  std::map<std::string, std::string> metadata{};  ///< texts by key

  bool operator==(const TensorFile&) const = default;
};

/// The key of the metadata that tells the cell of the recurrent layers.
inline constexpr const char* kCellKey = "cell";

/// The numbers that a model file may hold. All become float.
enum class ElementType : std::uint8_t { f64, f32, f16, bf16 };

/// In bytes.
std::size_t size_of(ElementType type) noexcept;
/// The number at `element`, which need not be aligned.
float to_float(ElementType type, const std::byte* element) noexcept;

/// The number of elements of a shape, or -1 if a size is negative or there are more than `most`.
std::int64_t count_elements(std::span<const std::int64_t> shape, std::int64_t most) noexcept;

/// The whole of a file. Throws FileError.
std::vector<std::byte> read_bytes(const std::filesystem::path& path);

}  // namespace quadgate
