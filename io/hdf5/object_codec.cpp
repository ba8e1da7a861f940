#include "io/hdf5/object_codec.h"

#include <algorithm>
#include <limits>
#include <type_traits>
#include <utility>

#include "io/files/load.h"

namespace quadgate::hdf5 {
namespace {

class Packer {
 public:
  template <typename Number>
  void number(Number value) {
    append(std::as_bytes(std::span(&value, 1)));
  }

  void text(const std::string& text) {
    number(text.size());
    append(std::as_bytes(std::span(text)));
  }

  template <typename Number>
  void list(const std::vector<Number>& numbers) {
    number(numbers.size());
    append(std::as_bytes(std::span(numbers)));
  }

  void list(const std::vector<std::string>& texts) {
    number(texts.size());
    for (const std::string& each : texts) text(each);
  }

  std::vector<std::byte> take() { return std::move(bytes_); }

 private:
  void append(std::span<const std::byte> bytes) {
    bytes_.insert(bytes_.end(), bytes.begin(), bytes.end());
  }

  std::vector<std::byte> bytes_;
};

class Unpacker {
 public:
  explicit Unpacker(std::span<const std::byte> bytes) : rest_(bytes) {}

  template <typename Number>
  Number number() {
    return load<Number>(take(sizeof(Number)).data());
  }

  std::string text() {
    const std::span<const std::byte> bytes = take(length(1));
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
  }

  template <typename Number>
  std::vector<Number> numbers() {
    std::vector<Number> list(length(sizeof(Number)));
    const std::span<const std::byte> bytes = take(list.size() * sizeof(Number));
    std::ranges::copy(bytes, std::as_writable_bytes(std::span(list)).begin());
    return list;
  }

  std::vector<std::string> texts() {
    std::vector<std::string> list(length(sizeof(std::size_t)));
    for (std::string& each : list) each = text();
    return list;
  }

  /// Throws Unfit unless all has been taken.
  void expect_end() const {
    if (!rest_.empty()) throw Unfit(kDamaged);
  }

  /// The number of items that follow, of at least so many bytes each. Throws Unfit unless they fit
  /// in what is left.
  std::size_t length(std::size_t least_bytes) {
    const auto count = number<std::size_t>();
    if (count > rest_.size() / least_bytes) throw Unfit(kDamaged);
    return count;
  }

  static constexpr const char* kDamaged = "its description is damaged";

 private:
  std::span<const std::byte> take(std::size_t size) {
    if (size > rest_.size()) throw Unfit(kDamaged);
    return std::exchange(rest_, rest_.subspan(size)).first(size);
  }

  std::span<const std::byte> rest_;
};

void pack(Packer& packer, const Attribute& attribute) {
  packer.number(attribute.index());
  std::visit(
      [&packer]<typename Values>(const Values& values) {
        if constexpr (!std::is_same_v<Values, std::monostate>) packer.list(values);
      },
      attribute);
}

Attribute unpack_attribute(Unpacker& unpacker) {
  switch (unpacker.number<std::size_t>()) {
    case 0:
      return {};
    case 1:
      return unpacker.numbers<std::int64_t>();
    case 2:
      return unpacker.numbers<double>();
    case 3:
      return unpacker.texts();
    default:
      throw Unfit(Unpacker::kDamaged);
  }
}

void pack(Packer& packer, const DatasetInfo& dataset) {
  packer.text(dataset.type_text);
  packer.number(dataset.element_bytes);
  packer.list(dataset.shape);
  packer.list(dataset.chunk_shape);
  packer.text(dataset.filters_text);
  packer.number(dataset.stored_bytes);
  packer.number(dataset.address);
  packer.number(dataset.offset);
}

DatasetInfo unpack_dataset(Unpacker& unpacker) {
  DatasetInfo dataset;
  dataset.type_text = unpacker.text();
  dataset.element = element_of(dataset.type_text);
  dataset.element_bytes = unpacker.number<std::int64_t>();
  dataset.shape = unpacker.numbers<std::int64_t>();
  dataset.chunk_shape = unpacker.numbers<std::int64_t>();
  dataset.filters_text = unpacker.text();
  dataset.stored_bytes = unpacker.number<std::int64_t>();
  dataset.address = unpacker.number<std::int64_t>();
  dataset.offset = unpacker.number<std::int64_t>();
  return dataset;
}

/// Whether its bytes can be counted, in the file and in memory.
bool is_countable(std::span<const std::int64_t> shape, std::int64_t element_bytes) {
  // In memory an element may have 8.
  std::int64_t most =
      std::numeric_limits<std::int64_t>::max() / std::max<std::int64_t>(8, element_bytes);
  for (const std::int64_t size : shape) {
    if (size < 0 || size > most) return false;
    most /= std::max<std::int64_t>(1, size);
  }
  return true;
}

void expect_possible(const DatasetInfo& dataset) {
  const std::vector<std::int64_t>& chunk = dataset.chunk_shape;
  if (dataset.element != Element::other &&
      (dataset.element_bytes < 1 || dataset.element_bytes > 8)) {
    throw Unfit("its type is damaged");
  }
  if (dataset.element_bytes < 0 || !is_countable(dataset.shape, dataset.element_bytes) ||
      !is_countable(chunk, dataset.element_bytes) || std::ranges::find(chunk, 0) != chunk.end() ||
      (!chunk.empty() && chunk.size() != dataset.shape.size())) {
    throw Unfit("its shape is damaged");
  }
}

}  // namespace

std::vector<std::byte> encode(const Object& object) {
  Packer packer;
  packer.number(object.kind);
  packer.list(object.members);
  packer.number(object.attributes.size());
  for (const auto& [name, value] : object.attributes) {
    packer.text(name);
    pack(packer, value);
  }
  pack(packer, object.dataset);
  return packer.take();
}

Object decode(std::span<const std::byte> bytes) {
  Unpacker unpacker(bytes);
  Object object;
  object.kind = unpacker.number<ObjectKind>();
  if (object.kind > ObjectKind::other) throw Unfit(Unpacker::kDamaged);
  object.members = unpacker.texts();
  const std::size_t attributes = unpacker.length(2 * sizeof(std::size_t));
  for (std::size_t i = 0; i < attributes; ++i) {
    std::string name = unpacker.text();
    object.attributes.emplace(std::move(name), unpack_attribute(unpacker));
  }
  object.dataset = unpack_dataset(unpacker);
  unpacker.expect_end();
  expect_possible(object.dataset);
  return object;
}

}  // namespace quadgate::hdf5
