#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <vector>

#include "io/files/child_process.h"
#include "io/hdf5/chunk_cache.h"
#include "io/hdf5/object.h"
#include "io/hdf5/source.h"

namespace quadgate::hdf5 {

/// A file that a process of its own reads with the HDF5 library, which some damaged files make
/// crash, hang or write where it must not. Safe to use from several threads. Functions throw
/// FileError, naming the file; also if nothing happens for as long as `patience`. All of a file on
/// a network disk is read by that process, since no other could be ended if the disk were gone.
class ReaderClient final : public Source {
 public:
  explicit ReaderClient(const std::filesystem::path& path,
                        std::chrono::milliseconds patience = ChildProcess::kPatience,
                        bool reads_nothing_itself = false);
  /// Of a file in memory.
  ReaderClient(std::span<const std::byte> image, const std::filesystem::path& path);
  ~ReaderClient() override;

  const std::filesystem::path& path() const noexcept override { return path_; }
  const Object& object(const std::string& name) override;
  void read(const std::string& name, const DatasetInfo& dataset, std::int64_t first,
            std::int64_t count, std::span<std::byte> out) override;
  bool keeps(const DatasetInfo& dataset) override;

 private:
  ReaderClient(int descriptor, std::filesystem::path path, std::chrono::milliseconds patience,
               bool reads_nothing_itself);
  bool read_directly(std::int64_t offset, std::span<std::byte> out) const;
  std::int64_t kept_together(const DatasetInfo& dataset) const noexcept;
  ChunkCache* cache_of(const DatasetInfo& dataset);
  void ask_for_rows(const std::string& name, const DatasetInfo& dataset, std::int64_t first,
                    std::int64_t count, std::span<std::byte> out);
  child::AnswerLimits limits(std::int64_t work_bytes) const noexcept;

  std::filesystem::path path_;
  int descriptor_;
  std::int64_t file_size_ = 0;
  bool reads_nothing_itself_;
  std::unique_ptr<ChildProcess> child_;
  std::mutex mutex_;  // of the child and all below
  std::map<std::string, Object> objects_;
  // By address, rows and bytes, of which a damaged file may tell anything; null for what is not
  // kept.
  std::map<std::array<std::int64_t, 3>, std::unique_ptr<ChunkCache>> caches_;
};

}  // namespace quadgate::hdf5
