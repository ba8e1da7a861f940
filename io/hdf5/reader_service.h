#pragma once

#include <cstddef>
#include <filesystem>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "io/hdf5/file_writer.h"
#include "io/hdf5/object.h"

namespace quadgate::hdf5 {

/// A file that the HDF5 library reads, in a process in which it may crash. An object's name is its
/// path from the root, without a leading slash; "" is the root. Functions throw FileError, naming
/// the file.
class ReaderService {
 public:
  /// `path` is only named in messages. Throws also if the file's checksum differs, or was there.
  ReaderService(int descriptor, std::filesystem::path path);

  /// What a ReaderRequest asks for.
  void answer(std::span<const std::byte> request, std::vector<std::byte>& answer);

 private:
  Object describe(const std::string& name) const;
  std::string dataset_text(const std::string& name) const;

  std::filesystem::path path_;
  Handle file_;
  std::map<std::string, Handle> datasets_;  // that were read from, with their last chunks
};

}  // namespace quadgate::hdf5
