#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <type_traits>
#include <vector>

namespace quadgate {

/// Bytes in a file without a name, which goes with this object.
class SpoolFile {
 public:
  /// In the folder of `beside`, which messages name. Throws FileError.
  explicit SpoolFile(const std::filesystem::path& beside);
  ~SpoolFile();
  SpoolFile(SpoolFile&& other) noexcept;
  SpoolFile& operator=(SpoolFile&& other) noexcept;

  /// Throw FileError.
  void write(std::int64_t offset, std::span<const std::byte> bytes);
  void read(std::int64_t offset, std::span<std::byte> bytes) const;

 private:
  std::string name_;
  int descriptor_ = -1;
};

/// An array that may be larger than memory: it grows at its end, and is read and written in pieces,
/// in a file without a name. Only the last elements are in memory.
template <typename T>
  requires std::is_trivially_copyable_v<T>
class Spool {
 public:
  /// In the folder of `beside`, which messages name. Throws FileError, as all that follows.
  explicit Spool(const std::filesystem::path& beside) : file_(beside) {}

  std::int64_t size() const noexcept { return written_ + std::ssize(tail_); }

  void append(T value) {
    tail_.push_back(value);
    if (tail_.size() >= kTailSize) flush();
  }
  void append(std::span<const T> values) {
    tail_.insert(tail_.end(), values.begin(), values.end());
    if (tail_.size() >= kTailSize) flush();
  }
  /// Elements from `first` on.
  void read(std::int64_t first, std::span<T> values) {
    flush();
    file_.read(first * kElement, std::as_writable_bytes(values));
  }
  /// Replaces elements from `first` on; the array may grow by it.
  void write(std::int64_t first, std::span<const T> values) {
    flush();
    file_.write(first * kElement, std::as_bytes(values));
    written_ = std::max(written_, first + std::ssize(values));
  }

 private:
  static constexpr std::int64_t kElement = sizeof(T);
  static constexpr std::size_t kTailSize = (std::size_t{1} << 18) / sizeof(T);

  void flush() {
    if (tail_.empty()) return;
    file_.write(written_ * kElement, std::as_bytes(std::span<const T>(tail_)));
    written_ += std::ssize(tail_);
    tail_.clear();
  }

  SpoolFile file_;
  std::int64_t written_ = 0;  // elements in the file
  std::vector<T> tail_;       // behind them
};

/// Calls body(first, values) for the elements from `first` to `end`, a piece at a time.
template <typename T, typename Body>
void for_each_piece(Spool<T>& spool, std::int64_t first, std::int64_t end, std::int64_t most,
                    Body body) {
  std::vector<T> values;
  for (; first < end; first += std::ssize(values)) {
    values.resize(static_cast<std::size_t>(std::min(most, end - first)));
    spool.read(first, values);
    body(first, std::span(values));
  }
}

}  // namespace quadgate
