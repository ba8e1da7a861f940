#pragma once

#include <string>
#include <utility>
#include <vector>

#include "io/attributes/attributes.h"
#include "io/hdf5/file.h"
#include "io/hdf5/file_writer.h"

namespace quadgate::hdf5 {

/// The attributes of an object of a file, which must outlive it.
class ObjectReader final : public AttributeReader {
 public:
  ObjectReader(const File& file, std::string object) : file_(file), object_(std::move(object)) {}

  bool has(const std::string& name) const override { return file_.has_attribute(object_, name); }
  std::int64_t read_int(const std::string& name) const override {
    return file_.read_int(object_, name);
  }
  double read_double(const std::string& name) const override {
    return file_.read_double(object_, name);
  }
  std::string read_string(const std::string& name) const override {
    return file_.read_string(object_, name);
  }
  std::vector<std::string> read_strings(const std::string& name) const override {
    return file_.read_strings(object_, name);
  }
  std::vector<float> read_floats(const std::string& name) const override {
    return file_.read_floats(object_, name);
  }
  std::vector<double> read_doubles(const std::string& name) const override {
    return file_.read_doubles(object_, name);
  }
  std::string where(const std::string& name) const override { return file_.where(object_, name); }

 private:
  const File& file_;
  std::string object_;
};

/// Writes attributes of an object of a file, which must outlive it.
class ObjectWriter final : public AttributeWriter {
 public:
  ObjectWriter(FileWriter& file, std::string object) : file_(file), object_(std::move(object)) {}

  void write_int(const std::string& name, std::int64_t value) override {
    file_.write_int(object_, name, value);
  }
  void write_double(const std::string& name, double value) override {
    file_.write_double(object_, name, value);
  }
  void write_string(const std::string& name, const std::string& value) override {
    file_.write_string(object_, name, value);
  }
  void write_strings(const std::string& name, std::span<const std::string> values) override {
    file_.write_strings(object_, name, values);
  }
  void write_floats(const std::string& name, std::span<const float> values) override {
    file_.write_floats(object_, name, values);
  }
  void write_doubles(const std::string& name, std::span<const double> values) override {
    file_.write_doubles(object_, name, values);
  }

 private:
  FileWriter& file_;
  std::string object_;
};

}  // namespace quadgate::hdf5
