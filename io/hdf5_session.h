#pragma once

#include <hdf5.h>

#include <mutex>
#include <string>

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

/// Opens a dataset for Array, with room for some of its chunks once they are decompressed. What it
/// gives has a negative identifier if there is none. Under a Session.
Handle open_dataset(const Handle& file, const std::string& name);

}  // namespace quadgate::hdf5
