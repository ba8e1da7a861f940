#include "io/hdf5/file_driver.h"

#include <fcntl.h>
#include <hdf5.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <memory>
#include <span>

#include "io/files/read_at.h"
#include "io/hdf5/file_writer.h"

namespace quadgate::hdf5 {
namespace {

/// An open file, as HDF5's drivers have it: its own part first.
struct OpenFile {
  H5FD_t base{};
  int descriptor = -1;
  DiskWrites* writes = nullptr;  // of a file being made
  haddr_t end_of_space = 0;      // that HDF5 has given to objects
  haddr_t end_of_file = 0;
};

/// What HDF5 is given as the properties of an access that writes.
struct WriteAccess {
  DiskWrites* writes;
};

OpenFile& as_open_file(H5FD_t* file) { return *reinterpret_cast<OpenFile*>(file); }
const OpenFile& as_open_file(const H5FD_t* file) {
  return *reinterpret_cast<const OpenFile*>(file);
}

haddr_t get_end_of_space(const H5FD_t* file, H5FD_mem_t /*type*/) {
  return as_open_file(file).end_of_space;
}

herr_t set_end_of_space(H5FD_t* file, H5FD_mem_t /*type*/, haddr_t end) {
  as_open_file(file).end_of_space = end;
  return 0;
}

haddr_t get_end_of_file(const H5FD_t* file, H5FD_mem_t /*type*/) {
  return as_open_file(file).end_of_file;
}

herr_t read(H5FD_t* file, H5FD_mem_t /*type*/, hid_t /*transfer*/, haddr_t address,
            std::size_t size, void* buffer) {
  const std::span out(static_cast<std::byte*>(buffer), size);
  const auto got = read_at(as_open_file(file).descriptor, static_cast<std::int64_t>(address), out);
  if (!got) return -1;
  std::ranges::fill(out.subspan(*got), std::byte{});  // what lies beyond the end is zero
  return 0;
}

/// What both drivers have.
H5FD_class_t make_driver(const char* name) {
  H5FD_class_t driver{};
  driver.name = name;
  driver.maxaddr = static_cast<haddr_t>(INT64_MAX);
  driver.fc_degree = H5F_CLOSE_WEAK;
  driver.get_eoa = get_end_of_space;
  driver.set_eoa = set_end_of_space;
  driver.get_eof = get_end_of_file;
  driver.read = read;
  const H5FD_mem_t kinds[] = H5FD_FLMAP_DICHOTOMY;
  std::ranges::copy(kinds, driver.fl_map);
  return driver;
}

void use_driver(std::int64_t access, const H5FD_class_t& driver, const void* info) {
  const Handle id(H5FDregister(&driver));  // the access keeps a reference of its own
  H5Pset_driver(access, id.id(), info);
}

// Of the driver that reads:

H5FD_t* open_descriptor(const char* /*name*/, unsigned flags, hid_t access, haddr_t /*most*/) {
  const auto* descriptor = static_cast<const int*>(H5Pget_driver_info(access));
  struct ::stat status {};
  if (descriptor == nullptr || flags != H5F_ACC_RDONLY || ::fstat(*descriptor, &status) != 0) {
    return nullptr;
  }
  auto file = std::make_unique<OpenFile>();
  file->descriptor = *descriptor;
  file->end_of_file = static_cast<haddr_t>(status.st_size);
  return &file.release()->base;
}

herr_t leave_descriptor(H5FD_t* file) {
  const std::unique_ptr<OpenFile> closed(&as_open_file(file));
  return 0;
}

herr_t query_read(const H5FD_t* /*file*/, unsigned long* flags) {  // NOLINT(google-runtime-int)
  *flags = H5FD_FEAT_ACCUMULATE_METADATA | H5FD_FEAT_DATA_SIEVE | H5FD_FEAT_DEFAULT_VFD_COMPATIBLE;
  return 0;
}

herr_t refuse_to_write(H5FD_t* /*file*/, H5FD_mem_t /*type*/, hid_t /*transfer*/,
                       haddr_t /*address*/, std::size_t /*size*/, const void* /*buffer*/) {
  return -1;
}

H5FD_class_t make_read_driver() {
  H5FD_class_t driver = make_driver("quadgate-descriptor");
  driver.fapl_size = sizeof(int);
  driver.open = open_descriptor;
  driver.close = leave_descriptor;
  driver.query = query_read;
  driver.write = refuse_to_write;  // HDF5 knows no driver without
  return driver;
}

// Of the driver that writes:

H5FD_t* open_new_file(const char* name, unsigned /*flags*/, hid_t access, haddr_t /*most*/) {
  const auto* info = static_cast<const WriteAccess*>(H5Pget_driver_info(access));
  if (info == nullptr) return nullptr;
  auto file = std::make_unique<OpenFile>();
  file->writes = info->writes;
  file->descriptor = ::open(name, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
  if (file->descriptor < 0) {
    file->writes->error = errno;
    return nullptr;
  }
  return &file.release()->base;
}

herr_t close_new_file(H5FD_t* file) {
  const std::unique_ptr<OpenFile> closed(&as_open_file(file));
  if (::close(closed->descriptor) != 0 && closed->writes->error == 0) {
    closed->writes->error = errno;
  }
  return 0;
}

herr_t query_write(const H5FD_t* /*file*/, unsigned long* flags) {  // NOLINT(google-runtime-int)
  *flags = H5FD_FEAT_AGGREGATE_METADATA | H5FD_FEAT_ACCUMULATE_METADATA | H5FD_FEAT_DATA_SIEVE |
           H5FD_FEAT_AGGREGATE_SMALLDATA | H5FD_FEAT_DEFAULT_VFD_COMPATIBLE;
  return 0;
}

herr_t get_handle(H5FD_t* file, hid_t /*access*/, void** handle) {
  *handle = &as_open_file(file).descriptor;
  return 0;
}

herr_t write(H5FD_t* base, H5FD_mem_t /*type*/, hid_t /*transfer*/, haddr_t address,
             std::size_t size, const void* buffer) {
  OpenFile& file = as_open_file(base);
  const auto* next = static_cast<const std::byte*>(buffer);
  while (size > 0 && file.writes->error == 0) {
    const ::ssize_t written = ::pwrite(file.descriptor, next, size, static_cast<::off_t>(address));
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) {
      file.writes->error = errno;
      break;
    }
    next += written;
    address += static_cast<haddr_t>(written);
    size -= static_cast<std::size_t>(written);
  }
  file.end_of_file = std::max(file.end_of_file, address + size);
  return 0;
}

herr_t truncate(H5FD_t* base, hid_t /*transfer*/, hbool_t /*closing*/) {
  OpenFile& file = as_open_file(base);
  if (file.writes->error == 0 &&
      ::ftruncate(file.descriptor, static_cast<::off_t>(file.end_of_space)) != 0) {
    file.writes->error = errno;
  }
  file.end_of_file = file.end_of_space;
  return 0;
}

H5FD_class_t make_write_driver() {
  H5FD_class_t driver = make_driver("quadgate");
  driver.fapl_size = sizeof(WriteAccess);
  driver.open = open_new_file;
  driver.close = close_new_file;
  driver.query = query_write;
  driver.get_handle = get_handle;
  driver.write = write;
  driver.truncate = truncate;
  return driver;
}

}  // namespace

void use_read_driver(std::int64_t access, int descriptor) {
  static const H5FD_class_t driver = make_read_driver();
  use_driver(access, driver, &descriptor);
}

void use_write_driver(std::int64_t access, DiskWrites& writes) {
  static const H5FD_class_t driver = make_write_driver();
  const WriteAccess info{&writes};
  use_driver(access, driver, &info);
}

}  // namespace quadgate::hdf5
