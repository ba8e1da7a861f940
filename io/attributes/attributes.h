#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace quadgate {

/// Named values that describe something: the attributes of an HDF5 object, or a JSON object.
class AttributeReader {
 public:
  virtual ~AttributeReader() = default;

  virtual bool has(const std::string& name) const = 0;
  /// All throw FileError if there is none of that name, or if it has another type.
  virtual std::int64_t read_int(const std::string& name) const = 0;
  virtual double read_double(const std::string& name) const = 0;
  virtual std::string read_string(const std::string& name) const = 0;
  virtual std::vector<std::string> read_strings(const std::string& name) const = 0;
  virtual std::vector<float> read_floats(const std::string& name) const = 0;
  virtual std::vector<double> read_doubles(const std::string& name) const = 0;
  /// To begin an error message with.
  virtual std::string where(const std::string& name) const = 0;
};

/// Where such values go.
class AttributeWriter {
 public:
  virtual ~AttributeWriter() = default;

  virtual void write_int(const std::string& name, std::int64_t value) = 0;
  virtual void write_double(const std::string& name, double value) = 0;
  virtual void write_string(const std::string& name, const std::string& value) = 0;
  virtual void write_strings(const std::string& name, std::span<const std::string> values) = 0;
  virtual void write_floats(const std::string& name, std::span<const float> values) = 0;
  virtual void write_doubles(const std::string& name, std::span<const double> values) = 0;
};

}  // namespace quadgate
