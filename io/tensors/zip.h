#pragma once

#include <cstddef>
#include <map>
#include <span>
#include <string>
#include <vector>

namespace quadgate {

/// A zip file in memory. Its members are stored, not compressed.
class ZipReader {
 public:
  /// `bytes` must outlive the reader; `name` stands for the file in messages. Throws FileError
  /// unless it is a zip file.
  ZipReader(std::span<const std::byte> bytes, const std::string& name);
  ~ZipReader();
  ZipReader(const ZipReader&) = delete;
  ZipReader& operator=(const ZipReader&) = delete;

  /// The members' names, in the file's order.
  const std::vector<std::string>& names() const noexcept { return names_; }
  bool has(const std::string& member) const;
  /// The bytes of a member. Throws FileError, naming it, if it is missing, compressed or damaged.
  std::vector<std::byte> read(const std::string& member) const;

 private:
  std::size_t size_;
  std::string name_;
  void* archive_ = nullptr;
  std::vector<std::string> names_;
};

/// A zip file with these members, stored. Throws FileError.
std::vector<std::byte> make_zip(const std::map<std::string, std::span<const std::byte>>& members,
                                const std::string& name);

}  // namespace quadgate
