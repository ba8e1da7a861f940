#pragma once

#include <hdf5.h>

#include <cstdint>
#include <functional>
#include <mutex>
#include <numeric>
#include <span>
#include <string>

#include "engine/error.h"
#include "io/hdf5.h"

namespace quadgate::hdf5 {

/// Holds the one lock around the HDF5 library, with its own error printing switched off. The
/// library may be built without thread safety, and an I/O thread reads while others write.
class Session {
 public:
  Session() : lock_(mutex()) {
    H5Eget_auto2(H5E_DEFAULT, &print_, &data_);
    H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr);
  }
  ~Session() { H5Eset_auto2(H5E_DEFAULT, print_, data_); }
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

 private:
  // Recursive, as handles are closed inside functions that already hold it.
  static std::recursive_mutex& mutex() {
    static std::recursive_mutex instance;
    return instance;
  }

  std::lock_guard<std::recursive_mutex> lock_;
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

/// Of the sizes of a shape: its number of elements.
inline std::int64_t product(std::span<const std::int64_t> sizes) {
  return std::accumulate(sizes.begin(), sizes.end(), std::int64_t{1}, std::multiplies<>());
}

/// Opens a dataset for Array, with room for some of its chunks once they are decompressed. What it
/// gives has a negative identifier if there is none. Under a Session.
Handle open_dataset(const Handle& file, const std::string& name);

}  // namespace quadgate::hdf5
