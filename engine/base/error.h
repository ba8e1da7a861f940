#pragma once

#include <stdexcept>

namespace quadgate {

/// Base of every error that quadgate throws; `what()` is one line for the user.
class Error : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// A setting or argument that does not fit: names the field, what was expected and what was found.
class InvalidArgument : public Error {
 public:
  using Error::Error;
};

/// Data that cannot be trained on: NaN or infinity, a label out of range, a loss that is not
/// finite.
class DataError : public Error {
 public:
  using Error::Error;
};

/// A file that is missing, damaged, of another kind, or that cannot be written: names the file.
class FileError : public Error {
 public:
  using Error::Error;
};

}  // namespace quadgate
