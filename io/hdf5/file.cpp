#include "io/hdf5/file.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "engine/base/error.h"
#include "io/hdf5/memory_file.h"
#include "io/hdf5/reader_client.h"

namespace quadgate::hdf5 {

File::File(std::shared_ptr<Source> source) noexcept : source_(std::move(source)) {}

File File::open(const std::filesystem::path& path) {
  if (auto memory = find_memory_file(path)) return File(std::move(memory));
  return File(std::make_shared<ReaderClient>(path));
}

File File::open_image(std::span<const std::byte> image, const std::filesystem::path& path) {
  return File(std::make_shared<ReaderClient>(image, path));
}

const std::filesystem::path& File::path() const noexcept { return source_->path(); }

bool File::has(const std::string& object) const {
  return source_->object(object).kind != ObjectKind::missing;
}

bool File::is_group(const std::string& object) const {
  return source_->object(object).kind == ObjectKind::group;
}

std::vector<std::string> File::members(const std::string& group) const {
  if (!is_group(group)) {
    throw FileError(fmt::format("{}: group '{}': missing", path().string(), group));
  }
  return source_->object(group).members;
}

Array File::array(const std::string& name) const {
  const Object& object = source_->object(name);
  if (object.kind != ObjectKind::dataset) {
    throw FileError(
        fmt::format("{}: dataset '{}': {}", path().string(), name,
                    object.kind == ObjectKind::missing ? "missing" : "not a dataset, or damaged"));
  }
  return {source_, name, object.dataset};
}

bool File::has_attribute(const std::string& object, const std::string& name) const {
  return source_->object(object).attributes.contains(name);
}

const Attribute& File::attribute(const std::string& object, const std::string& name) const {
  const std::map<std::string, Attribute>& attributes = source_->object(object).attributes;
  const auto found = attributes.find(name);
  if (found == attributes.end()) throw FileError(where(object, name) + ": missing");
  return found->second;
}

std::int64_t File::read_int(const std::string& object, const std::string& name) const {
  const auto* values = std::get_if<std::vector<std::int64_t>>(&attribute(object, name));
  if (values != nullptr && values->size() == 1) return values->front();
  throw FileError(where(object, name) + ": expected one integer");
}

double File::read_double(const std::string& object, const std::string& name) const {
  const Attribute& found = attribute(object, name);
  const auto* values = std::get_if<std::vector<double>>(&found);
  const auto* integers = std::get_if<std::vector<std::int64_t>>(&found);
  if (values != nullptr && values->size() == 1) return values->front();
  if (integers != nullptr && integers->size() == 1) return static_cast<double>(integers->front());
  throw FileError(where(object, name) + ": expected one number");
}

std::vector<float> File::read_floats(const std::string& object, const std::string& name) const {
  const std::vector<double> values = read_doubles(object, name);
  return {values.begin(), values.end()};
}

std::vector<double> File::read_doubles(const std::string& object, const std::string& name) const {
  const Attribute& found = attribute(object, name);
  if (const auto* values = std::get_if<std::vector<double>>(&found)) return *values;
  if (const auto* values = std::get_if<std::vector<std::int64_t>>(&found)) {
    return {values->begin(), values->end()};
  }
  throw FileError(where(object, name) + ": expected numbers");
}

std::string File::read_string(const std::string& object, const std::string& name) const {
  std::vector<std::string> strings = read_strings(object, name);
  if (strings.size() != 1) {
    throw FileError(
        fmt::format("{}: expected one string, found {}", where(object, name), strings.size()));
  }
  return std::move(strings.front());
}

std::vector<std::string> File::read_strings(const std::string& object,
                                            const std::string& name) const {
  const auto* values = std::get_if<std::vector<std::string>>(&attribute(object, name));
  if (values == nullptr) throw FileError(where(object, name) + ": expected text");
  return *values;
}

void File::expect_format(std::string_view format, std::int64_t newest) const {
  const std::string found = has_attribute("", "format") ? read_string("", "format") : "none";
  if (found != format) {
    throw FileError(
        fmt::format("{}: expected '{}', found '{}'", where("", "format"), format, found));
  }
  const std::int64_t version =
      has_attribute("", "format_version") ? read_int("", "format_version") : 1;
  if (version >= 1 && version <= newest) return;
  throw FileError(fmt::format("{}: expected at {} {}, found {}{}", where("", "format_version"),
                              version < 1 ? "least" : "most", version < 1 ? 1 : newest, version,
                              version < 1 ? "" : ": written by a newer quadgate"));
}

std::string File::where(const std::string& object, const std::string& attribute) const {
  return attribute_text(path(), object, attribute);
}

}  // namespace quadgate::hdf5
