#include "io/hdf5.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <system_error>
#include <utility>

#include "engine/error.h"
#include "io/hdf5_disk_driver.h"
#include "io/hdf5_session.h"

namespace quadgate::hdf5 {
namespace {

std::vector<std::string> read_variable_strings(hid_t attribute, hid_t type, hid_t space,
                                               std::size_t count, herr_t& status) {
  std::vector<char*> texts(count, nullptr);
  status = H5Aread(attribute, type, texts.data());
  std::vector<std::string> strings(count);
  if (status < 0) return strings;
  std::ranges::transform(texts, strings.begin(),
                         [](const char* text) { return std::string(text ? text : ""); });
  H5Dvlen_reclaim(type, space, H5P_DEFAULT, texts.data());
  return strings;
}

std::vector<std::string> read_fixed_strings(hid_t attribute, hid_t type, std::size_t count,
                                            herr_t& status) {
  const std::size_t size = H5Tget_size(type);
  std::vector<char> text(count * size);
  status = H5Aread(attribute, type, text.data());
  std::vector<std::string> strings;
  for (std::size_t i = 0; i < count; ++i) {
    const char* begin = text.data() + i * size;
    strings.emplace_back(begin, strnlen(begin, size));
  }
  return strings;
}

Handle open_attribute(hid_t file, const std::string& object, const std::string& name,
                      const std::string& where) {
  Handle attribute(H5Aopen_by_name(file, or_root(object), name.c_str(), H5P_DEFAULT, H5P_DEFAULT));
  if (attribute.id() < 0) throw FileError(where + ": missing");
  return attribute;
}

// Reads a numeric attribute of `count` values, or of any number if `count` is 0, as `memory_type`.
template <typename T>
std::vector<T> read_numbers(hid_t file, const std::string& object, const std::string& name,
                            hid_t memory_type, std::size_t count, const char* expected,
                            const std::string& where) {
  const Handle attribute = open_attribute(file, object, name, where);
  const Handle type(H5Aget_type(attribute.id()));
  const Handle space(H5Aget_space(attribute.id()));
  const H5T_class_t kind = H5Tget_class(type.id());
  const bool numeric = kind == H5T_INTEGER || (kind == H5T_FLOAT && !std::is_integral_v<T>);
  const auto found =
      static_cast<std::size_t>(std::max<hssize_t>(0, H5Sget_simple_extent_npoints(space.id())));
  std::vector<T> values(found);
  if (!numeric || (count != 0 && found != count) ||
      (found != 0 && H5Aread(attribute.id(), memory_type, values.data()) < 0)) {
    throw FileError(fmt::format("{}: expected {}", where, expected));
  }
  return values;
}

herr_t add_link_name(hid_t, const char* name, const H5L_info_t*, void* names) {
  static_cast<std::vector<std::string>*>(names)->emplace_back(name);
  return 0;
}

}  // namespace

Handle::~Handle() {
  if (id_ < 0) return;
  const Session session;
  H5Idec_ref(id_);
}

Handle::Handle(Handle&& other) noexcept : id_(std::exchange(other.id_, -1)) {}

Handle& Handle::operator=(Handle&& other) noexcept {
  std::swap(id_, other.id_);
  return *this;
}

File::File(std::filesystem::path path, Handle file)
    : path_(std::move(path)), file_(std::move(file)) {}

File File::open(const std::filesystem::path& path) {
  const Session session;
  if (::access(path.c_str(), R_OK) != 0) {
    throw FileError(fmt::format("{}: {}", path.string(), std::generic_category().message(errno)));
  }
  if (H5Fis_hdf5(path.c_str()) <= 0) {
    throw FileError(fmt::format("{}: expected an HDF5 file, found another kind", path.string()));
  }
  const Handle access(H5Pcreate(H5P_FILE_ACCESS));
  H5Pset_fapl_sec2(access.id());
  H5Pset_file_locking(access.id(), false, true);  // network file systems often have no locks
  Handle file(H5Fopen(path.c_str(), H5F_ACC_RDONLY, access.id()));
  check(file.id(),
        [&] { return fmt::format("{}: the HDF5 file is damaged or truncated", path.string()); });
  return {path, std::move(file)};
}

bool File::has(const std::string& object) const {
  const Session session;
  // H5Lexists fails, rather than denies, where a group on the way is missing.
  for (std::size_t end = object.find('/');; end = object.find('/', end + 1)) {
    if (H5Lexists(file_.id(), object.substr(0, end).c_str(), H5P_DEFAULT) <= 0) return false;
    if (end == std::string::npos) return true;
  }
}

std::vector<std::string> File::members(const std::string& group) const {
  const Session session;
  const Handle handle(H5Gopen2(file_.id(), or_root(group), H5P_DEFAULT));
  std::vector<std::string> names;
  const bool good = handle.id() >= 0 && H5Literate(handle.id(), H5_INDEX_NAME, H5_ITER_INC, nullptr,
                                                   add_link_name, &names) >= 0;
  if (!good) throw FileError(fmt::format("{}: group '{}': missing", path_.string(), group));
  std::ranges::sort(names);
  return names;
}

Array File::array(const std::string& name) const {
  const Session session;
  Handle dataset = open_dataset(file_, name);
  check(dataset.id(), [&] {
    return fmt::format("{}: dataset '{}': {}", path_.string(), name,
                       has(name) ? "not a dataset, or damaged" : "missing");
  });
  return {path_, name, std::move(dataset)};
}

bool File::is_group(const std::string& object) const {
  const Session session;
  const Handle handle(H5Oopen(file_.id(), or_root(object), H5P_DEFAULT));
  return H5Iget_type(handle.id()) == H5I_GROUP;
}

bool File::has_attribute(const std::string& object, const std::string& name) const {
  const Session session;
  return H5Aexists_by_name(file_.id(), or_root(object), name.c_str(), H5P_DEFAULT) > 0;
}

std::int64_t File::read_int(const std::string& object, const std::string& name) const {
  const Session session;
  return read_numbers<std::int64_t>(file_.id(), object, name, H5T_NATIVE_INT64, 1, "one integer",
                                    where(object, name))
      .front();
}

double File::read_double(const std::string& object, const std::string& name) const {
  const Session session;
  return read_numbers<double>(file_.id(), object, name, H5T_NATIVE_DOUBLE, 1, "one number",
                              where(object, name))
      .front();
}

std::vector<float> File::read_floats(const std::string& object, const std::string& name) const {
  const Session session;
  return read_numbers<float>(file_.id(), object, name, H5T_NATIVE_FLOAT, 0, "numbers",
                             where(object, name));
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
  const Session session;
  const Handle attribute = open_attribute(file_.id(), object, name, where(object, name));
  const Handle type(H5Aget_type(attribute.id()));
  const Handle space(H5Aget_space(attribute.id()));
  if (H5Tget_class(type.id()) != H5T_STRING) {
    throw FileError(where(object, name) + ": expected text");
  }
  const auto count =
      static_cast<std::size_t>(std::max<hssize_t>(0, H5Sget_simple_extent_npoints(space.id())));
  if (count == 0) return {};
  herr_t status = 0;
  std::vector<std::string> strings =
      H5Tis_variable_str(type.id()) > 0
          ? read_variable_strings(attribute.id(), type.id(), space.id(), count, status)
          : read_fixed_strings(attribute.id(), type.id(), count, status);
  check(status, [&] { return where(object, name) + ": damaged"; });
  return strings;
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
  return fmt::format("{}: attribute '{}{}{}'", path_.string(), object, object.empty() ? "" : "@",
                     attribute);
}

}  // namespace quadgate::hdf5
