#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <utility>
#include <vector>

/// Arrays that grow at their end, may be larger than memory, and are read from front to back: what
/// importers read and writers write. Their memory is a buffer each; the rest lies in an unnamed
/// file in the folder of the output, which goes with the array.
namespace quadgate {

/// Where arrays lie that do not fit into memory.
struct SpoolOptions {
  std::filesystem::path output{};                  ///< they share its folder; named in messages
  std::size_t buffer_size = std::size_t{1} << 18;  ///< bytes of an array in memory
};

/// Bytes. Throws FileError ("OUTPUT: cannot be written: No space left on device").
class Spool {
 public:
  explicit Spool(SpoolOptions options = {});
  ~Spool();
  Spool(Spool&& other) noexcept;
  Spool& operator=(Spool&& other) noexcept;

  std::int64_t size() const noexcept {
    return flushed_ + static_cast<std::int64_t>(buffer_.size());
  }
  void append(std::span<const std::byte> bytes);
  void append(std::byte byte) {
    if (buffer_.size() >= options_.buffer_size) flush();
    buffer_.push_back(byte);
  }
  /// Replaces the bytes from `offset` on; behind the end there may be a gap, which is zeros.
  void write(std::int64_t offset, std::span<const std::byte> bytes);
  /// Reads the bytes from `offset` on, until `out` is full or they end; how many.
  std::size_t read(std::int64_t offset, std::span<std::byte> out) const;

 private:
  void flush();
  void write_at(std::int64_t offset, std::span<const std::byte> bytes);

  SpoolOptions options_;
  int descriptor_ = -1;       // of the file, once there is one
  std::int64_t flushed_ = 0;  // bytes in it
  std::vector<std::byte> buffer_;
};

/// Reads a spool, which must outlive it and not change, from front to back.
class SpoolReader {
 public:
  explicit SpoolReader(const Spool& spool) : spool_(&spool) {}

  /// Fills `out`. Throws InvalidArgument if less is left.
  void read(std::span<std::byte> out);
  void skip(std::int64_t bytes);
  std::byte next() {
    if (begin_ == buffer_.size()) fill();
    return buffer_[begin_++];
  }

 private:
  void fill();

  const Spool* spool_;
  std::int64_t offset_ = 0;  // of what follows the buffer
  std::vector<std::byte> buffer_;
  std::size_t begin_ = 0;  // of what is left in it
};

/// Integers of at least 0, the small ones in few bytes.
class SpooledIntegers {
 public:
  explicit SpooledIntegers(SpoolOptions options = {}) : bytes_(std::move(options)) {}

  std::int64_t size() const noexcept { return size_; }
  void push_back(std::int64_t value) {
    // LEB128: seven bits a byte, the lowest first; the eighth says that more follow.
    auto rest = static_cast<std::uint64_t>(value);
    for (; rest >= 0x80; rest >>= 7) bytes_.append(static_cast<std::byte>(rest | 0x80));
    bytes_.append(static_cast<std::byte>(rest));
    ++size_;
  }

  /// Reads them in turn.
  class Reader {
   public:
    explicit Reader(const SpooledIntegers& integers) : bytes_(integers.bytes_) {}
    std::int64_t next() {
      std::uint64_t value = 0;
      for (unsigned shift = 0;; shift += 7) {
        const auto byte = static_cast<std::uint64_t>(bytes_.next());
        value |= (byte & 0x7F) << shift;
        if (byte < 0x80) return static_cast<std::int64_t>(value);
      }
    }

   private:
    SpoolReader bytes_;
  };

 private:
  Spool bytes_;
  std::int64_t size_ = 0;
};

/// float32 or float64 values, or, if they are all multiples of 1/255 from 0 to 1, a byte each. All
/// values of an array are appended and written in one of the three ways.
class SpooledFloats {
 public:
  explicit SpooledFloats(SpoolOptions options = {}) : bytes_(std::move(options)) {}

  std::int64_t size() const noexcept { return bytes_.size() / width_; }
  void append(std::span<const float> values) { bytes_.append(std::as_bytes(values)); }
  void append(std::span<const double> values) {
    width_ = kDouble;
    bytes_.append(std::as_bytes(values));
  }
  /// The values bytes / 255.
  void append_fractions(std::span<const std::byte> bytes) {
    width_ = 1;
    bytes_.append(bytes);
  }
  /// Replaces the values from `first` on, as Spool::write does.
  void write(std::int64_t first, std::span<const double> values) {
    width_ = kDouble;
    bytes_.write(width_ * first, std::as_bytes(values));
  }

  /// Reads them in turn.
  class Reader {
   public:
    explicit Reader(const SpooledFloats& floats) : bytes_(floats.bytes_), width_(floats.width_) {}
    void read(std::span<double> out);
    void skip(std::int64_t count) { bytes_.skip(count * width_); }

   private:
    SpoolReader bytes_;
    std::int64_t width_;
    std::vector<std::byte> scratch_;
    std::vector<float> floats_;
  };

 private:
  static constexpr std::int64_t kFloat = sizeof(float);
  static constexpr std::int64_t kDouble = sizeof(double);

  Spool bytes_;
  std::int64_t width_ = kFloat;  // bytes of a value
};

}  // namespace quadgate
