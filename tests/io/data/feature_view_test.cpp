// Sweeps: names in every relation to those that a model knows; features in other order and scale,
// alone and both. Tolerance: none, the values are exact in float32.

#include "io/data/feature_view.h"

#include <array>

#include "engine/base/error.h"
#include "io/data/dataset.h"
#include "tests/io/files.h"

namespace quadgate {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::message_of;
using Names = std::vector<std::string>;

TEST(MatchNames, TakesNamesInAnyOrder) {
  const MatchedNames same = match_names({"a", "b", "c"}, {"a", "b", "c"});
  EXPECT_THAT(same.columns, ElementsAre(0, 1, 2));
  EXPECT_EQ(same.note + same.problem, "");
  const MatchedNames mixed = match_names({"a", "b", "c"}, {"c", "a", "b"});
  EXPECT_THAT(mixed.columns, ElementsAre(1, 2, 0));
  EXPECT_EQ(mixed.problem, "");
  EXPECT_EQ(mixed.note, "come as 3 (c, a, b): taken by name");
  EXPECT_THAT(match_names({"0", "1"}, {"1", "0"}).columns, ElementsAre(1, 0));
}

TEST(MatchNames, TakesTheOrderWhereOneSideHasNoNames) {
  const MatchedNames file = match_names({"a", "b"}, {"0", "1"});
  EXPECT_THAT(file.columns, ElementsAre(0, 1));
  EXPECT_EQ(file.note, "has no names: taken to be 2 (a, b), in this order");
  const MatchedNames model = match_names({"0", "1"}, {"a", "b"});
  EXPECT_THAT(model.columns, ElementsAre(0, 1));
  EXPECT_EQ(model.note, "the model knows no names: 2 (a, b) taken in this order");
}

TEST(MatchNames, SaysWhatDiffers) {
  const auto problem = [](const Names& model, const Names& file) {
    const MatchedNames matched = match_names(model, file);
    EXPECT_THAT(matched.columns, IsEmpty());
    return matched.problem;
  };
  EXPECT_EQ(problem({"a", "b"}, {"a", "c"}), "'b', found none of that name but 'c'");
  EXPECT_EQ(problem({"a", "b"}, {"a"}), "2 (a, b), found 1 (a)");
  EXPECT_EQ(problem({"a", "b"}, {"0", "a"}), "'b', found none of that name but '0'");
  EXPECT_EQ(problem({"0", "1"}, {"1", "2"}), "'0', found none of that name but '2'");
  EXPECT_EQ(problem({"a", "b"}, {"a", "a"}), "'b', found none of that name");
  EXPECT_EQ(problem({"a", "b", "b"}, {"b", "a", "b"}),
            "3 (a, b, b), found 3 (b, a, b), some twice");
}

TEST(FeatureView, ChangesOrderAndScale) {
  std::vector<float> x{1, 2, 3, 4};
  FeatureView().apply(x);
  EXPECT_THAT(x, ElementsAre(1, 2, 3, 4));
  const DataDescription plain;
  const DataDescription scaled{.mean = {10, 1e9}, .std = {2, 0x1p-10}};
  const std::array<std::size_t, 2> same{0, 1};
  const std::array<std::size_t, 2> swapped{1, 0};
  // Where the scale stays, so do the bits, however large the mean.
  FeatureView(same, scaled, scaled).apply(x);
  EXPECT_THAT(x, ElementsAre(1, 2, 3, 4));
  EXPECT_FALSE(FeatureView(same, scaled, scaled).changes_scale());
  FeatureView(swapped, plain, plain).apply(x);
  EXPECT_THAT(x, ElementsAre(2, 1, 4, 3));
  // From plain values, and back: feature 0 is column 1.
  FeatureView(swapped, plain, {.mean = {1, 2}, .std = {4, 0.5}}).apply(x);
  EXPECT_THAT(x, ElementsAre(0, 0, 0.5F, 4));
  FeatureView(same, {.mean = {1, 2}, .std = {4, 0.5}}, plain).apply(x);
  EXPECT_THAT(x, ElementsAre(1, 2, 3, 4));
  // Two means far from zero and close to each other.
  const DataDescription near{.mean = {12, 1e9 + 0x1p-10}, .std = {4, 0x1p-9}};
  FeatureView(same, scaled, near).apply(x);
  EXPECT_THAT(x, ElementsAre(0, 0.5F, 1, 1.5F));
}

TEST(FeatureView, ChangesTheScaleOfEachSeries) {
  const std::array<std::size_t, 2> swapped{1, 0};
  const DataDescription file{.series_scales = {{"s", {1, 2}, {1, 4}}, {"t", {5, 6}, {2, 0.5}}}};
  const DataDescription model{.series_scales = {{"s", {2, 1}, {4, 1}}, {"t", {0, 0}, {1, 1}}}};
  FeatureView view(swapped, file, model);
  EXPECT_TRUE(view.changes_scale());
  std::vector<float> x{1, 2, 3, 4};
  view.apply(x, 0);
  EXPECT_THAT(x, ElementsAre(2, 1, 4, 3)) << "of s in its scale, in the other order";
  x = {1, 2, 3, 4};
  view.apply(x, 1);
  EXPECT_THAT(x, ElementsAre(7, 7, 8, 11)) << "2 / 2 + 6, 1 * 2 + 5, ...";
  FeatureView from_one(swapped, {.mean = {10, 20}, .std = {1, 2}}, model);
  x = {1, 2};
  from_one.apply(x, 0);
  EXPECT_THAT(x, ElementsAre(5.5, 10)) << "(24 - 2) / 4, 11 - 1";
}

TEST(FeatureView, KnowsWhereFloat32LosesTheDigitsOfTheModelsScale) {
  const std::array<std::size_t, 2> same{0, 1};
  const DataDescription model{.series_scales = {{"s", {1e6, 1}, {1, 1}}, {"t", {1, 1e7}, {1, 1}}}};
  const auto lost = FeatureView(same, {}, model).lost_digits();
  ASSERT_TRUE(lost);
  EXPECT_EQ(lost->series, 1U);
  EXPECT_EQ(lost->feature, 1U);
  EXPECT_NEAR(lost->error, 0.6, 0.01) << "float32 steps by 1 at 1e7";
  EXPECT_FALSE(FeatureView(same, {.mean = {1e6, 1e7}, .std = {1, 1}}, {}).lost_digits());
  const DataDescription near{.series_scales = {{"s", {1e6, 0}, {2, 2}}, {"t", {0, 1e7}, {2, 2}}}};
  EXPECT_FALSE(FeatureView(same, near, model).lost_digits());
}

class DatasetForModelTest : public testing::FolderTest {
 protected:
  /// Two sequences of a step each of features b and a, standardized.
  std::filesystem::path write() const {
    hdf5::FileWriter file = testing::new_dataset(path("a.h5"), "classification");
    file.write_strings("", "feature_names", Names{"b", "a"});
    file.write_doubles("", "mean", std::vector<double>{10, 20});
    file.write_doubles("", "std", std::vector<double>{1, 2});
    file.create_group("train");
    file.write("train/x", std::array<std::int64_t, 3>{2, 1, 2}, std::vector<float>{1, 2, 3, 4});
    file.write("train/y", std::array<std::int64_t, 1>{2}, std::vector<std::int64_t>{0, 1});
    testing::save(file);
    return path("a.h5");
  }
};

TEST_F(DatasetForModelTest, ShowsFeaturesAndClassesAsTheModelKnowsThem) {
  const DataDescription model{.feature_names = {"a", "b"},
                              .class_names = {"no", "yes", "maybe"},
                              .mean = {4, 1},
                              .std = {4, 1}};
  Dataset data(write(), {}, {}, kIgnoreIndex, &model);
  EXPECT_EQ(data.description(), model);
  EXPECT_EQ(data.output_size(), 3);
  ASSERT_EQ(data.notes().size(), 3);
  EXPECT_THAT(data.notes()[0], HasSubstr("a.h5: features: come as 2 (b, a): taken by name"));
  EXPECT_THAT(data.notes()[1], HasSubstr("a.h5: standardized by another mean and std"));
  EXPECT_THAT(data.notes()[2], HasSubstr("a.h5: classes: 2 (0, 1) taken to be 3 (no, yes, maybe)"));
  Batch batch;
  data.split("train").read(std::array<std::int64_t, 2>{0, 1}, batch);
  EXPECT_THAT(batch.x, ElementsAre(5, 10, 6, 12)) << "(24 - 4) / 4, 11 - 1, (28 - 4) / 4, 13 - 1";
}

TEST_F(DatasetForModelTest, NamesWhatTheModelDoesNotKnow) {
  const auto error = [&](const DataDescription& model) {
    return message_of<DataError>([&] { Dataset(write(), {}, {}, kIgnoreIndex, &model); });
  };
  EXPECT_THAT(error({.feature_names = {"a", "c"}}),
              HasSubstr("a.h5: features: the model expects 'c', found none of that name but 'b'"));
  EXPECT_THAT(error({.mean = {1, 2, 3}, .std = {1, 2, 3}}),
              HasSubstr("a.h5: features: the model expects 3, found 2"));
}

}  // namespace
}  // namespace quadgate
