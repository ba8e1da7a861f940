// Sweeps: small IDX files, plain and gzipped, and files that are missing, cut short at every byte,
// too long, of another kind, or do not belong together.
// Tolerance: none, values are quotients of integers rounded once.

#include "io/importers/idx.h"

#include <zlib.h>

#include <string>

#include "engine/base/error.h"
#include "tests/io/files.h"
#include "tests/io/spools.h"

namespace quadgate {
namespace {

using ::testing::ElementsAre;
using ::testing::EndsWith;
using testing::message_of;
using testing::values_of;

// 2 images of 3 rows and 1 column.
const std::string kImages("\0\0\x08\x03\0\0\0\x02\0\0\0\x03\0\0\0\x01\x00\x33\xff\x01\x02\x03", 22);
const std::string kLabels("\0\0\x08\x01\0\0\0\x02\x02\x00", 10);

class IdxTest : public testing::FolderTest {
 protected:
  std::filesystem::path gzipped(std::string_view name, const std::string& content) const {
    auto out = path(name);
    const gzFile file = ::gzopen(out.c_str(), "wb");
    ::gzwrite(file, content.data(), static_cast<unsigned>(content.size()));
    ::gzclose(file);
    return out;
  }

  std::string error(const std::string& images, const std::string& labels) const {
    return message_of<FileError>([&] { read_idx(file("images", images), file("labels", labels)); });
  }
};

TEST_F(IdxTest, ReadsPlainAndGzippedFiles) {
  for (const bool zip : {false, true}) {
    const LabelledSequences data =
        zip ? read_idx(gzipped("i.gz", kImages), gzipped("l.gz", kLabels))
            : read_idx(file("i", kImages), file("l", kLabels));
    EXPECT_EQ(data.input_size, 1);
    EXPECT_THAT(values_of(data.lengths), ElementsAre(3, 3));
    EXPECT_THAT(values_of(data.x), ElementsAre(0, 0.2F, 1, 1 / 255.0F, 2 / 255.0F, 3 / 255.0F));
    EXPECT_THAT(values_of(data.labels), ElementsAre(2, 0));
    EXPECT_THAT(data.class_names, ElementsAre("0", "1", "2"));
  }
}

TEST_F(IdxTest, NamesFilesThatAreCutShort) {
  for (std::size_t size = 0; size < kImages.size(); ++size) {
    EXPECT_THAT(error(kImages.substr(0, size), kLabels), ::testing::HasSubstr("images: expected"));
  }
  EXPECT_THAT(error(kImages.substr(0, 20), kLabels),
              EndsWith("images: expected 6 bytes of data, found 4"));
  EXPECT_THAT(error(kImages + "x", kLabels), EndsWith("images: expected 6 bytes of data, found 7"));

  const std::string whole = testing::content_of(gzipped("images.gz", kImages));
  for (const std::size_t size : {whole.size() - 1, whole.size() - 9, whole.size() / 2}) {
    const auto cut = file("cut.gz", whole.substr(0, size));
    EXPECT_THAT(message_of<FileError>([&] { read_idx(cut, file("labels", kLabels)); }),
                EndsWith("cut.gz: the gzip file is truncated"));
  }
}

TEST_F(IdxTest, NamesOtherFiles) {
  EXPECT_THAT(
      error(kLabels + std::string(6, '\0'), kLabels),
      EndsWith("images: expected an IDX file of uint8 with 3 dimensions (magic 0x00000803), "
               "found 0x00000801"));
  EXPECT_THAT(error(kImages, kImages), ::testing::HasSubstr("labels: expected an IDX file"));
  EXPECT_THAT(error(kImages, std::string("\0\0\x08\x01\0\0\0\x01\x02", 9)),
              ::testing::HasSubstr("labels: expected 2 labels, one an image of "));
  EXPECT_THAT(message_of<FileError>([&] { read_idx(path("none"), path("none")); }),
              EndsWith("none: No such file or directory"));
  // Sizes whose product overflows.
  EXPECT_THAT(error(std::string("\0\0\x08\x03\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", 16),
                    kLabels),
              ::testing::HasSubstr("bytes of data, found 0"));
}

}  // namespace
}  // namespace quadgate
