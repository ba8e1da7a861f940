// Sweeps numbers that all folds have, that one lacks, tables within tables. Truth: means and
// standard deviations worked out by hand. Tolerance: none.

#include "apps/backtest/fold_results.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "engine/base/error.h"

namespace quadgate::apps {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class FoldResultsTest : public ::testing::Test {
 protected:
  static std::filesystem::path write(const std::string& name, const std::string& text) {
    std::filesystem::path path = ::testing::TempDir() + "fold_results_" + name;
    std::ofstream(path) << text;
    return path;
  }

  static FoldResults results() {
    return FoldResults({write("0", R"({"mse": 1.0, "skill": 0.5, "split": "test",
                        "baselines": {"a, b": {"last": {"mse": 2}}}, "steps": {"1": {"mse": 8}}})"),
                        write("1", R"({"mse": 3.0, "skill": null, "split": "test",
                        "baselines": {"a, b": {"last": {"mse": 2}}}, "steps": {"1": {"mse": 4}}})"),
                        write("2", R"({"mse": 5.0, "skill": 1.5, "split": "test",
                        "baselines": {"a, b": {"last": {"mse": 5}}}, "steps": {"1": {"mse": 0}}})")});
  }
};

TEST_F(FoldResultsTest, MeansAndStandardDeviations) {
  const auto json = nlohmann::json::parse(results().to_json());
  EXPECT_EQ(json["folds"].size(), 3);
  EXPECT_EQ(json["folds"][1]["mse"], 3);
  EXPECT_EQ(json["mean"]["mse"], 3);
  EXPECT_EQ(json["sd"]["mse"], 2);
  EXPECT_EQ(json["mean"]["baselines"]["a, b"]["last"]["mse"], 3);
  EXPECT_EQ(json["mean"]["steps"]["1"]["mse"], 4);
  EXPECT_FALSE(json["mean"].contains("split"));
}

TEST_F(FoldResultsTest, WhatAFoldLacksDoesNotCount) {
  const auto json = nlohmann::json::parse(results().to_json());
  EXPECT_EQ(json["mean"]["skill"], 1);
  EXPECT_THAT(results().to_csv(), HasSubstr("skill,0.5,,1.5,1,0.7071067811865476\n"));
}

TEST_F(FoldResultsTest, TextHasBaselinesBesideButNoLongTables) {
  const std::string text = results().to_text();
  EXPECT_THAT(text, ::testing::StartsWith("metric"));
  EXPECT_THAT(text, HasSubstr("baselines.a, b.last.mse       2       2       5     3   1.73205\n"));
  EXPECT_THAT(text, Not(HasSubstr("steps")));
  EXPECT_THAT(results().to_csv(), HasSubstr("steps.1.mse,8,4,0,4,4\n"));
  EXPECT_THAT(results().to_csv(), HasSubstr("\"baselines.a, b.last.mse\",2,2,5,3,"));
}

TEST_F(FoldResultsTest, ADamagedFileIsNamed) {
  try {
    const FoldResults damaged({write("damaged", "{\"mse\": 1")});
    FAIL() << damaged.to_text();
  } catch (const FileError& error) {
    EXPECT_THAT(error.what(), HasSubstr("fold_results_damaged"));
  }
}

}  // namespace
}  // namespace quadgate::apps
