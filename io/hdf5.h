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

/// A thin RAII wrapper over the serial C API of HDF5, safe to use from several threads.
///
/// Every function throws FileError, whose message names the file and the dataset or attribute.
namespace quadgate::hdf5 {

/// Owns one HDF5 identifier.
class Handle {
 public:
  explicit Handle(std::int64_t id = -1) noexcept : id_(id) {}
  ~Handle();
  Handle(Handle&& other) noexcept;
  Handle& operator=(Handle&& other) noexcept;

  std::int64_t id() const noexcept { return id_; }

 private:
  std::int64_t id_;
};

/// What the elements of a dataset are; `other` is all that quadgate does not read.
enum class Element { float32, int32, int64, other };

/// "[60000, 28, 28]"
std::string shape_text(std::span<const std::int64_t> shape);

/// In an expected shape: any size.
inline constexpr std::int64_t kAnySize = -1;

/// One dataset of a file. Reads go straight to the caller's memory.
class Array {
 public:
  const std::string& name() const noexcept { return name_; }
  Element element() const noexcept { return element_; }
  /// The type as numpy names it: "float32", "int64", ...
  const std::string& type_text() const noexcept { return type_text_; }
  const std::vector<std::int64_t>& shape() const noexcept { return shape_; }
  /// Number of elements.
  std::int64_t size() const noexcept;
  /// The shape of the chunks that the dataset is stored in; empty if it is in one piece.
  std::vector<std::int64_t> chunk_shape() const;
  /// Whether rows in any order are slow to read: each in a chunk to decompress, of more chunks than
  /// are kept.
  bool has_slow_rows() const;
  /// How it is stored: "contiguous", "chunks of [128, 28, 28], shuffle, gzip 4, 31.2 % of its
  /// size".
  std::string storage_text() const;

  /// Throws unless the dataset has these elements and this shape (kAnySize fits all); `dimensions`
  /// is how the message writes the expected shape, e.g. "[n, T, I]".
  void expect(Element element, std::initializer_list<std::int64_t> shape,
              std::string_view dimensions) const;

  /// Reads `count` rows (slices of the first dimension) from row `first`. `out` has exactly their
  /// elements.
  void read(std::int64_t first, std::int64_t count, std::span<float> out) const;
  void read(std::int64_t first, std::int64_t count, std::span<std::int32_t> out) const;
  void read(std::int64_t first, std::int64_t count, std::span<std::int64_t> out) const;
  /// All elements. Throws unless they are float32, in at least one dimension.
  std::vector<float> read_floats() const;

  /// "FILE: dataset 'train/x'", to begin an error message with.
  std::string where() const;

 private:
  friend class File;
  Array(std::filesystem::path path, std::string name, Handle dataset);
  void find_direct_access(const Handle& type);
  std::int64_t row_size() const noexcept;
  void read_rows(std::int64_t first, std::int64_t count, Element element, std::size_t size,
                 void* out) const;
  void read_directly(std::int64_t offset, std::size_t bytes, void* out) const;
  void read_converted(std::int64_t first, std::int64_t count, void* out) const;

  std::filesystem::path path_;
  std::string name_;
  Handle dataset_;  // keeps the file open, too
  Element element_ = Element::other;
  std::string type_text_;
  std::vector<std::int64_t> shape_;
  int descriptor_ = -1;      // of the file, if the elements lie in it as they do in memory
  std::int64_t offset_ = 0;  // where they then begin
};

struct DiskWrites;

/// An HDF5 file: opened for reading, or built in memory or on the disk. Objects are named by their
/// path from the root, without a leading slash; "" is the root group.
class File {
 public:
  ~File();
  File(File&& other) noexcept;
  File& operator=(File&& other) noexcept;

  /// Opens an existing file, read-only.
  static File open(const std::filesystem::path& path);
  /// A new file in memory; `path` is only named in messages. `image` gives its bytes, of which the
  /// first `user_block` (0, 512, 1024, 2048, ...) are left to the caller.
  static File create(const std::filesystem::path& path, std::size_t user_block = 0);

  /// A new file at `place`; `path` is only named in messages. `close` makes it whole.
  static File create_at(const std::filesystem::path& place, const std::filesystem::path& path);

  const std::filesystem::path& path() const noexcept { return path_; }
  /// HDF5's own.
  std::int64_t id() const noexcept { return file_.id(); }

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

  /// Throws unless the root's attributes are `format` and a `format_version` from 1 (also if there
  /// is none) to `newest`.
  void expect_format(std::string_view format, std::int64_t newest) const;

  void create_group(const std::string& name);
  /// Contiguous in the file. The groups of the name must exist.
  void write(const std::string& name, std::span<const std::int64_t> shape,
             std::span<const float> values);
  void write(const std::string& name, std::span<const std::int64_t> shape,
             std::span<const std::int32_t> values);
  void write(const std::string& name, std::span<const std::int64_t> shape,
             std::span<const std::int64_t> values);
  /// Gives an existing dataset a second name (a hard link).
  void link(const std::string& existing, const std::string& name);

  void write_int(const std::string& object, const std::string& name, std::int64_t value);
  void write_double(const std::string& object, const std::string& name, double value);
  void write_string(const std::string& object, const std::string& name, const std::string& value);
  void write_strings(const std::string& object, const std::string& name,
                     std::span<const std::string> values);
  void write_floats(const std::string& object, const std::string& name,
                    std::span<const float> values);

  /// The bytes of a file made by `create`; valid until the next call of a member function.
  std::span<std::byte> image();

  /// Of a file made by `create_at`: throws FileError if a write has failed so far.
  void expect_written() const;
  /// Writes what is still to be written of a file made by `create_at`, and closes it.
  void close();
  /// Nothing of a file made by `create_at` is written from here on.
  void abandon() noexcept;

  /// "FILE: attribute 'train@begin'", to begin an error message with.
  std::string where(const std::string& object, const std::string& attribute) const;

 private:
  File(std::filesystem::path path, Handle file);

  std::filesystem::path path_;
  std::unique_ptr<DiskWrites> writes_;  // of a file made by `create_at`
  Handle file_;
};

}  // namespace quadgate::hdf5
