#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>
#include <vector>

#include "io/files/replace_file.h"
#include "io/hdf5/file.h"
#include "io/hdf5/file_writer.h"

namespace quadgate::testing {

/// A test with a folder of its own, that goes with it.
class FolderTest : public ::testing::Test {
 public:
  FolderTest() {
    std::string name =
        (std::filesystem::temp_directory_path() / "quadgate_io_test_XXXXXX").string();
    folder_ = ::mkdtemp(name.data());
  }
  ~FolderTest() override { std::filesystem::remove_all(folder_); }
  FolderTest(const FolderTest&) = delete;
  FolderTest& operator=(const FolderTest&) = delete;

 protected:
  std::filesystem::path path(std::string_view name) const { return folder_ / name; }

  /// Makes a file with this content.
  std::filesystem::path file(std::string_view name, std::string_view content) const {
    std::ofstream(path(name), std::ios::binary) << content;
    return path(name);
  }

 private:
  std::filesystem::path folder_;
};

inline std::string content_of(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

/// Names of the files in the folder of `path`, sorted.
inline std::vector<std::string> files_beside(const std::filesystem::path& path) {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(path.parent_path())) {
    names.push_back(entry.path().filename().string());
  }
  std::ranges::sort(names);
  return names;
}

/// The message of the Exception that `action` throws.
template <typename Exception, typename Action>
std::string message_of(const Action& action) {
  try {
    action();
  } catch (const Exception& error) {
    return error.what();
  }
  ADD_FAILURE() << "nothing was thrown";
  return {};
}

/// 0, 1, 2, ... scaled.
inline std::vector<float> ramp(std::int64_t size, float scale = 1) {
  std::vector<float> values;
  for (std::int64_t i = 0; i < size; ++i) values.push_back(scale * static_cast<float>(i));
  return values;
}

/// A data set in memory with its root attributes; `save` writes it.
inline hdf5::FileWriter new_dataset(const std::filesystem::path& path, const std::string& task) {
  hdf5::FileWriter file = hdf5::FileWriter::create(path);
  file.write_string("", "format", "quadgate-dataset");
  file.write_int("", "format_version", 1);
  file.write_string("", "task", task);
  return file;
}

inline void save(hdf5::FileWriter& file) { replace_file(file.path(), file.image()); }

}  // namespace quadgate::testing
