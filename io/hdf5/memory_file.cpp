#include "io/hdf5/memory_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <map>
#include <mutex>
#include <span>
#include <string_view>
#include <utility>

#include "engine/base/error.h"

namespace quadgate::hdf5 {

/// Does not change any more once a file is opened.
class MemorySource final : public Source {
 public:
  explicit MemorySource(std::filesystem::path name) : path_(std::move(name)) {
    objects_[""].kind = ObjectKind::group;
  }

  const std::filesystem::path& path() const noexcept override { return path_; }

  const Object& object(const std::string& name) override {
    static const Object missing;
    const auto found = objects_.find(name);
    return found == objects_.end() ? missing : found->second;
  }

  void read(const std::string& name, const DatasetInfo& dataset, std::int64_t first,
            std::int64_t count, std::span<std::byte> out) override {
    const std::size_t row_bytes = out.size() / static_cast<std::size_t>(count) /
                                  size_of(dataset.element) *
                                  static_cast<std::size_t>(dataset.element_bytes);
    const std::byte* from = values_.at(name) + static_cast<std::size_t>(first) * row_bytes;
    if (dataset.type_text != "float64") {
      std::memcpy(out.data(), from, out.size());
      return;
    }
    for (std::size_t i = 0; i < out.size() / sizeof(float); ++i) {
      double value = 0;
      std::memcpy(&value, from + i * sizeof value, sizeof value);
      const auto narrow = static_cast<float>(value);
      std::memcpy(out.data() + i * sizeof narrow, &narrow, sizeof narrow);
    }
  }

  bool keeps(const DatasetInfo&) override { return true; }

  Object& add(const std::string& name, ObjectKind kind) {
    const auto [place, is_new] = objects_.try_emplace(name);
    place->second.kind = kind;
    if (!is_new) return place->second;
    const std::size_t slash = name.rfind('/');
    const std::string group = slash == std::string::npos ? "" : name.substr(0, slash);
    std::vector<std::string>& members = add(group, ObjectKind::group).members;
    members.push_back(slash == std::string::npos ? name : name.substr(slash + 1));
    std::ranges::sort(members);
    return place->second;
  }

  void set_values(const std::string& name, const void* values) {
    values_[name] = static_cast<const std::byte*>(values);
  }

 private:
  std::filesystem::path path_;
  std::map<std::string, Object> objects_;
  std::map<std::string, const std::byte*> values_;  // of datasets
};

namespace {

struct MemoryFiles {
  std::mutex mutex;
  std::map<std::filesystem::path, std::shared_ptr<MemorySource>> by_name;
};

MemoryFiles& memory_files() {
  static MemoryFiles files;
  return files;
}

std::int64_t bytes_of(std::string_view type) {
  if (type == "float32" || type == "int32") return 4;
  if (type == "float64" || type == "int64") return 8;
  throw InvalidArgument(
      fmt::format("type: expected float32, float64, int32 or int64, found {}", type));
}

}  // namespace

MemoryFile::MemoryFile(const std::filesystem::path& name)
    : source_(std::make_shared<MemorySource>(name)) {
  MemoryFiles& files = memory_files();
  const std::scoped_lock lock(files.mutex);
  if (files.by_name.emplace(name, source_).second) return;
  throw InvalidArgument(fmt::format("{}: expected a name that no other has", name.string()));
}

MemoryFile::~MemoryFile() {
  MemoryFiles& files = memory_files();
  const std::scoped_lock lock(files.mutex);
  files.by_name.erase(source_->path());
}

void MemoryFile::add(const std::string& dataset, const std::string& type,
                     const std::vector<std::int64_t>& shape, const void* values) {
  const std::int64_t bytes = bytes_of(type);
  source_->add(dataset, ObjectKind::dataset).dataset = {.element = element_of(type),
                                                        .type_text = type,
                                                        .element_bytes = bytes,
                                                        .shape = shape,
                                                        .chunk_shape = {},
                                                        .filters_text = {},
                                                        .stored_bytes = product(shape) * bytes};
  source_->set_values(dataset, values);
}

void MemoryFile::set(const std::string& group, const std::string& attribute, Attribute value) {
  source_->add(group, ObjectKind::group).attributes[attribute] = std::move(value);
}

std::shared_ptr<Source> find_memory_file(const std::filesystem::path& name) {
  MemoryFiles& files = memory_files();
  const std::scoped_lock lock(files.mutex);
  const auto found = files.by_name.find(name);
  return found == files.by_name.end() ? nullptr : found->second;
}

}  // namespace quadgate::hdf5
