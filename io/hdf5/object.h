#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace quadgate::hdf5 {

/// What the elements of a dataset are read as; `other` is all that quadgate does not read.
enum class Element : std::uint8_t { float32, int32, int64, other };

/// Of a type as numpy names it: floats of 16 to 64 bits, bfloat16 too, are read as float32,
/// integers as int32 or int64.
Element element_of(std::string_view type_text) noexcept;

/// In bytes in memory, of elements that quadgate reads.
constexpr std::size_t size_of(Element element) noexcept {
  return element == Element::int64 ? 8 : 4;
}

/// How a dataset is stored.
struct DatasetInfo {
  Element element = Element::other;       ///< of type_text
  std::string type_text;                  ///< as numpy names it: "float32", "int64", ...
  std::int64_t element_bytes = 0;         ///< in the file
  std::vector<std::int64_t> shape;        ///< its number of elements is a std::int64_t
  std::vector<std::int64_t> chunk_shape;  ///< empty if it is in one piece
  std::string filters_text;               ///< ", shuffle, gzip 4"
  std::int64_t stored_bytes = 0;
  std::int64_t address = 0;  ///< of what describes it in the file, the same for each of its names
  std::int64_t offset = -1;  ///< in the file, if the elements lie there as they do in memory
};

/// Its values; none if they are neither numbers nor texts, or damaged.
using Attribute = std::variant<std::monostate, std::vector<std::int64_t>, std::vector<double>,
                               std::vector<std::string>>;

enum class ObjectKind : std::uint8_t { missing, group, dataset, other };

/// All about one object of a file but the elements of a dataset.
struct Object {
  ObjectKind kind = ObjectKind::missing;
  std::vector<std::string> members;  ///< of a group, sorted
  std::map<std::string, Attribute> attributes;
  DatasetInfo dataset;
};

/// What is wrong with an object, whose name its message does not tell.
class Unfit : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// Of the sizes of a shape: its number of elements.
std::int64_t product(std::span<const std::int64_t> sizes) noexcept;

/// "[60000, 28, 28]"
std::string shape_text(std::span<const std::int64_t> shape);

/// "FILE: 'train/x'", or "FILE" for the root.
std::string object_text(const std::filesystem::path& path, const std::string& object);

/// "FILE: attribute 'train@begin'"
std::string attribute_text(const std::filesystem::path& path, const std::string& object,
                           const std::string& attribute);

}  // namespace quadgate::hdf5
