#include "io/hdf5/disk_driver.h"

#include <fcntl.h>
#include <hdf5.h>
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

/// What HDF5 is given as the properties of an access.
struct DriverInfo {
  DiskWrites* writes;
};

/// An open file, as HDF5's drivers have it: its own part first.
struct DiskFile {
  H5FD_t base{};
  DiskWrites* writes = nullptr;
  int descriptor = -1;
  haddr_t end_of_space = 0;  // that HDF5 has given to objects
  haddr_t end_of_file = 0;
};

DiskFile& as_disk_file(H5FD_t* file) { return *reinterpret_cast<DiskFile*>(file); }
const DiskFile& as_disk_file(const H5FD_t* file) {
  return *reinterpret_cast<const DiskFile*>(file);
}

H5FD_t* open_file(const char* name, unsigned /*flags*/, hid_t access, haddr_t /*most*/) {
  const auto* info = static_cast<const DriverInfo*>(H5Pget_driver_info(access));
  if (info == nullptr) return nullptr;
  auto file = std::make_unique<DiskFile>();
  file->writes = info->writes;
  file->descriptor = ::open(name, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
  if (file->descriptor < 0) {
    file->writes->error = errno;
    return nullptr;
  }
  return &file.release()->base;
}

herr_t close_file(H5FD_t* file) {
  const std::unique_ptr<DiskFile> closed(&as_disk_file(file));
  if (::close(closed->descriptor) != 0 && closed->writes->error == 0) {
    closed->writes->error = errno;
  }
  return 0;
}

herr_t query(const H5FD_t* /*file*/, unsigned long* flags) {  // NOLINT(google-runtime-int)
  *flags = H5FD_FEAT_AGGREGATE_METADATA | H5FD_FEAT_ACCUMULATE_METADATA | H5FD_FEAT_DATA_SIEVE |
           H5FD_FEAT_AGGREGATE_SMALLDATA | H5FD_FEAT_DEFAULT_VFD_COMPATIBLE;
  return 0;
}

haddr_t get_end_of_space(const H5FD_t* file, H5FD_mem_t /*type*/) {
  return as_disk_file(file).end_of_space;
}

herr_t set_end_of_space(H5FD_t* file, H5FD_mem_t /*type*/, haddr_t end) {
  as_disk_file(file).end_of_space = end;
  return 0;
}

haddr_t get_end_of_file(const H5FD_t* file, H5FD_mem_t /*type*/) {
  return as_disk_file(file).end_of_file;
}

herr_t get_handle(H5FD_t* file, hid_t /*access*/, void** handle) {
  *handle = &as_disk_file(file).descriptor;
  return 0;
}

herr_t read(H5FD_t* file, H5FD_mem_t /*type*/, hid_t /*transfer*/, haddr_t address,
            std::size_t size, void* buffer) {
  auto* next = static_cast<std::byte*>(buffer);
  while (size > 0) {
    const ::ssize_t got =
        ::pread(as_disk_file(file).descriptor, next, size, static_cast<::off_t>(address));
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

herr_t write(H5FD_t* base, H5FD_mem_t /*type*/, hid_t /*transfer*/, haddr_t address,
             std::size_t size, const void* buffer) {
  DiskFile& file = as_disk_file(base);
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
  DiskFile& file = as_disk_file(base);
  if (file.writes->error == 0 &&
      ::ftruncate(file.descriptor, static_cast<::off_t>(file.end_of_space)) != 0) {
    file.writes->error = errno;
  }
  file.end_of_file = file.end_of_space;
  return 0;
}

H5FD_class_t driver() {
  H5FD_class_t driver{};
  driver.name = "quadgate";
  driver.maxaddr = static_cast<haddr_t>(INT64_MAX);
  driver.fc_degree = H5F_CLOSE_WEAK;
  driver.fapl_size = sizeof(DriverInfo);
  driver.open = open_file;
  driver.close = close_file;
  driver.query = query;
  driver.get_eoa = get_end_of_space;
  driver.set_eoa = set_end_of_space;
  driver.get_eof = get_end_of_file;
  driver.get_handle = get_handle;
  driver.read = read;
  driver.write = write;
  driver.truncate = truncate;
  const H5FD_mem_t kinds[] = H5FD_FLMAP_DICHOTOMY;
  std::ranges::copy(kinds, driver.fl_map);
  return driver;
}

}  // namespace

void use_disk_driver(std::int64_t access, DiskWrites& writes) {
  static const H5FD_class_t the_driver = driver();
  const Handle id(H5FDregister(&the_driver));  // the access keeps a reference of its own
  const DriverInfo info{&writes};
  H5Pset_driver(access, id.id(), &info);
}

}  // namespace quadgate::hdf5
