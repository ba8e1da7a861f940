#include "io/tensors/zip.h"

#include <fmt/format.h>
#include <zip.h>

#include <algorithm>
#include <memory>
#include <utility>

#include "engine/base/error.h"

namespace quadgate {
namespace {

/// libzip's error, which has to be closed.
class ZipError {
 public:
  ZipError() { zip_error_init(&error_); }
  ~ZipError() { zip_error_fini(&error_); }
  ZipError(const ZipError&) = delete;
  ZipError& operator=(const ZipError&) = delete;

  zip_error_t* get() noexcept { return &error_; }
  [[noreturn]] void fail(const std::string& name) {
    throw FileError(fmt::format("{}: zip: {}", name, zip_error_strerror(&error_)));
  }

 private:
  zip_error_t error_{};
};

using Archive = std::unique_ptr<zip_t, void (*)(zip_t*)>;

zip_t* to_archive(void* archive) noexcept { return static_cast<zip_t*>(archive); }

}  // namespace

ZipReader::ZipReader(std::span<const std::byte> bytes, const std::string& name)
    : size_(bytes.size()), name_(name) {
  ZipError error;
  zip_source_t* const source = zip_source_buffer_create(bytes.data(), bytes.size(), 0, error.get());
  if (source == nullptr) error.fail(name);
  archive_ = zip_open_from_source(source, ZIP_RDONLY, error.get());
  if (archive_ == nullptr) {
    zip_source_free(source);
    error.fail(name);
  }
  const auto count = zip_get_num_entries(to_archive(archive_), 0);
  for (zip_int64_t i = 0; i < count; ++i) {
    const char* const member =
        zip_get_name(to_archive(archive_), static_cast<zip_uint64_t>(i), ZIP_FL_ENC_RAW);
    names_.emplace_back(member == nullptr ? "" : member);
  }
}

ZipReader::~ZipReader() { zip_discard(to_archive(archive_)); }

bool ZipReader::has(const std::string& member) const {
  return std::ranges::find(names_, member) != names_.end();
}

std::vector<std::byte> ZipReader::read(const std::string& member) const {
  const auto fail = [&](const std::string& reason) {
    throw FileError(fmt::format("{}: member '{}': {}", name_, member, reason));
  };
  const auto found = std::ranges::find(names_, member);
  if (found == names_.end()) fail("expected one, found none");
  const auto index = static_cast<zip_uint64_t>(found - names_.begin());
  zip_stat_t status;
  if (zip_stat_index(to_archive(archive_), index, 0, &status) != 0) {
    fail(zip_strerror(to_archive(archive_)));
  }
  constexpr zip_uint64_t kNeeded = ZIP_STAT_SIZE | ZIP_STAT_COMP_SIZE | ZIP_STAT_COMP_METHOD;
  if ((status.valid & kNeeded) != kNeeded || status.comp_method != ZIP_CM_STORE ||
      status.size != status.comp_size) {
    fail("expected it stored, found it compressed");
  }
  if (status.size > size_) {
    fail(fmt::format("expected at most the file's {} bytes, found {}", size_, status.size));
  }
  const std::unique_ptr<zip_file_t, int (*)(zip_file_t*)> file(
      zip_fopen_index(to_archive(archive_), index, 0), zip_fclose);
  if (!file) fail(zip_strerror(to_archive(archive_)));
  std::vector<std::byte> bytes(status.size);
  std::size_t done = 0;
  while (done < bytes.size()) {
    const auto got = zip_fread(file.get(), bytes.data() + done, bytes.size() - done);
    if (got <= 0) fail(got < 0 ? zip_file_strerror(file.get()) : "it is cut short");
    done += static_cast<std::size_t>(got);
  }
  // Only at the end does libzip compare the checksum.
  std::byte more{};
  if (zip_fread(file.get(), &more, 1) != 0) fail(zip_file_strerror(file.get()));
  return bytes;
}

std::vector<std::byte> make_zip(const std::map<std::string, std::span<const std::byte>>& members,
                                const std::string& name) {
  ZipError error;
  const std::unique_ptr<zip_source_t, void (*)(zip_source_t*)> source(
      zip_source_buffer_create(nullptr, 0, 0, error.get()), zip_source_free);
  if (!source) error.fail(name);
  zip_source_keep(source.get());  // the archive takes the other one
  Archive archive(zip_open_from_source(source.get(), ZIP_TRUNCATE, error.get()), zip_discard);
  if (!archive) {
    zip_source_free(source.get());
    error.fail(name);
  }
  for (const auto& [member, bytes] : members) {
    zip_source_t* const content = zip_source_buffer(archive.get(), bytes.data(), bytes.size(), 0);
    const auto index = zip_file_add(archive.get(), member.c_str(), content, ZIP_FL_ENC_UTF_8);
    if (index < 0) {
      zip_source_free(content);
      throw FileError(fmt::format("{}: zip: {}", name, zip_strerror(archive.get())));
    }
    zip_set_file_compression(archive.get(), static_cast<zip_uint64_t>(index), ZIP_CM_STORE, 0);
    // The same file whenever it is made.
    zip_file_set_dostime(archive.get(), static_cast<zip_uint64_t>(index), 0, (1 << 5) + 1, 0);
  }
  if (zip_close(archive.get()) != 0) {
    throw FileError(fmt::format("{}: zip: {}", name, zip_strerror(archive.get())));
  }
  static_cast<void>(archive.release());
  zip_stat_t status;
  zip_source_stat(source.get(), &status);
  std::vector<std::byte> file(status.size);
  if (zip_source_open(source.get()) != 0 ||
      std::cmp_not_equal(zip_source_read(source.get(), file.data(), file.size()), file.size())) {
    throw FileError(
        fmt::format("{}: zip: {}", name, zip_error_strerror(zip_source_error(source.get()))));
  }
  zip_source_close(source.get());
  return file;
}

}  // namespace quadgate
