// Sweeps: an object of every kind of attribute, whole, cut off at each byte, and with each byte
// made large: what a process may send after it read a damaged file.

#include "io/hdf5/object_codec.h"

#include <limits>
#include <string>
#include <vector>

#include "tests/io/files.h"

namespace quadgate::hdf5 {
namespace {

Object everything() {
  return {.kind = ObjectKind::dataset,
          .members = {"a", "", "long" + std::string(300, 'x')},
          .attributes = {{"nothing", {}},
                         {"integers", std::vector<std::int64_t>{-1, 1L << 40}},
                         {"doubles", std::vector{0.5}},
                         {"texts", std::vector<std::string>{"été", ""}}},
          .dataset = {.element = Element::int32,
                      .type_text = "int32",
                      .element_bytes = 4,
                      .shape = {5, 2},
                      .chunk_shape = {3, 1},
                      .filters_text = ", gzip 4",
                      .stored_bytes = 17,
                      .address = 800,
                      .offset = -1}};
}

TEST(ObjectCodec, GivesBackWhatItTook) {
  const Object object = everything();
  const Object copy = decode(encode(object));
  EXPECT_EQ(copy.kind, object.kind);
  EXPECT_EQ(copy.members, object.members);
  EXPECT_EQ(copy.attributes, object.attributes);
  EXPECT_EQ(copy.dataset.element, object.dataset.element);
  EXPECT_EQ(copy.dataset.shape, object.dataset.shape);
  EXPECT_EQ(copy.dataset.chunk_shape, object.dataset.chunk_shape);
  EXPECT_EQ(copy.dataset.filters_text, object.dataset.filters_text);
  EXPECT_EQ(copy.dataset.stored_bytes, object.dataset.stored_bytes);
  EXPECT_EQ(copy.dataset.address, object.dataset.address);
  EXPECT_EQ(copy.dataset.offset, object.dataset.offset);
}

TEST(ObjectCodec, RefusesWhatIsCutOffOrLonger) {
  std::vector<std::byte> bytes = encode(everything());
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_THROW(decode(std::span(bytes).first(size)), Unfit) << size;
  }
  bytes.push_back(std::byte{0});
  EXPECT_THROW(decode(bytes), Unfit);
}

TEST(ObjectCodec, TakesNoMemoryForLengthsThatAreDamaged) {
  const std::vector<std::byte> whole = encode(everything());
  for (std::size_t place = 0; place < whole.size(); ++place) {
    std::vector<std::byte> bytes = whole;
    bytes[place] = std::byte{0x7f};
    try {
      decode(bytes);
    } catch (const Unfit&) {
      // As every damage that is seen.
    }
  }
}

TEST(ObjectCodec, RefusesShapesThatCannotBe) {
  const auto expect_damaged = [](auto change) {
    Object object = everything();
    change(object.dataset);
    EXPECT_THROW(decode(encode(object)), Unfit);
  };
  expect_damaged([](DatasetInfo& dataset) { dataset.element_bytes = 9; });
  expect_damaged([](DatasetInfo& dataset) { dataset.shape = {-1, 2}; });
  expect_damaged([](DatasetInfo& dataset) {
    dataset.shape = {std::numeric_limits<std::int64_t>::max() / 4, 2};
  });
  expect_damaged([](DatasetInfo& dataset) { dataset.chunk_shape = {3}; });
  expect_damaged([](DatasetInfo& dataset) { dataset.chunk_shape = {3, 0}; });
}

}  // namespace
}  // namespace quadgate::hdf5
