// Sweeps: runs on one file and on several, with a shuffle buffer and with batches by length,
// stopped in the middle of an epoch and resumed; evaluate and predict on several files. Tolerance:
// none but for a loss summed in other batches.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "apps/common/command.h"
#include "io/data/dataset.h"
#include "io/hdf5/file.h"
#include "io/hdf5/file_writer.h"
#include "tests/apps/workspace.h"

namespace quadgate::apps {
namespace {

using nlohmann::json;
using testing::HasSubstr;

class ReadingTest : public Workspace {
 protected:
  using Arguments = std::vector<std::string>;

  /// Copies the train and test splits of data.h5 into two files, `first` train rows into a.h5 and
  /// the rest, with all test rows, into b.h5.
  void cut(std::int64_t first) const {
    Dataset whole(path("data.h5"));
    const std::int64_t size = whole.split("train").size();
    write_part("a.h5", whole, {{"train", 0, first}, {"valid", 0, whole.split("valid").size()}});
    write_part("b.h5", whole, {{"train", first, size}, {"test", 0, whole.split("test").size()}});
  }

  static Arguments train_into(const std::string& folder, const Arguments& settings) {
    Arguments args = {"train", "run.toml", "--quiet", "--set", "output.dir=" + folder};
    for (const std::string& setting : settings) args.insert(args.end(), {"--set", setting});
    return args;
  }

  std::string weights(const std::string& folder) const {
    const auto file = hdf5::File::open(path(folder + "/checkpoint.h5"));
    std::string bytes;
    for (const std::string& name : file.members("state_dict")) {
      const auto values = file.array("state_dict/" + name).read_floats();
      bytes.append(reinterpret_cast<const char*>(values.data()), values.size() * sizeof(float));
    }
    return bytes;
  }

  std::vector<json> metrics(const std::string& folder) const {
    std::vector<json> lines;
    std::istringstream text(read(folder + "/metrics.jsonl"));
    for (std::string line; std::getline(text, line);) lines.push_back(json::parse(line));
    return lines;
  }

 private:
  struct Rows {
    std::string split;
    std::int64_t begin;
    std::int64_t end;
  };

  void write_part(const std::string& name, Dataset& whole, const std::vector<Rows>& parts) const {
    auto file = hdf5::FileWriter::create(path(name));
    const DataDescription& description = whole.description();
    file.write_string("", "format", "quadgate-dataset");
    file.write_string("", "task", "classification");
    file.write_strings("", "class_names", description.class_names);
    file.write_strings("", "feature_names", description.feature_names);
    file.write_doubles("", "mean", description.mean);
    file.write_doubles("", "std", description.std);
    for (const Rows& part : parts) {
      std::vector<std::int64_t> rows;
      for (std::int64_t row = part.begin; row < part.end; ++row) rows.push_back(row);
      Batch batch;
      whole.split(part.split).read(rows, batch);
      file.create_group(part.split);
      file.write(part.split + "/x", std::vector<std::int64_t>{batch.steps(), 3}, batch.x);
      file.write(part.split + "/offsets", std::vector<std::int64_t>{batch.rows() + 1},
                 batch.offsets);
      file.write(part.split + "/y", std::vector<std::int64_t>{batch.rows()}, batch.labels);
    }
    std::ofstream(path(name), std::ios::binary)
        .write(reinterpret_cast<const char*>(file.image().data()),
               static_cast<std::streamsize>(file.image().size()));
  }
};

const char* const kBoth = R"(data.path=["a.h5", "b.h5"])";

TEST_F(ReadingTest, SeveralFilesTrainAsOne) {
  for (const std::int64_t first : {1, 33, 79}) {
    cut(first);
    const std::string one = "one" + std::to_string(first);
    const std::string both = "both" + std::to_string(first);
    ASSERT_EQ(run(train_into(one, {})).code, kExitDone);
    const Outcome trained = run(train_into(both, {kBoth}));
    ASSERT_EQ(trained.code, kExitDone) << trained.err;
    EXPECT_EQ(weights(both), weights(one)) << first;
    EXPECT_THAT(read(both + "/run.toml"), HasSubstr("path = [\"a.h5\", \"b.h5\"]\n"));
    EXPECT_GE(metrics(both)[0]["data_wait_seconds"], 0);
    EXPECT_LE(metrics(both)[0]["data_wait_seconds"], metrics(both)[0]["seconds"]);
  }
}

TEST_F(ReadingTest, SeveralFilesAreEvaluatedAndPredicted) {
  cut(33);
  ASSERT_EQ(run(train_into("run", {})).code, kExitDone);
  const auto evaluated = [&](const Arguments& data) {
    Arguments args = {"evaluate", "run/best.h5", "--split", "train", "--json"};
    args.insert(args.end(), data.begin(), data.end());
    const Outcome outcome = run(args);
    EXPECT_EQ(outcome.code, kExitDone) << outcome.err;
    return outcome.out;
  };
  EXPECT_EQ(evaluated({"--data", "a.h5", "--data", "b.h5"}), evaluated({"--data", "data.h5"}));
  const Arguments predict = {"predict", "--data", "a.h5", "--data", "b.h5", "run/best.h5", "-o"};
  Arguments args = predict;
  args.emplace_back("both.csv");
  ASSERT_EQ(run(args).code, kExitDone) << "the test split is in the second file alone";
  ASSERT_EQ(run({"predict", "run/best.h5", "--data", "data.h5", "-o", "one.csv"}).code, kExitDone);
  EXPECT_EQ(read("both.csv"), read("one.csv"));
  expect_error(run({"evaluate", "run/best.h5", "--data", "a.h5", "--data", "none.h5"}), kExitFailed,
               "none.h5: No such file or directory");
}

/// The settings of a run that reads in another order.
class OrderedRunTest : public ReadingTest, public testing::WithParamInterface<const char*> {
 protected:
  static Arguments settings() {
    Arguments all = {kBoth, "train.batch_size=8", "train.epochs=40",
                     "train.checkpoint_every_steps=3"};
    std::istringstream text(GetParam());
    for (std::string setting; text >> setting;) all.push_back(setting);
    return all;
  }
};

TEST_P(OrderedRunTest, ResumesInTheMiddleOfAnEpochToTheSameBits) {
  cut(33);
  auto reference = settings();
  reference.emplace_back("train.threads=1");
  ASSERT_EQ(run(train_into("reference", reference)).code, kExitDone);
  // A kill comes after any of the steps; the checkpoints are those of every third.
  interrupt(train_into("run", settings()), SIGKILL,
            [&] { return std::filesystem::exists(path("run/checkpoint.prev.h5")); });
  Arguments resume = train_into("run", settings());
  resume.emplace_back("--resume");
  const Outcome resumed = run(resume);
  ASSERT_EQ(resumed.code, kExitDone) << resumed.err;
  EXPECT_EQ(weights("run"), weights("reference"));
  ASSERT_EQ(run(train_into("plain", {kBoth, "train.batch_size=8", "train.epochs=40"})).code,
            kExitDone);
  EXPECT_NE(weights("plain"), weights("reference")) << "the order is another one";
}

INSTANTIATE_TEST_SUITE_P(Orders, OrderedRunTest,
                         testing::Values("train.shuffle_buffer=30", "train.bucket_by_length=true",
                                         "train.shuffle_buffer=30 train.bucket_by_length=true",
                                         "train.shuffle=false"));

TEST_F(ReadingTest, OrdersThatDoNotFitAreRefused) {
  expect_error(run(train_into("run", {"train.shuffle=false", "train.shuffle_buffer=9"})),
               kExitWrongUse,
               "--set: train.shuffle_buffer: expected only with shuffle = true, found 9");
  expect_error(run(train_into("run", {"train.shuffle=false", "train.bucket_by_length=true"})),
               kExitWrongUse,
               "--set: train.bucket_by_length: expected only with shuffle = true, found true");
  ASSERT_EQ(run(train_into("run", {"train.shuffle_buffer=9"})).code, kExitDone);
  Arguments other = train_into("run", {"train.shuffle_buffer=10"});
  other.emplace_back("--resume");
  expect_error(run(other), kExitWrongUse,
               "train.shuffle_buffer: expected 9 as in the run to resume, found 10");
}

}  // namespace
}  // namespace quadgate::apps
