#include "tests/apps/train/run_end.h"

#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <vector>

#include "io/hdf5/file.h"
#include "io/model/checkpoint.h"

namespace quadgate::apps {
namespace {

/// Every dataset below `group`, under its path.
void add_tensors(const hdf5::File& file, const std::string& group,
                 std::map<std::string, std::vector<float>>& all) {
  for (const std::string& member : file.members(group)) {
    const std::string name = group.empty() ? member : group + "/" + member;
    if (file.is_group(name)) {
      add_tensors(file, name, all);
    } else {
      all[name] = file.array(name).read_floats();
    }
  }
}

std::map<std::string, std::vector<float>> tensors(const std::filesystem::path& path) {
  std::map<std::string, std::vector<float>> all;
  add_tensors(hdf5::File::open(path), "", all);
  return all;
}

/// All numbers of where a training stands; the arrays are among the tensors.
std::vector<double> numbers(const TrainingState& state) {
  const Metrics& running = state.running;
  return {static_cast<double>(state.epoch),
          static_cast<double>(state.batch),
          static_cast<double>(state.step),
          static_cast<double>(state.seed),
          state.best_metric.value_or(-1),
          state.best_loss.value_or(-1),
          static_cast<double>(state.best_epoch.value_or(-1)),
          static_cast<double>(running.items),
          running.loss,
          running.weight,
          static_cast<double>(running.correct),
          state.schedule.lr_scale,
          state.schedule.plateau.best,
          static_cast<double>(state.schedule.plateau.num_bad_epochs),
          state.early_stopping.best,
          static_cast<double>(state.early_stopping.num_bad_epochs)};
}

std::vector<nlohmann::json> metrics(const std::filesystem::path& folder) {
  std::vector<nlohmann::json> records;
  std::ifstream lines(folder / "metrics.jsonl");
  for (std::string line; std::getline(lines, line);) {
    records.push_back(nlohmann::json::parse(line));
    for (const char* clock :
         {"seconds", "data_wait_seconds", "sequences_per_second", "checkpoint_seconds"}) {
      records.back().erase(clock);
    }
  }
  return records;
}

std::string content(const std::filesystem::path& file) {
  std::ostringstream bytes;
  bytes << std::ifstream(file, std::ios::binary).rdbuf();
  return bytes.str();
}

}  // namespace

void expect_same_end(const std::filesystem::path& run, const std::filesystem::path& reference) {
  EXPECT_EQ(tensors(run / "checkpoint.h5"), tensors(reference / "checkpoint.h5"));
  EXPECT_EQ(numbers(Checkpoint(run / "checkpoint.h5").training_state()),
            numbers(Checkpoint(reference / "checkpoint.h5").training_state()));
  EXPECT_TRUE(content(run / "best.h5") == content(reference / "best.h5"));
  EXPECT_EQ(metrics(run), metrics(reference));
}

}  // namespace quadgate::apps
