#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <initializer_list>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "io/hdf5/object.h"

/// Reading HDF5 files, damaged ones too: the HDF5 library works in a process of its own.
///
/// Every function throws FileError, whose message names the file and the dataset or attribute, and
/// may be called in several threads at once.
namespace quadgate::hdf5 {

class Source;

/// In an expected shape: any size.
inline constexpr std::int64_t kAnySize = -1;

/// One dataset of a file, which it keeps open.
class Array {
 public:
  const std::string& name() const noexcept { return name_; }
  Element element() const noexcept { return info_.element; }
  /// The type as numpy names it: "float32", "int64", ...
  const std::string& type_text() const noexcept { return info_.type_text; }
  const std::vector<std::int64_t>& shape() const noexcept { return info_.shape; }
  /// Number of elements.
  std::int64_t size() const noexcept { return product(info_.shape); }
  /// The shape of the chunks that the dataset is stored in; empty if it is in one piece.
  const std::vector<std::int64_t>& chunk_shape() const noexcept { return info_.chunk_shape; }
  /// Whether rows in any order are slow to read: each in a chunk to decompress, which finds no room
  /// to be kept. The room is taken, and the answer stays the same.
  bool has_slow_rows() const;
  /// How it is stored: "contiguous", "chunks of [128, 28, 28], shuffle, gzip 4, 31.2 % of its
  /// size".
  std::string storage_text() const;

  /// Throws unless the dataset has elements that can be read as these, integers as floats too, and
  /// this shape (kAnySize fits all); `dimensions` is how the message writes the expected shape,
  /// e.g.
  /// "[n, T, I]".
  void expect(Element element, std::initializer_list<std::int64_t> shape,
              std::string_view dimensions) const;

  /// Reads `count` rows (slices of the first dimension) from row `first`. `out` has exactly their
  /// elements. An integer that `out` cannot hold throws.
  void read(std::int64_t first, std::int64_t count, std::span<float> out) const;
  void read(std::int64_t first, std::int64_t count, std::span<std::int32_t> out) const;
  void read(std::int64_t first, std::int64_t count, std::span<std::int64_t> out) const;
  /// All elements. Throws unless they are numbers, in at least one dimension.
  std::vector<float> read_floats() const;

  /// "FILE: dataset 'train/x'", to begin an error message with.
  std::string where() const;

 private:
  friend class File;
  Array(std::shared_ptr<Source> source, std::string name, DatasetInfo info);
  std::int64_t row_size() const noexcept;
  template <typename Wanted>
  void read_as(std::int64_t first, std::int64_t count, Element wanted, std::span<Wanted> out) const;
  template <typename Stored, typename Wanted>
  void read_integers(std::int64_t first, std::int64_t count, std::span<Wanted> out) const;
  void read_rows(std::int64_t first, std::int64_t count, Element element,
                 std::span<std::byte> out) const;

  std::shared_ptr<Source> source_;
  std::string name_;
  DatasetInfo info_;
};

/// An HDF5 file, open for reading. Objects are named by their path from the root, without a leading
/// slash; "" is the root group.
class File {
 public:
  /// Throws also if the file has a checksum, but not of this content, or had one (see checksum.h).
  /// A MemoryFile of this name comes first.
  static File open(const std::filesystem::path& path);
  /// A file that is in memory, of which the reading process gets a copy; `path` is its name in
  /// messages.
  static File open_image(std::span<const std::byte> image, const std::filesystem::path& path);

  const std::filesystem::path& path() const noexcept;

  bool has(const std::string& object) const;
  bool is_group(const std::string& object) const;
  /// Names of the members of a group, sorted.
  std::vector<std::string> members(const std::string& group) const;
  Array array(const std::string& name) const;

  bool has_attribute(const std::string& object, const std::string& name) const;
  std::int64_t read_int(const std::string& object, const std::string& name) const;
  double read_double(const std::string& object, const std::string& name) const;
  std::string read_string(const std::string& object, const std::string& name) const;
  std::vector<std::string> read_strings(const std::string& object, const std::string& name) const;
  std::vector<float> read_floats(const std::string& object, const std::string& name) const;
  std::vector<double> read_doubles(const std::string& object, const std::string& name) const;

  /// Throws unless the root's attributes are `format` and a `format_version` from 1 (also if there
  /// is none) to `newest`.
  void expect_format(std::string_view format, std::int64_t newest) const;

  /// "FILE: attribute 'train@begin'", to begin an error message with.
  std::string where(const std::string& object, const std::string& attribute) const;

 private:
  explicit File(std::shared_ptr<Source> source) noexcept;
  const Attribute& attribute(const std::string& object, const std::string& name) const;

  std::shared_ptr<Source> source_;
};

}  // namespace quadgate::hdf5
