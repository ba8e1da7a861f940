#include <fmt/format.h>

#include "io/files/replace_file.h"
#include "io/tensors/torch_file.h"
#include "io/tensors/torch_names.h"
#include "io/tensors/zip.h"

namespace quadgate {
namespace {

/// Writes the pickle of a state_dict, protocol 2.
class Pickler {
 public:
  std::string run(const TensorFile& file) {
    out_ = "\x80\x02}(";
    std::size_t key = 0;
    for (const NamedTensor& tensor : file.tensors) add(tensor, std::to_string(key++));
    return out_ + "u.";
  }

 private:
  void text(std::string_view text) {
    out_ += 'X';
    little_endian(text.size(), 4);
    out_ += text;
  }
  void integer(std::int64_t value) {
    out_ += "\x8a\x08";
    little_endian(static_cast<std::uint64_t>(value), 8);
  }
  void little_endian(std::uint64_t value, int size) {
    for (int i = 0; i < size; ++i) out_ += static_cast<char>(value >> (8 * i) & 0xff);
  }
  void global(std::string_view full_name) {
    const std::size_t dot = full_name.rfind('.');
    out_ += fmt::format("c{}\n{}\n", full_name.substr(0, dot), full_name.substr(dot + 1));
  }
  void integers(std::span<const std::int64_t> values) {
    out_ += '(';
    for (const std::int64_t value : values) integer(value);
    out_ += 't';
  }
  void add(const NamedTensor& tensor, const std::string& key) {
    text(tensor.name);
    global(torch_names::kTensor);
    out_ += "((";
    text("storage");
    global(torch_names::kStorages.front().first);
    text(key);
    text("cpu");
    integer(std::ssize(tensor.values));
    out_ += "tQ";
    integer(0);
    integers(tensor.shape);
    std::vector<std::int64_t> strides(tensor.shape.size(), 1);
    for (std::size_t d = strides.size(); d-- > 1;) strides[d - 1] = strides[d] * tensor.shape[d];
    integers(strides);
    out_ += '\x89';  // requires_grad
    global(torch_names::kOrderedDict);
    out_ += ")RtR";  // no hooks
  }

  std::string out_;
};

std::span<const std::byte> bytes_of(std::string_view text) {
  return std::as_bytes(std::span(text));
}

}  // namespace

void write_torch_file(const std::filesystem::path& path, const TensorFile& file) {
  const std::string folder = path.stem().string() + "/";
  const std::string pickle = Pickler().run(file);
  std::map<std::string, std::span<const std::byte>> members{
      {folder + std::string(torch_names::kData), bytes_of(pickle)},
      {folder + "byteorder", bytes_of("little")},
      {folder + "version", bytes_of("3\n")}};
  for (std::size_t i = 0; i < file.tensors.size(); ++i) {
    members[fmt::format("{}data/{}", folder, i)] = std::as_bytes(std::span(file.tensors[i].values));
  }
  for (const auto& [key, text] : file.metadata) {
    members[folder + std::string(torch_names::kExtra) + key] = bytes_of(text);
  }
  replace_file(path, make_zip(members, path.string()));
}

}  // namespace quadgate
