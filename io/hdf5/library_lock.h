#pragma once

#include <hdf5.h>

#include <mutex>
#include <string>

#include "engine/base/error.h"
#include "io/hdf5/file_writer.h"

namespace quadgate::hdf5 {

/// Holds the one lock around the HDF5 library, with its own error printing switched off. The
/// library may be built without thread safety, and a thread writes checkpoints while others write.
class LibraryLock {
 public:
  LibraryLock() : lock_(mutex()) {
    H5Eget_auto2(H5E_DEFAULT, &print_, &data_);
    H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr);
  }
  ~LibraryLock() { H5Eset_auto2(H5E_DEFAULT, print_, data_); }
  LibraryLock(const LibraryLock&) = delete;
  LibraryLock& operator=(const LibraryLock&) = delete;

 private:
  // Recursive, as handles are closed inside functions that already hold it.
  static std::recursive_mutex& mutex() {
    static std::recursive_mutex instance;
    return instance;
  }

  std::scoped_lock<std::recursive_mutex> lock_;
  H5E_auto2_t print_ = nullptr;
  void* data_ = nullptr;
};

/// The name of an object as HDF5 takes it.
inline const char* or_root(const std::string& object) {
  return object.empty() ? "/" : object.c_str();
}

/// Throws FileError with this message if an HDF5 call failed: its identifier or status is negative.
template <typename Status, typename Message>
Status check(Status status, const Message& message) {
  if (status < 0) throw FileError(message());
  return status;
}

/// Properties of an object to make: without the time, so that the same content is the same bytes.
inline Handle timeless(hid_t kind) {
  Handle properties(H5Pcreate(kind));
  H5Pset_obj_track_times(properties.id(), false);
  return properties;
}

}  // namespace quadgate::hdf5
