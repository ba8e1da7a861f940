#include <fmt/format.h>

#include <algorithm>
#include <type_traits>
#include <utility>

#include "engine/base/error.h"
#include "io/hdf5/file.h"
#include "io/hdf5/source.h"

namespace quadgate::hdf5 {
namespace {

const char* element_text(Element element) {
  switch (element) {
    case Element::float32:
      return "float32";
    case Element::int32:
      return "int32";
    case Element::int64:
      return "int64";
    case Element::other:
      break;
  }
  return "other";
}

bool is_integer(Element element) noexcept {
  return element == Element::int32 || element == Element::int64;
}

}  // namespace

Array::Array(std::shared_ptr<Source> source, std::string name, DatasetInfo info)
    : source_(std::move(source)), name_(std::move(name)), info_(std::move(info)) {}

bool Array::has_slow_rows() const {
  return !chunk_shape().empty() && size() > 0 && !source_->keeps(info_);
}

std::string Array::storage_text() const {
  if (chunk_shape().empty()) return "contiguous";
  const auto whole = static_cast<double>(size() * info_.element_bytes);
  return fmt::format("chunks of {}{}, {:.1f} % of its size", shape_text(chunk_shape()),
                     info_.filters_text,
                     100 * static_cast<double>(info_.stored_bytes) / std::max(whole, 1.0));
}

std::int64_t Array::row_size() const noexcept {
  return product(std::span(shape()).subspan(std::min<std::size_t>(1, shape().size())));
}

void Array::expect(Element element, std::initializer_list<std::int64_t> shape,
                   std::string_view dimensions) const {
  const auto fits = [](std::int64_t expected, std::int64_t found) {
    return expected == kAnySize || expected == found;
  };
  const std::vector<std::int64_t>& found = info_.shape;
  if (info_.element == Element::other || (is_integer(element) && !is_integer(info_.element)) ||
      !std::equal(shape.begin(), shape.end(), found.begin(), found.end(), fits)) {
    throw FileError(fmt::format("{}: expected {} {}, found {} {}", where(), element_text(element),
                                dimensions, type_text(), shape_text(found)));
  }
}

void Array::read(std::int64_t first, std::int64_t count, std::span<float> out) const {
  read_as(first, count, Element::float32, out);
}

void Array::read(std::int64_t first, std::int64_t count, std::span<std::int32_t> out) const {
  read_as(first, count, Element::int32, out);
}

void Array::read(std::int64_t first, std::int64_t count, std::span<std::int64_t> out) const {
  read_as(first, count, Element::int64, out);
}

template <typename Wanted>
void Array::read_as(std::int64_t first, std::int64_t count, Element wanted,
                    std::span<Wanted> out) const {
  if (element() == wanted || !is_integer(element())) {
    read_rows(first, count, wanted, std::as_writable_bytes(out));
  } else if (element() == Element::int32) {
    read_integers<std::int32_t>(first, count, out);
  } else {
    read_integers<std::int64_t>(first, count, out);
  }
}

template <typename Stored, typename Wanted>
void Array::read_integers(std::int64_t first, std::int64_t count, std::span<Wanted> out) const {
  std::vector<Stored> stored(out.size());
  read_rows(first, count, element(), std::as_writable_bytes(std::span(stored)));
  for (std::size_t i = 0; i < out.size(); ++i) {
    if constexpr (std::is_integral_v<Wanted>) {
      if (!std::in_range<Wanted>(stored[i])) {
        throw FileError(fmt::format("{}: expected numbers of {} bits, found {}", where(),
                                    8 * sizeof(Wanted), stored[i]));
      }
    }
    out[i] = static_cast<Wanted>(stored[i]);
  }
}

void Array::read_rows(std::int64_t first, std::int64_t count, Element element,
                      std::span<std::byte> out) const {
  const std::int64_t rows = shape().empty() ? 1 : shape().front();
  const auto row_bytes = row_size() * static_cast<std::int64_t>(size_of(element));
  if (element != info_.element || first < 0 || count < 0 || first > rows - count ||
      std::ssize(out) != count * row_bytes) {
    throw InvalidArgument(
        fmt::format("{}: cannot read {} values as {} of rows {} to {}, found {} {}", where(),
                    out.size() / size_of(element), element_text(element), first, first + count,
                    type_text(), shape_text(shape())));
  }
  if (!out.empty()) source_->read(name_, info_, first, count, out);
}

std::vector<float> Array::read_floats() const {
  if (element() == Element::other || shape().empty()) {
    throw FileError(fmt::format("{}: expected numbers in at least one dimension, found {} {}",
                                where(), type_text(), shape_text(shape())));
  }
  std::vector<float> values(static_cast<std::size_t>(size()));
  read(0, shape().front(), values);
  return values;
}

std::string Array::where() const {
  return fmt::format("{}: dataset '{}'", source_->path().string(), name_);
}

}  // namespace quadgate::hdf5
