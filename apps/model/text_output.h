#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "io/files/temporary_file.h"

namespace quadgate::apps {

/// Text that is written piece by piece, to stdout if the path is "-", else to a file that takes its
/// place once it is whole. Throws FileError.
class TextOutput {
 public:
  explicit TextOutput(const std::filesystem::path& path);

  void write(std::string_view text);
  /// What was written arrives where it is read.
  void flush();
  /// Call it once all is written.
  void commit();

 private:
  std::optional<TemporaryFile> file_;  // none: stdout
  std::string buffer_;
};

/// Whether the path stands for stdin or stdout.
inline bool is_standard_stream(const std::filesystem::path& path) { return path == "-"; }

/// A field of a CSV file (RFC 4180).
std::string csv_field(const std::string& text);

/// The digits of a value that is a float32 times `std` plus `mean`: as few as tell it from the
/// next.
std::string shortest(double value, double mean, double std);

}  // namespace quadgate::apps
