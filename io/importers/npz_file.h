#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace quadgate {

/// An array of an .npz file, read from front to back.
class NpzArray {
 public:
  /// The kind of its elements. A bool is an integer.
  enum class Kind : std::uint8_t { floating, integer, text };

  ~NpzArray();
  NpzArray(NpzArray&&) noexcept;
  NpzArray& operator=(NpzArray&&) = delete;

  Kind kind() const noexcept { return kind_; }
  const std::vector<std::int64_t>& shape() const noexcept { return shape_; }
  /// Whether float32 lacks room for its values' digits.
  bool is_wide() const noexcept {
    return element_size_ > (kind_ == Kind::integer ? sizeof(std::int16_t) : sizeof(float));
  }
  /// Number of elements.
  std::int64_t size() const noexcept { return size_; }

  /// Reads the next elements, in row-major order, of any kind but text. Throws FileError if the
  /// file is damaged.
  void read(std::span<float> out);
  void read(std::span<double> out);
  /// Reads the next integers. Throws FileError, also if one is above 2^63 - 1.
  void read(std::span<std::int64_t> out);
  /// Reads all texts. Throws FileError.
  std::vector<std::string> read_texts();

  /// "FILE: array 'x'", to begin an error message with.
  const std::string& where() const noexcept { return where_; }

 private:
  friend class NpzFile;
  struct Member;
  NpzArray(std::string where, std::unique_ptr<Member> member);

  void read_header();
  void parse_header(const std::string& header);
  void set_type(std::string_view type);
  template <typename T, typename Convert>
  void read_elements(std::span<T> out, Convert convert);
  void read_bytes(std::span<std::byte> out);
  void transpose();
  void read_raw_elements(std::span<std::byte> out);
  std::string text(std::span<const std::byte> element) const;
  std::int64_t integer(const std::byte* element) const;
  [[noreturn]] void fail(const std::string& problem) const;

  std::string where_;
  std::unique_ptr<Member> member_;
  Kind kind_ = Kind::floating;
  bool is_signed_ = false;
  bool is_unicode_ = false;
  bool is_big_endian_ = false;
  bool is_fortran_ = false;
  std::size_t element_size_ = 0;
  std::vector<std::int64_t> shape_;
  std::int64_t size_ = 0;
  std::vector<std::byte> buffer_;
  std::vector<std::byte> rows_;  // all elements, row by row, if they lie in Fortran's order
  std::size_t rows_taken_ = 0;
};

/// The arrays that numpy.savez or savez_compressed wrote
/// (https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html): floats (16 to 64
/// bits), integers, bools and texts, of either byte order. An array in Fortran's order is held in
/// memory. It runs nothing that a file holds.
class NpzFile {
 public:
  /// Throws FileError unless it is a zip file.
  explicit NpzFile(const std::filesystem::path& path);
  ~NpzFile();
  NpzFile(const NpzFile&) = delete;
  NpzFile& operator=(const NpzFile&) = delete;

  const std::filesystem::path& path() const noexcept { return path_; }
  /// The names of the arrays, in the file's order.
  const std::vector<std::string>& names() const noexcept { return names_; }
  bool has(const std::string& array) const;
  /// The file must outlive the array. Throws FileError if there is no such array, or none that it
  /// reads.
  NpzArray open(const std::string& array) const;

 private:
  std::filesystem::path path_;
  void* archive_ = nullptr;
  std::vector<std::string> names_;
};

}  // namespace quadgate
