// Sweeps: texts that fill the streams and their last pieces and texts that do not, every row; texts
// that are too short, and tokens that are none.
// Tolerance: none.

#include "io/data/stream_split.h"

#include <array>
#include <numeric>
#include <string>
#include <vector>

#include "engine/base/error.h"
#include "io/data/loader.h"
#include "tests/io/files.h"

namespace quadgate {
namespace {

using ::testing::ElementsAre;
using testing::message_of;
using testing::new_dataset;

class StreamSplitTest : public testing::FolderTest {
 protected:
  /// A text of these tokens, out of 100.
  Dataset dataset(const std::vector<std::int32_t>& tokens, const Streams& streams) const {
    hdf5::FileWriter file = new_dataset(path("a.h5"), "language_model");
    std::vector<std::string> names(100);
    for (std::size_t i = 0; i < names.size(); ++i) names[i] = std::to_string(i);
    file.write_strings("", "token_names", names);
    file.create_group("train");
    file.write("train/x", std::array{std::ssize(tokens)}, tokens);
    testing::save(file);
    return Dataset(path("a.h5"), {}, streams);
  }

  static std::vector<std::int32_t> counting(std::int64_t size) {
    std::vector<std::int32_t> tokens(static_cast<std::size_t>(size));
    std::iota(tokens.begin(), tokens.end(), 0);
    return tokens;
  }
};

TEST_F(StreamSplitTest, PiecesLieSideBySide) {
  Dataset data = dataset(counting(23), {.count = 2, .bptt_len = 4});  // 0 to 10, 11 to 21
  EXPECT_EQ(data.task(), Task::tagging);
  EXPECT_EQ(data.output_size(), 100);
  Split& split = data.split("train");
  EXPECT_EQ(split.size(), 6);
  EXPECT_EQ(split.max_len(), 4);
  Loader loader(split, 2);
  Batch batch;
  ASSERT_TRUE(loader.next(batch));
  EXPECT_THAT(batch.tokens, ElementsAre(0, 1, 2, 3, 11, 12, 13, 14));
  EXPECT_THAT(batch.labels, ElementsAre(1, 2, 3, 4, 12, 13, 14, 15));
  ASSERT_TRUE(loader.next(batch));
  EXPECT_THAT(batch.tokens, ElementsAre(4, 5, 6, 7, 15, 16, 17, 18));
  ASSERT_TRUE(loader.next(batch));
  EXPECT_THAT(batch.tokens, ElementsAre(8, 9, 19, 20));
  EXPECT_THAT(batch.labels, ElementsAre(9, 10, 20, 21));
  EXPECT_THAT(batch.offsets, ElementsAre(0, 2, 4));
  EXPECT_FALSE(loader.next(batch));
}

TEST_F(StreamSplitTest, EveryTokenButTheFirstOfAStreamIsPredictedOnce) {
  for (const std::int64_t size : {7, 8, 24, 25, 99}) {
    for (const std::int64_t count : {1, 2, 3}) {
      for (const std::int64_t bptt_len : {1, 4, 8, 200}) {
        Dataset data = dataset(counting(size), {.count = count, .bptt_len = bptt_len});
        Split& split = data.split("train");
        std::vector<int> predicted(static_cast<std::size_t>(size));
        Batch batch;
        for (std::int64_t row = 0; row < split.size(); ++row) {
          split.read(std::array{row}, batch);
          EXPECT_EQ(std::ssize(batch.tokens), split.length(row));
          EXPECT_LE(split.length(row), split.max_len());
          for (const std::int64_t label : batch.labels) {
            ++predicted[static_cast<std::size_t>(label)];
          }
        }
        for (std::int64_t token = 0; token < size; ++token) {
          const std::int64_t length = size / count;
          const bool counts = token < length * count && token % length != 0;
          EXPECT_EQ(predicted[static_cast<std::size_t>(token)], counts ? 1 : 0)
              << token << " of " << size << " in " << count << " by " << bptt_len;
        }
      }
    }
  }
}

TEST_F(StreamSplitTest, NamesWhatIsWrong) {
  const std::string where = path("a.h5").string() + ": dataset 'train/x'";
  EXPECT_EQ(message_of<DataError>([&] { dataset(counting(5), {.count = 3, .bptt_len = 4}); }),
            where + ": expected at least 2 tokens for each of 3 streams, found 5");
  Batch batch;
  Dataset bad = dataset({0, 1, 2, 3, -1, 100}, {.count = 2, .bptt_len = 9});
  EXPECT_EQ(message_of<DataError>(
                [&] { bad.split("train").read(std::array<std::int64_t, 1>{1}, batch); }),
            where + " row 4: expected a token from 0 to 99, found -1");
  EXPECT_EQ(message_of<InvalidArgument>(
                [&] { bad.split("train").read(std::array<std::int64_t, 1>{2}, batch); }),
            where + ": no row 2, of 2");
  EXPECT_EQ(
      message_of<InvalidArgument>([&] { Dataset(path("a.h5")); }),
      path("a.h5").string() + ": streams (bptt_len) are needed for a language_model data set");
  EXPECT_EQ(message_of<InvalidArgument>([&] {
              dataset({0, 1}, {.count = 1, .bptt_len = 0});
            }),
            "bptt_len: expected at least 1, found 0");
}

}  // namespace
}  // namespace quadgate
