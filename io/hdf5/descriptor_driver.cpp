#include "io/hdf5/descriptor_driver.h"

#include <hdf5.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <memory>

#include "io/hdf5/file_writer.h"

namespace quadgate::hdf5 {
namespace {

/// A file that is read, as HDF5's drivers have it: its own part first.
struct ReadFile {
  H5FD_t base{};
  int descriptor = -1;
  haddr_t end_of_space = 0;  // that the file says it has
  haddr_t end_of_file = 0;
};

ReadFile& as_read_file(H5FD_t* file) { return *reinterpret_cast<ReadFile*>(file); }
const ReadFile& as_read_file(const H5FD_t* file) {
  return *reinterpret_cast<const ReadFile*>(file);
}

H5FD_t* open_descriptor(const char* /*name*/, unsigned flags, hid_t access, haddr_t /*most*/) {
  const auto* descriptor = static_cast<const int*>(H5Pget_driver_info(access));
  struct ::stat status {};
  if (descriptor == nullptr || flags != H5F_ACC_RDONLY || ::fstat(*descriptor, &status) != 0) {
    return nullptr;
  }
  auto file = std::make_unique<ReadFile>();
  file->descriptor = *descriptor;
  file->end_of_file = static_cast<haddr_t>(status.st_size);
  return &file.release()->base;
}

herr_t close_descriptor(H5FD_t* file) {
  const std::unique_ptr<ReadFile> closed(&as_read_file(file));
  return 0;
}

herr_t query_descriptor(const H5FD_t* /*file*/,
                        unsigned long* flags) {  // NOLINT(google-runtime-int)
  *flags = H5FD_FEAT_ACCUMULATE_METADATA | H5FD_FEAT_DATA_SIEVE | H5FD_FEAT_DEFAULT_VFD_COMPATIBLE;
  return 0;
}

haddr_t get_space(const H5FD_t* file, H5FD_mem_t /*type*/) {
  return as_read_file(file).end_of_space;
}

herr_t set_space(H5FD_t* file, H5FD_mem_t /*type*/, haddr_t end) {
  as_read_file(file).end_of_space = end;
  return 0;
}

haddr_t get_size(const H5FD_t* file, H5FD_mem_t /*type*/) { return as_read_file(file).end_of_file; }

herr_t read_descriptor(H5FD_t* file, H5FD_mem_t /*type*/, hid_t /*transfer*/, haddr_t address,
                       std::size_t size, void* buffer) {
  auto* next = static_cast<std::byte*>(buffer);
  while (size > 0) {
    const ::ssize_t got =
        ::pread(as_read_file(file).descriptor, next, size, static_cast<::off_t>(address));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return -1;
    if (got == 0) {  // what lies beyond the end is zero
      std::memset(next, 0, size);
      break;
    }
    next += got;
    address += static_cast<haddr_t>(got);
    size -= static_cast<std::size_t>(got);
  }
  return 0;
}

herr_t refuse_to_write(H5FD_t* /*file*/, H5FD_mem_t /*type*/, hid_t /*transfer*/,
                       haddr_t /*address*/, std::size_t /*size*/, const void* /*buffer*/) {
  return -1;
}

H5FD_class_t descriptor_driver() {
  H5FD_class_t driver{};
  driver.name = "quadgate-descriptor";
  driver.maxaddr = static_cast<haddr_t>(INT64_MAX);
  driver.fc_degree = H5F_CLOSE_WEAK;
  driver.fapl_size = sizeof(int);
  driver.open = open_descriptor;
  driver.close = close_descriptor;
  driver.query = query_descriptor;
  driver.get_eoa = get_space;
  driver.set_eoa = set_space;
  driver.get_eof = get_size;
  driver.read = read_descriptor;
  driver.write = refuse_to_write;  // HDF5 knows no driver without
  const H5FD_mem_t kinds[] = H5FD_FLMAP_DICHOTOMY;
  std::ranges::copy(kinds, driver.fl_map);
  return driver;
}

}  // namespace

void use_descriptor_driver(std::int64_t access, int descriptor) {
  static const H5FD_class_t the_driver = descriptor_driver();
  const Handle id(H5FDregister(&the_driver));  // the access keeps a reference of its own
  H5Pset_driver(access, id.id(), &descriptor);
}

}  // namespace quadgate::hdf5
