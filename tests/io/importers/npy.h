#pragma once

#include <string>
#include <vector>

namespace quadgate::testing {

/// An array of NumPy: a header of version 1 and the bytes of the elements.
template <typename T>
std::string npy(const std::string& type, const std::string& shape, const std::vector<T>& elements,
                const std::string& order = "False") {
  std::string header =
      "{'descr': '" + type + "', 'fortran_order': " + order + ", 'shape': " + shape + ", }";
  header.resize((header.size() + 10 + 64) / 64 * 64 - 10, ' ');
  std::string bytes("\x93NUMPY\x01\x00", 8);
  bytes += static_cast<char>(header.size() & 255U);
  bytes += static_cast<char>(header.size() >> 8U);
  bytes += header;
  bytes.append(reinterpret_cast<const char*>(elements.data()), elements.size() * sizeof(T));
  return bytes;
}

}  // namespace quadgate::testing
