// Sweeps: files of all dtypes and shapes, round trips, every way in which the header can be wrong,
// 10,000 damaged files. Tolerance: none, what is written is read to the same bits.

#include "io/tensors/safetensors.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <cmath>
#include <limits>

#include "tests/io/files.h"
#include "tests/io/mutations.h"

namespace quadgate {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::message_of;

const TensorFile kSafetensorsFile{
    .tensors = {{.name = "rnn.weight_ih_l0", .shape = {4, 2}, .values = testing::ramp(8, 0.1F)},
                {.name = "scalar",
                 .shape = {},
                 .values = {std::numeric_limits<float>::denorm_min()}},
                {.name = "empty", .shape = {3, 0}, .values = {}},
                {.name = "größe", .shape = {1, 3}, .values = {-0.0F, INFINITY, 1e-30F}}},
    .metadata = {{"format", "pt"}, {"quadgate", R"({"cell": "lstm"})"}}};

testing::Bytes with_header(const std::string& header, const std::string& data = "") {
  testing::Bytes bytes(8 + header.size() + data.size());
  for (std::size_t i = 0; i < 8; ++i) bytes[i] = static_cast<std::byte>(header.size() >> (8 * i));
  std::ranges::copy(std::as_bytes(std::span(header)), bytes.begin() + 8);
  std::ranges::copy(std::as_bytes(std::span(data)),
                    bytes.begin() + 8 + static_cast<std::ptrdiff_t>(header.size()));
  return bytes;
}

std::string error(const std::string& header, const std::string& data = "") {
  return message_of<FileError>([&] { parse_safetensors(with_header(header, data), "m"); });
}

class SafetensorsTest : public testing::FolderTest {};

TEST_F(SafetensorsTest, ReadsWhatItWrote) {
  write_safetensors(path("m.safetensors"), kSafetensorsFile);
  TensorFile read = parse_safetensors(read_bytes(path("m.safetensors")), "m");
  EXPECT_EQ(read.metadata, kSafetensorsFile.metadata);
  ASSERT_EQ(read.tensors.size(), kSafetensorsFile.tensors.size());
  for (const NamedTensor& tensor : kSafetensorsFile.tensors) {
    EXPECT_THAT(read.tensors, ::testing::Contains(tensor));
  }
  EXPECT_EQ(std::filesystem::file_size(path("m.safetensors")) % 4, 0);
}

TEST_F(SafetensorsTest, ReadsEveryDtype) {
  const std::string data(
      "\0\0\0\0\0\0\xf8\x3f"        // f64 1.5
      "\0\0\xc0\xbf"                // f32 -1.5
      "\0\x3e\x01\0\xff\xfb\0\x7c"  // f16 1.5, 2^-24, -65504, inf
      "\xc0\x3f\x80\x7f",           // bf16 1.5, inf
      24);
  const TensorFile file = parse_safetensors(
      with_header(R"({"a": {"dtype": "F64", "shape": [1], "data_offsets": [0, 8]},)"
                  R"("b": {"dtype": "F32", "shape": [1], "data_offsets": [8, 12]},)"
                  R"("c": {"dtype": "F16", "shape": [2, 2], "data_offsets": [12, 20]},)"
                  R"("d": {"dtype": "BF16", "shape": [2], "data_offsets": [20, 24]}})",
                  data),
      "m");
  ASSERT_EQ(file.tensors.size(), 4);
  EXPECT_THAT(file.tensors[0].values, ElementsAre(1.5F));
  EXPECT_THAT(file.tensors[1].values, ElementsAre(-1.5F));
  EXPECT_THAT(file.tensors[2].values, ElementsAre(1.5F, std::ldexp(1.0F, -24), -65504, INFINITY));
  EXPECT_THAT(file.tensors[3].values, ElementsAre(1.5F, INFINITY));
}

TEST_F(SafetensorsTest, ReadsWholeNumbersAsSuch) {
  const TensorFile file = parse_safetensors(
      with_header(R"({"a": {"dtype": "I64", "shape": [], "data_offsets": [0, 8]},)"
                  R"("b": {"dtype": "I8", "shape": [2], "data_offsets": [8, 10]}})",
                  std::string("\7\0\0\0\0\0\0\0\xff\1", 10)),
      "m");
  EXPECT_THAT(file.tensors[0].values, ElementsAre(7));
  EXPECT_THAT(file.tensors[1].values, ElementsAre(-1, 1));
  EXPECT_TRUE(file.tensors[0].whole_numbers);
}

TEST_F(SafetensorsTest, GivesTiedWeightsTheirOtherNames) {
  const TensorFile file = parse_safetensors(
      with_header(R"({"__metadata__": {"b": "a", "format": "pt", "a": "a"},)"
                  R"("a": {"dtype": "I8", "shape": [1], "data_offsets": [0, 1]}})",
                  "\3"),
      "m");
  ASSERT_EQ(file.tensors.size(), 2);
  EXPECT_EQ(file.tensors[1].name, "b");
  EXPECT_THAT(file.tensors[1].values, ElementsAre(3));
  std::string names = R"({"__metadata__": {"b": "a")";
  for (int i = 0; i < 1000; ++i) names += fmt::format(R"(, "{}": "a")", i);
  names += R"(}, "a": {"dtype": "I8", "shape": [9999], "data_offsets": [0, 9999]}})";
  EXPECT_THAT(error(names, std::string(9999, '1')), HasSubstr("expected names for at most"));
}

TEST_F(SafetensorsTest, NamesWhatIsWrong) {
  EXPECT_THAT(message_of<FileError>([] { parse_safetensors({}, "m"); }),
              "m: safetensors: expected at least 8 bytes, found 0");
  EXPECT_THAT(error("[1]"), "m: safetensors header: expected a JSON object");
  EXPECT_THAT(error("{"), HasSubstr("m: safetensors header: "));
  EXPECT_THAT(error(std::string(1'000'000, '[')), HasSubstr("no deeper lists"));
  EXPECT_THAT(error(R"({"a": {"dtype": "F8_E4M3", "shape": [], "data_offsets": [0, 1]}})", "1"),
              "m: tensor 'a': dtype: expected floats or whole numbers, found \"F8_E4M3\"");
  EXPECT_THAT(error(R"({"a": {"dtype": "F32", "shape": [-1], "data_offsets": [0, 4]}})", "1234"),
              "m: tensor 'a': shape: expected a list of sizes");
  EXPECT_THAT(error(R"({"a": {"dtype": "F32", "shape": [2], "data_offsets": [0, 4]}})", "1234"),
              "m: tensor 'a': expected more bytes for its shape, found 4");
  EXPECT_THAT(error(R"({"a": {"dtype": "F32", "shape": [1], "data_offsets": [0, 8]}})", "1234"),
              "m: tensor 'a': data_offsets: expected from 0 to 4, found 0 to 8");
  EXPECT_THAT(error(R"({"a": {"dtype": "F32", "shape": [1]}})", "1234"),
              "m: tensor 'a': data_offsets: expected one, found none");
  EXPECT_THAT(error(R"({"a": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}})", "12345678"),
              "m: data: expected 4 bytes, found 8");
  EXPECT_THAT(error(R"({"a": {"dtype": "F32", "shape": [4294967296, 4294967296, 0],)"
                    R"("data_offsets": [0, 4]}})",
                    "1234"),
              HasSubstr("for its shape"));
  EXPECT_THAT(error(R"({"__metadata__": {"a": 1}})"), "m: __metadata__: 'a': expected a text");
}

TEST_F(SafetensorsTest, RefusesAPipeAtOnce) {
  ASSERT_EQ(::mkfifo(path("m.safetensors").c_str(), 0600), 0);
  EXPECT_EQ(message_of<FileError>([&] { read_bytes(path("m.safetensors")); }),
            path("m.safetensors").string() + ": expected a regular file");
}

TEST_F(SafetensorsTest, SurvivesDamage) {
  write_safetensors(path("m.safetensors"), kSafetensorsFile);
  testing::survive_mutations(read_bytes(path("m.safetensors")),
                             [](const testing::Bytes& bytes) { parse_safetensors(bytes, "m"); });
}

}  // namespace
}  // namespace quadgate
