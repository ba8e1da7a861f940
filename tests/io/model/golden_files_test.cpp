// Reads a file of every format_version that there has been (tests/golden/make_formats made them),
// and one of a version to come. Expected values: data sets as in their sources, spelled out there;
// those of the checkpoint as h5py reads them. Tolerance: none.

#include <cmath>
#include <span>
#include <string>
#include <vector>

#include "engine/base/error.h"
#include "io/data/dataset.h"
#include "io/model/checkpoint.h"
#include "tests/io/files.h"
#include "tests/support/paths.h"

namespace quadgate {
namespace {

using ::testing::AllOf;
using ::testing::DoubleNear;
using ::testing::ElementsAre;
using ::testing::FloatNear;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::message_of;
using ::testing::Pointwise;

class GoldenFilesTest : public testing::FolderTest {
 protected:
  static std::filesystem::path golden(const std::string& name) {
    return std::filesystem::path(paths::in_source("tests/golden")) / name;
  }

  /// All rows of the train split.
  static Batch train_rows(Dataset& data) {
    Split& train = data.split("train");
    std::vector<std::int64_t> rows;
    for (std::int64_t row = 0; row < train.size(); ++row) rows.push_back(row);
    Batch batch;
    train.read(rows, batch);
    return batch;
  }

  /// A file of a version to come.
  std::filesystem::path newer(const std::string& format) const {
    hdf5::FileWriter file = hdf5::FileWriter::create(path("newer.h5"));
    file.write_string("", "format", format);
    file.write_int("", "format_version", 1000);
    testing::save(file);
    return path("newer.h5");
  }
};

TEST_F(GoldenFilesTest, CheckpointVersion1) {
  const auto file = golden("checkpoint_v1.h5");
  const Checkpoint checkpoint(file);
  const ModelDescription model = checkpoint.description();
  EXPECT_EQ(model.config.rnn.cell, Cell::lstm);
  EXPECT_EQ(model.config.rnn.input_size, 2);
  EXPECT_EQ(model.config.rnn.hidden_size, 2);
  EXPECT_EQ(model.config.task, Task::classification);
  EXPECT_THAT(model.data.class_names, ElementsAre("no", "yes"));

  Parameters parameters(model.config);
  checkpoint.load_parameters(parameters);
  EXPECT_THAT(parameters.value(parameters.slice("head.bias")),
              ElementsAre(0.1237730085849762F, -0.08446859568357468F));
  EXPECT_THAT(parameters.value(parameters.slice("head.weight")),
              ElementsAre(0.8901877403259277F, -0.2587212920188904F, -0.2506634593009949F,
                          0.3973505198955536F));
  EXPECT_THAT(parameters.value(parameters.slice("rnn.weight_ih_l0")).first(4),
              ElementsAre(1.0518969297409058F, 1.058161973953247F, -0.3787640333175659F,
                          -0.2012212574481964F));
  EXPECT_EQ(parameters.value(parameters.slice("rnn.weight_hh_l0")).back(), 0.7726364135742188F);

  Optimizer optimizer({.kind = OptimizerConfig::Kind::adam, .clip_norm = {}},
                      parameters.values().size());
  checkpoint.load_optimizer(parameters, optimizer);
  const TrainingState state = checkpoint.training_state();
  EXPECT_EQ(optimizer.steps(), 1);
  const std::size_t bias = parameters.slice("head.bias").offset;
  EXPECT_EQ(optimizer.states()[0].name, "exp_avg");
  EXPECT_EQ(optimizer.states()[0].array.span()[bias], -0.01755189336836338F);
  EXPECT_EQ(optimizer.states()[1].array.span()[bias], 3.080689566559158e-05F);
  EXPECT_EQ(state.epoch, 0);
  EXPECT_EQ(state.batch, 1);
  EXPECT_EQ(state.step, 1);
  EXPECT_EQ(state.seed, 1);
  EXPECT_FALSE(state.best_metric);
  EXPECT_EQ(state.running.items, 2);
  EXPECT_EQ(state.running.loss, 1.5528259575366974);
  EXPECT_EQ(state.running.correct, 1);
  EXPECT_EQ(state.schedule.lr_scale, 1);
  EXPECT_THAT(state.run_file, HasSubstr("hidden_size = 2\n"));
}

// With a normalization. PyTorch computed what it predicts, in standardized units.
TEST_F(GoldenFilesTest, CheckpointVersion2) {
  const Checkpoint checkpoint(golden("checkpoint_v2_normalized.h5"));
  const ModelDescription model = checkpoint.description();
  EXPECT_EQ(model.config.normalization.kind, Normalize::instance);
  EXPECT_FALSE(model.config.normalization.residual);
  EXPECT_THAT(model.config.normalization.columns, ElementsAre(1));
  Dataset forecast(golden("dataset_v3_forecast.h5"), model.data.window, {}, kIgnoreIndex,
                   &model.data);
  const Batch windows = train_rows(forecast);
  Arena arena(1);
  Network network(model.config, 2, windows.rows(), arena);
  checkpoint.load_parameters(network.parameters());
  EXPECT_THAT(network.parameters().value(network.parameters().slice("norm.affine_weight")),
              ElementsAre(1.6572487354278564F, 1.0485308170318604F));
  std::vector<float> outputs(static_cast<std::size_t>(windows.rows()));
  network.predict(windows, outputs);
  EXPECT_THAT(outputs, Pointwise(FloatNear(1e-5F), {0.9471073150634766F, 0.5107361078262329F,
                                                    0.07430556416511536F, -0.3621287941932678F,
                                                    -0.7985640168190002F, -1.234999418258667F}));
}

TEST_F(GoldenFilesTest, CheckpointVersion2WithACrf) {
  const Checkpoint checkpoint(golden("checkpoint_v2_crf.h5"));
  const ModelDescription model = checkpoint.description();
  EXPECT_TRUE(model.config.crf);
  EXPECT_EQ(model.config.task, Task::tagging);
  Parameters parameters(model.config);
  checkpoint.load_parameters(parameters);
  const auto first = [&](const char* name) {
    return parameters.value(parameters.slice(name)).first(3);
  };
  EXPECT_THAT(first("crf.transitions"),
              ElementsAre(-0.5158177614212036F, -0.4311349093914032F, -0.45302388072013855F));
  EXPECT_THAT(first("crf.end_transitions"),
              ElementsAre(-0.4116441309452057F, -0.5306727290153503F, -0.5372293591499329F));
}

// With features of the calendar, which go in without a level. PyTorch computed what it predicts, in
// standardized units, and pandas told the days.
TEST_F(GoldenFilesTest, CheckpointVersion3AndDataSetVersion4) {
  const Checkpoint checkpoint(golden("checkpoint_v3_calendar.h5"));
  const ModelDescription model = checkpoint.description();
  EXPECT_THAT(model.config.normalization.without_level, ElementsAre(2, 3));
  EXPECT_THAT(model.data.recipe->calendar, ElementsAre("weekday"));
  EXPECT_THAT(model.data.window->targets, ElementsAre("level", "flow"));
  Dataset forecast(golden("dataset_v4_calendar.h5"), model.data.window, {}, kIgnoreIndex,
                   &model.data);
  EXPECT_THAT(forecast.description().feature_names,
              ElementsAre("level", "flow", "weekday_sin", "weekday_cos"));
  const Batch windows = train_rows(forecast);
  EXPECT_NEAR(windows.x[2], 0.9749279121818236, 1e-7) << "a Wednesday";
  EXPECT_NEAR(windows.x[7], -0.9009688679024191, 1e-7) << "a Thursday";
  Arena arena(1);
  Network network(model.config, 2, windows.rows(), arena);
  checkpoint.load_parameters(network.parameters());
  std::vector<float> outputs(static_cast<std::size_t>(2 * windows.rows()));
  network.predict(windows, outputs);
  EXPECT_THAT(outputs,
              Pointwise(FloatNear(1e-5F),
                        {0.19001269340515137F, -0.0008935928344726562F, 0.4068695902824402F,
                         -0.47463953495025635F, 0.6753871440887451F, -0.8810407519340515F,
                         0.930496335029602F, -1.158351182937622F, 1.2106822729110718F,
                         -1.3420720100402832F, 1.865484356880188F, -1.7663276195526123F}));
}

// With a static column and one that is known beforehand, of rows behind the last targets too.
// PyTorch computed what it predicts.
TEST_F(GoldenFilesTest, CheckpointVersion3OfKnownColumns) {
  const Checkpoint checkpoint(golden("checkpoint_v3_known.h5"));
  const ModelDescription model = checkpoint.description();
  EXPECT_THAT(model.data.known_names, ElementsAre("promo"));
  ASSERT_EQ(model.data.recipe->statics.size(), 1U);
  EXPECT_EQ(model.data.recipe->statics[0], (StaticColumn{"kind", {"a", "b"}}));
  EXPECT_EQ(model.config.rnn.input_size, 5);
  Dataset forecast(golden("dataset_v4_known.h5"), model.data.window, {}, kIgnoreIndex, &model.data);
  EXPECT_THAT(forecast.description().window->targets, ElementsAre("level"));
  Batch windows;
  forecast.inputs(kFuture).read(std::vector<std::int64_t>{0, 1}, windows);
  EXPECT_THAT(windows.x, ElementsAre(36, 0, 1, 0, 1, 49, 1, 1, 0, 0,  // of north
                                     -6, 1, 0, 1, 1, -7, 1, 0, 1, 1));
  Arena arena(1);
  Network network(model.config, 2, 2, arena);
  checkpoint.load_parameters(network.parameters());
  std::vector<float> outputs(2);
  network.predict(windows, outputs);
  EXPECT_THAT(outputs, Pointwise(FloatNear(1e-5F), {2.851154088973999F, -0.7627800703048706F}));
}

// Each series has a scale of its own. numpy measured them, and PyTorch computed what the model
// predicts, in these units.
TEST_F(GoldenFilesTest, CheckpointVersion4AndDataSetVersion5) {
  const Checkpoint checkpoint(golden("checkpoint_v4_series.h5"));
  const ModelDescription model = checkpoint.description();
  ASSERT_EQ(model.data.series_scales.size(), 2U);
  const SeriesScale& north = model.data.series_scales[0];
  EXPECT_EQ(north.name, "north");
  EXPECT_THAT(north.mean, ElementsAre(DoubleNear(9.166666666666666, 1e-14)));
  EXPECT_THAT(north.std, ElementsAre(DoubleNear(8.89600409672168, 1e-14)));
  EXPECT_EQ(model.data.series_scales[1].name, "south");
  EXPECT_THAT(model.data.series_scales[1].mean, ElementsAre(-2.5));
  EXPECT_THAT(model.data.mean, IsEmpty());
  Dataset forecast(golden("dataset_v5_series.h5"), model.data.window, {}, kIgnoreIndex,
                   &model.data);
  EXPECT_EQ(forecast.description().series_scales, model.data.series_scales);
  Split& test = forecast.split("test");
  ASSERT_EQ(test.size(), 4);
  EXPECT_EQ(*test.scale(1), north);
  EXPECT_EQ(test.scale(2)->name, "south");
  Batch windows;
  test.read(std::vector<std::int64_t>{0, 1, 2, 3}, windows);
  EXPECT_FLOAT_EQ(windows.x[0], 0.768135130405426F);
  EXPECT_FLOAT_EQ(windows.x[4], -0.8783100843429565F);
  Arena arena(1);
  Network network(model.config, 2, windows.rows(), arena);
  checkpoint.load_parameters(network.parameters());
  std::vector<float> outputs(4);
  network.predict(windows, outputs);
  EXPECT_THAT(outputs, Pointwise(FloatNear(1e-5F), {0.7380178570747375F, 0.8071855306625366F,
                                                    -0.17119640111923218F, -0.16255950927734375F}));
}

TEST_F(GoldenFilesTest, DataSetsVersion1) {
  Dataset classification(golden("dataset_v1_classification.h5"));
  const Batch labelled = train_rows(classification);
  EXPECT_THAT(labelled.x, ElementsAre(1, 3, 2, 4, 5, 8, 6, 9, 7, 10, 11, 12));
  EXPECT_THAT(labelled.offsets, ElementsAre(0, 2, 5, 6));
  EXPECT_THAT(labelled.labels, ElementsAre(0, 1, 0));
  EXPECT_THAT(classification.description().class_names, ElementsAre("no", "yes"));

  Dataset tagging(golden("dataset_v1_tagging.h5"));
  const Batch words = train_rows(tagging);
  EXPECT_THAT(words.tokens, ElementsAre(2, 1, 3));
  EXPECT_THAT(words.offsets, ElementsAre(0, 2, 3));
  EXPECT_THAT(words.labels, ElementsAre(10, 15, 7));
  EXPECT_THAT(tagging.description().token_names, ElementsAre("<unk>", "eat", "we", "蛋糕"));
  EXPECT_EQ(tagging.description().class_names.at(15), "VERB");

  // "abba cab", a word's letter with the one after it.
  Dataset text(golden("dataset_v1_language_model.h5"), {}, Streams{.count = 1, .bptt_len = 7});
  const Batch letters = train_rows(text);
  EXPECT_THAT(letters.tokens, ElementsAre(1, 2, 2, 1, 3, 4, 1));
  EXPECT_THAT(letters.labels, ElementsAre(2, 2, 1, 3, 4, 1, 2));
  EXPECT_THAT(text.description().token_names, ElementsAre("<unk>", "a", "b", " ", "c"));
}

TEST_F(GoldenFilesTest, ForecastVersion1) {
  Dataset forecast(golden("dataset_v1_forecast.h5"),
                   Window{.input_len = 2, .horizon = 1, .stride = 1, .targets = {"level"}});
  EXPECT_THAT(forecast.description().feature_names, ElementsAre("level", "flow"));
  EXPECT_THAT(forecast.description().mean, ElementsAre(17.5F, -3.5F));
  ASSERT_EQ(forecast.split("train").size(), 6);
  ASSERT_EQ(forecast.split("test").size(), 2);
  // The level is t * t over the rows t = 0 to 7 of the train split.
  const Batch windows = train_rows(forecast);
  const auto std = static_cast<float>(forecast.description().std.at(0));
  std::vector<float> levels;
  for (const float target : windows.targets) levels.push_back(target * std + 17.5F);
  EXPECT_THAT(levels,
              ElementsAre(FloatNear(4, 1e-4F), FloatNear(9, 1e-4F), FloatNear(16, 1e-4F),
                          FloatNear(25, 1e-4F), FloatNear(36, 1e-4F), FloatNear(49, 1e-4F)));
  EXPECT_EQ(windows.x.front(), -1.049108624458313F);
}

TEST_F(GoldenFilesTest, ForecastVersion2) {  // of several series
  Dataset forecast(golden("dataset_v2_forecast.h5"),
                   Window{.input_len = 3, .horizon = 2, .stride = 1, .targets = {}});
  EXPECT_THAT(forecast.description().feature_names, ElementsAre("level"));
  EXPECT_EQ(forecast.split("test").size(), 2);
  // Rows t = 0 to 5 of each train: t * t in the north, -t in the south.
  const Batch windows = train_rows(forecast);
  EXPECT_THAT(windows.x, ElementsAre(0, 1, 4, 1, 4, 9, 0, -1, -2, -1, -2, -3));
  EXPECT_THAT(windows.targets, ElementsAre(9, 16, 16, 25, -3, -4, -4, -5));
}

// The data sets of versions 1 and 2 with float32 mean and std, that of 3 with float64, and a model
// of the first one: the values are those of the source, whatever the model's scale.
TEST_F(GoldenFilesTest, ValuesOfStandardizedDataOfEveryVersion) {
  const ModelDescription model = Checkpoint(golden("checkpoint_v1_forecast.h5")).description();
  EXPECT_THAT(model.data.mean, ElementsAre(17.5, -3.5));
  // Of t * t and -t, t = 0 to 7.
  EXPECT_THAT(model.data.std,
              ElementsAre(DoubleNear(std::sqrt(278.25), 1e-6), DoubleNear(std::sqrt(5.25), 1e-6)));
  const DataDescription plain{.feature_names = {"level", "flow"}};
  const Window window{.input_len = 2, .horizon = 1, .stride = 1, .targets = {"level"}};
  for (const char* name : {"dataset_v1_forecast.h5", "dataset_v3_forecast.h5"}) {
    SCOPED_TRACE(name);
    Dataset values(golden(name), window, {}, kIgnoreIndex, &plain);
    const Batch windows = train_rows(values);
    std::vector<float> expected;
    for (float t = 2; t < 8; ++t) expected.push_back(t * t);
    EXPECT_THAT(windows.targets, Pointwise(FloatNear(1e-5F), expected));
    EXPECT_THAT(std::span(windows.x).first(4),
                ElementsAre(FloatNear(0, 1e-5F), FloatNear(0, 1e-5F), FloatNear(1, 1e-5F),
                            FloatNear(-1, 1e-5F)));
    // In the model's scale: as version 1 has it, to the bit.
    Dataset scaled(golden(name), window, {}, kIgnoreIndex, &model.data);
    EXPECT_THAT(train_rows(scaled).x.front(), FloatNear(-1.049108624458313F, 1e-6F));
    EXPECT_EQ(scaled.description().mean, model.data.mean);
    EXPECT_EQ(scaled.notes().size(), std::string(name).find("v1") != std::string::npos ? 0 : 1);
  }

  const DataDescription level{.feature_names = {"level"}};
  Dataset sites(golden("dataset_v2_standardized.h5"), Window{3, 2, 1, {}}, {}, kIgnoreIndex,
                &level);
  const std::vector<float> expected{9, 16, 16, 25, -3, -4, -4, -5};
  EXPECT_THAT(train_rows(sites).targets, Pointwise(FloatNear(1e-5F), expected));

  const DataDescription two{.feature_names = {"a", "b"}};
  Dataset labelled(golden("dataset_v3_classification.h5"), {}, {}, kIgnoreIndex, &two);
  const std::vector<float> steps{1, 3, 2, 4, 5, 8, 6, 9, 7, 10, 11, 12};
  EXPECT_THAT(train_rows(labelled).x, Pointwise(FloatNear(1e-5F), steps));
}

TEST_F(GoldenFilesTest, NewerVersionsAreRefusedByName) {
  const auto names_it =
      AllOf(HasSubstr("newer.h5"), HasSubstr("format_version"), HasSubstr("1000"));
  newer("quadgate-checkpoint");
  EXPECT_THAT(message_of<FileError>([&] { Checkpoint{path("newer.h5")}; }), names_it);
  // Nor does the one before it stand in for it.
  std::filesystem::copy(golden("checkpoint_v1.h5"), path("newer.prev.h5"));
  EXPECT_THAT(message_of<FileError>([&] { open_whole_checkpoint(path("newer.h5")); }), names_it);
  newer("quadgate-dataset");
  EXPECT_THAT(message_of<FileError>([&] { Dataset data(path("newer.h5")); }), names_it);
}

}  // namespace
}  // namespace quadgate
