// Sweeps: round trips (files by PyTorch itself: tests/torch), views of storages, pickles that call
// what they must not, 10,000 damaged zip files and 10,000 damaged pickles in whole ones.
// Tolerance: none, what is written is read to the same bits.

#include "io/tensors/torch_file.h"

#include <fmt/format.h>

#include "io/tensors/zip.h"
#include "tests/io/files.h"
#include "tests/io/mutations.h"

namespace quadgate {
namespace {

using testing::Bytes;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::message_of;

const TensorFile kTorchFile{
    .tensors = {{.name = "rnn.weight_ih_l0", .shape = {4, 2}, .values = testing::ramp(8, 0.1F)},
                {.name = "scalar", .shape = {}, .values = {7}},
                {.name = "empty", .shape = {3, 0}, .values = {}}},
    .metadata = {{"quadgate", "{}"}},
    .in_order = true};

Bytes pickle_of(const std::string& text) {
  const auto bytes = std::as_bytes(std::span(text));
  return {bytes.begin(), bytes.end()};
}

/// A file with this pickle and a storage "0" of the floats 0, 1, ...
Bytes with_pickle(const Bytes& pickle, int elements = 12) {
  const std::vector<float> storage = testing::ramp(elements);
  return make_zip({{"m/data.pkl", pickle}, {"m/data/0", std::as_bytes(std::span(storage))}}, "m");
}

/// The pickle of a dict whose one value comes from these opcodes.
Bytes with_value(const std::string& opcodes) {
  return pickle_of("\x80\x02}(X" + std::string("\1\0\0\0", 4) + "a" + opcodes + "u.");
}

/// The opcodes of a view of storage "0" (at most 255 in each number).
std::string view(int offset, const std::vector<int>& shape, const std::vector<int>& strides,
                 int elements = 12) {
  const auto number = [](int value) { return std::string("K") + static_cast<char>(value); };
  const auto text = [](const std::string& value) {
    return std::string("\x8c") + static_cast<char>(value.size()) + value;
  };
  const auto numbers = [&](const std::vector<int>& values) {
    std::string opcodes = "(";
    for (const int value : values) opcodes += number(value);
    return opcodes + "t";
  };
  return "ctorch._utils\n_rebuild_tensor_v2\n((" + text("storage") + "ctorch\nFloatStorage\n" +
         text("0") + text("cpu") + number(elements) + "tQ" + number(offset) + numbers(shape) +
         numbers(strides) + "\x89" + "ccollections\nOrderedDict\n)RtR";
}

std::string error(const Bytes& pickle) {
  return message_of<FileError>([&] { parse_torch_file(with_pickle(pickle), "m"); });
}

class TorchFileTest : public testing::FolderTest {};

TEST_F(TorchFileTest, ReadsWhatItWrote) {
  write_torch_file(path("m.pt"), kTorchFile);
  EXPECT_EQ(parse_torch_file(read_bytes(path("m.pt")), "m"), kTorchFile);
}

TEST_F(TorchFileTest, WritesTheSameBytesEachTime) {
  write_torch_file(path("m.pt"), kTorchFile);
  const auto first = read_bytes(path("m.pt"));
  write_torch_file(path("m.pt"), kTorchFile);
  EXPECT_EQ(read_bytes(path("m.pt")), first);
}

TEST_F(TorchFileTest, ReadsViewsOfAStorage) {
  const auto values = [](const std::string& opcodes) {
    return parse_torch_file(with_pickle(with_value(opcodes)), "m").tensors.at(0).values;
  };
  EXPECT_THAT(values(view(0, {2, 3}, {3, 1})), ElementsAre(0, 1, 2, 3, 4, 5));
  EXPECT_THAT(values(view(1, {3, 2}, {1, 4})), ElementsAre(1, 5, 2, 6, 3, 7));
  EXPECT_THAT(values(view(11, {1, 1}, {200, 9})), ElementsAre(11));
  EXPECT_THAT(values(view(2, {}, {})), ElementsAre(2));
  EXPECT_THAT(values(view(0, {0, 5}, {5, 1})), ElementsAre());
  EXPECT_THAT(values(view(0, {2, 2}, {0, 1})), ElementsAre(0, 1, 0, 1));
  EXPECT_THAT(values(view(3, {20}, {0})), Each(3));
}

TEST_F(TorchFileTest, RefusesViewsThatReachBeyondTheStorage) {
  for (const std::string& opcodes :
       {view(12, {1}, {1}), view(0, {13}, {1}), view(5, {2, 4}, {4, 1}), view(0, {2}, {12}),
        view(0, {2}, {1, 1})}) {
    EXPECT_THAT(error(with_value(opcodes)),
                "m: tensor 'a': expected a part of its storage of 12 elements");
  }
}

TEST_F(TorchFileTest, RunsNothing) {
  EXPECT_THAT(error(with_value("cos\nsystem\n\x8c\x02ls\x85R")),
              "m: tensor 'a': expected a tensor, found 'os.system', which is not run");
  EXPECT_THAT(error(with_value("\x8c\x02os\x8c\x06system\x93)R")), HasSubstr("'os.system'"));
  EXPECT_THAT(error(with_value("K\x01K\x02R")), "m: pickle: it calls what is no function");
  EXPECT_THAT(error(pickle_of("\x80\x02"
                              "cos\nsystem\n)R.")),
              HasSubstr("found an object of 'os.system', which is not run"));
  EXPECT_THAT(error(pickle_of("\x80\x02(ios\nsystem\n.")),
              "m: pickle: expected an opcode of protocols 2 to 5, found 0x69");
}

TEST_F(TorchFileTest, NamesWhatIsWrong) {
  EXPECT_THAT(message_of<FileError>([] { parse_torch_file(pickle_of("PK"), "m"); }),
              HasSubstr("m: zip: "));
  EXPECT_THAT(message_of<FileError>([] {
                parse_torch_file(make_zip({{"a", {}}}, "m"), "m");
              }),
              HasSubstr("m: expected data.pkl"));
  EXPECT_THAT(error(pickle_of("\x80\x02K\x01.")), HasSubstr("m: expected a dict of tensors"));
  EXPECT_THAT(error(with_value("K\x01")), HasSubstr("m: expected a dict of tensors"));
  EXPECT_THAT(error(pickle_of("\x80\x02}(K\x01K\x02u.")),
              "m: expected names of tensors, found another key");
  EXPECT_THAT(error(pickle_of("\x80\x02}(K\x01u.")), "m: pickle: a key has no value");
  EXPECT_THAT(error(pickle_of("\x80\x02")), "m: pickle: expected 1 more bytes, found 0");
  EXPECT_THAT(error(pickle_of("\x80\x02.")), HasSubstr("more from its stack than there is"));
  EXPECT_THAT(error(pickle_of("\x80\x02h\x07.")), HasSubstr("recalls what it has not kept"));
  EXPECT_THAT(error(pickle_of("\x80\x02" + std::string(2'000'000, ']'))),
              HasSubstr("expected at most 1000000 values"));
}

TEST_F(TorchFileTest, LeavesOutWhatIsNoTensor) {
  const std::string model = "}\x8c\1w" + view(2, {}, {}) + "s";
  const TensorFile file = parse_torch_file(
      with_pickle(pickle_of("\x80\x02}(\x8c\1sK\x07\x8c\1m" + model + "\x8c\1xcos\nsystem\n)Ru.")),
      "m");
  EXPECT_EQ(file.tensors.size(), 1);
  EXPECT_THAT(file.notes, ElementsAre("left out beside 'm': 's', 'x'"));
  EXPECT_THAT(error(pickle_of("\x80\x02}(\x8c\1m" + model + "\x8c\1n" + model + "u.")),
              HasSubstr("m: expected one state_dict, found 'm' and 'n'"));
}

TEST_F(TorchFileTest, ManyViewsOfOneStorageDoNotMakeASmallFileLarge) {
  std::string opcodes = view(0, {200}, {1}, 200) + "q\1";
  for (int i = 0; i < 2000; ++i) opcodes += "\x8c\1bh\1";
  EXPECT_THAT(
      message_of<FileError>([&] { parse_torch_file(with_pickle(with_value(opcodes), 200), "m"); }),
      HasSubstr("m: tensor 'b': expected tensors of at most"));
}

TEST_F(TorchFileTest, SurvivesDamage) {
  write_torch_file(path("m.pt"), kTorchFile);
  const auto parse = [](const Bytes& bytes) { parse_torch_file(bytes, "m"); };
  testing::survive_mutations(read_bytes(path("m.pt")), parse);
  testing::survive_mutations(with_value(view(1, {3, 2}, {1, 4})),
                             [&](const Bytes& pickle) { parse(with_pickle(pickle)); });
}

}  // namespace
}  // namespace quadgate
