#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>

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

struct DiskWrites;

/// An HDF5 file being built, in memory or on the disk. Objects are named by their path from the
/// root, without a leading slash; "" is the root group. Safe to use beside others in several
/// threads. Every function throws FileError, whose message names the file and the dataset or
/// attribute.
class FileWriter {
 public:
  ~FileWriter();
  FileWriter(FileWriter&& other) noexcept;
  FileWriter& operator=(FileWriter&& other) noexcept;

  /// A new file in memory; `path` is only named in messages. `image` gives its bytes, of which the
  /// first `user_block` (0, 512, 1024, 2048, ...) are left to the caller.
  static FileWriter create(const std::filesystem::path& path, std::size_t user_block = 0);
  /// A new file at `place`; `path` is only named in messages. `close` makes it whole.
  static FileWriter create_at(const std::filesystem::path& place,
                              const std::filesystem::path& path);

  const std::filesystem::path& path() const noexcept { return path_; }
  /// HDF5's own.
  std::int64_t id() const noexcept { return file_.id(); }

  void create_group(const std::string& name);
  /// Contiguous in the file. The groups of the name must exist.
  void write(const std::string& name, std::span<const std::int64_t> shape,
             std::span<const float> values);
  void write(const std::string& name, std::span<const std::int64_t> shape,
             std::span<const double> values);
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
  void write_doubles(const std::string& object, const std::string& name,
                     std::span<const double> values);

  /// The bytes of a file made by `create`; valid until the next call of a member function.
  std::span<std::byte> image();

  /// Of a file made by `create_at`: throws FileError if a write has failed so far.
  void expect_written() const;
  /// Writes what is still to be written of a file made by `create_at`, and closes it.
  void close();
  /// Nothing of a file made by `create_at` is written from here on.
  void abandon() noexcept;

 private:
  FileWriter(std::filesystem::path path, Handle file);
  std::string where(const std::string& object, const std::string& attribute) const;

  std::filesystem::path path_;
  std::unique_ptr<DiskWrites> writes_;  // of a file made by `create_at`
  Handle file_;
};

}  // namespace quadgate::hdf5
