#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "io/hdf5/object.h"
#include "io/hdf5/source.h"

namespace quadgate::hdf5 {

class MemorySource;

/// What a file would hold, in the memory of this process: while it lives, File::open takes its name
/// for that of a file, and copies nothing.
class MemoryFile {
 public:
  /// Throws InvalidArgument if another one has this name.
  explicit MemoryFile(const std::filesystem::path& name);
  /// Files that are open stay so.
  ~MemoryFile();
  MemoryFile(const MemoryFile&) = delete;
  MemoryFile& operator=(const MemoryFile&) = delete;

  /// Adds a dataset and the group that it lies in. Its elements, one row behind the other, must
  /// outlive all files that are opened. Throws InvalidArgument unless `type` is float32, float64
  /// (which is read as float32), int32 or int64.
  void add(const std::string& dataset, const std::string& type,
           const std::vector<std::int64_t>& shape, const void* values);
  /// Gives an attribute to a group, or to the root, "".
  void set(const std::string& group, const std::string& attribute, Attribute value);

 private:
  std::shared_ptr<MemorySource> source_;
};

/// The MemoryFile of this name; null if there is none. Safe to call from several threads.
std::shared_ptr<Source> find_memory_file(const std::filesystem::path& name);

}  // namespace quadgate::hdf5
