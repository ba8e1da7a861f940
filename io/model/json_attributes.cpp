#include "io/model/json_attributes.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <utility>
#include <vector>

#include "engine/base/error.h"
#include "io/attributes/attributes.h"

namespace quadgate {
namespace {

using nlohmann::json;

class JsonReader final : public AttributeReader {
 public:
  JsonReader(json object, std::string name) : object_(std::move(object)), name_(std::move(name)) {}

  bool has(const std::string& name) const override { return object_.contains(name); }
  std::int64_t read_int(const std::string& name) const override {
    return get<std::int64_t>(name, "an integer", &json::is_number_integer);
  }
  double read_double(const std::string& name) const override {
    return get<double>(name, "a number", &json::is_number);
  }
  std::string read_string(const std::string& name) const override {
    return get<std::string>(name, "text", &json::is_string);
  }
  std::vector<std::string> read_strings(const std::string& name) const override {
    return get<std::vector<std::string>>(name, "a list of texts", &json::is_array);
  }
  std::vector<float> read_floats(const std::string& name) const override {
    return get<std::vector<float>>(name, "a list of numbers", &json::is_array);
  }
  std::vector<double> read_doubles(const std::string& name) const override {
    return get<std::vector<double>>(name, "a list of numbers", &json::is_array);
  }
  std::string where(const std::string& name) const override {
    return fmt::format("{}: '{}'", name_, name);
  }

 private:
  template <typename Value>
  Value get(const std::string& name, const char* expected,
            bool (json::*is)() const noexcept) const {
    if (!has(name)) throw FileError(where(name) + ": missing");
    const json& value = object_[name];
    try {
      if ((value.*is)()) return value.get<Value>();
    } catch (const json::exception&) {  // a list of something else
    }
    throw FileError(fmt::format("{}: expected {}", where(name), expected));
  }

  json object_;
  std::string name_;
};

class JsonWriter final : public AttributeWriter {
 public:
  void write_int(const std::string& name, std::int64_t value) override { object_[name] = value; }
  void write_double(const std::string& name, double value) override { object_[name] = value; }
  void write_string(const std::string& name, const std::string& value) override {
    object_[name] = value;
  }
  void write_strings(const std::string& name, std::span<const std::string> values) override {
    object_[name] = std::vector<std::string>(values.begin(), values.end());
  }
  void write_floats(const std::string& name, std::span<const float> values) override {
    object_[name] = std::vector<float>(values.begin(), values.end());
  }
  void write_doubles(const std::string& name, std::span<const double> values) override {
    object_[name] = std::vector<double>(values.begin(), values.end());
  }

  std::string text() const { return object_.dump(-1, ' ', false, json::error_handler_t::replace); }

 private:
  json object_ = json::object();
};

}  // namespace

std::string to_json(const ModelDescription& model) {
  JsonWriter writer;
  write_model_description(writer, model);
  return writer.text();
}

ModelDescription model_from_json(const std::string& text, const std::string& name) {
  json object = json::parse(text, nullptr, false);
  if (!object.is_object()) throw FileError(name + ": expected a JSON object");
  return read_model_description(JsonReader(std::move(object), name), name);
}

}  // namespace quadgate
