#include "apps/prepare/like.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <initializer_list>
#include <string_view>
#include <vector>

#include "apps/prepare/input_kind.h"
#include "engine/base/error.h"

namespace quadgate::apps {
namespace {

// As TimeFormat calls times in words, and those of them that say their zone.
constexpr std::string_view kDates = "dates";
constexpr std::string_view kDatesWithZone = "dates with a zone";

/// Throws unless an option is not given.
void expect_not_given(bool is_given, std::string_view option, const KnownData& known) {
  if (!is_given) return;
  throw InvalidArgument(
      fmt::format("{}: expected none beside --like, as {} tells it", option, known.path.string()));
}

/// Fills an option as it was when the data of `known` were read. Throws if it contradicts that.
void follow_option(std::string_view option, const std::string& known, const KnownData& source,
                   std::string& given) {
  if (given.empty()) given = known;
  if (known.empty() || given == known) return;
  throw InvalidArgument(fmt::format("{}: expected {}, as the data of {} were read, found {}",
                                    option, known, source.path.string(), given));
}

void expect_task(const KnownData& known, const PrepareArguments& arguments) {
  struct Tasks {
    std::string_view kind;
    std::vector<std::string_view> tasks;
  };
  const std::initializer_list<Tasks> all{
      {"csv", {"forecast"}},       {"ts", {"classification", "regression", "forecast"}},
      {"tsf", {"forecast"}},       {"npz", {"classification", "tagging", "regression", "forecast"}},
      {"idx", {"classification"}}, {"conllu", {"tagging"}},
      {"text", {"language_model"}}};
  const bool has_tokens = arguments.kind == "conllu" || arguments.kind == "text";
  for (const auto& [kind, tasks] : all) {
    if (kind != arguments.kind) continue;
    const bool fits = std::ranges::find(tasks, known.task) != tasks.end();
    if (fits && has_tokens == !known.data.token_names.empty()) return;
  }
  throw InvalidArgument(fmt::format(
      "{}: expected data for {}{}, as those of {}, found a file of kind {}",
      arguments.inputs.at(0).string(), known.task,
      known.data.token_names.empty() ? "" : " of tokens", known.path.string(), arguments.kind));
}

/// Of text and sentences there may be many, which become one.
void expect_input_count(const PrepareArguments& arguments) {
  if (arguments.kind == "conllu" || arguments.kind == "text") return;
  const std::size_t most = arguments.kind == "idx" ? 2 : 1;  // images and labels
  if (arguments.inputs.size() <= most) return;
  throw InvalidArgument(fmt::format("input: expected {} of kind {}, found also {}",
                                    most == 1 ? "one file" : "images and labels", arguments.kind,
                                    arguments.inputs[most].string()));
}

/// Throws DataError if rows are to be resampled that are further apart than the step, and than
/// those of `known` were: most of what a forecast sets out from would be made up.
void expect_fine_rows(const KnownData& known, const Recipe& found,
                      const std::filesystem::path& input) {
  const Recipe& recipe = *known.data.recipe;
  if (recipe.resample.empty() || !recipe.source_step.is_known()) return;
  const double most = std::max(recipe.source_step.count, recipe.step.count);
  if (found.source_step.count <= most || are_close(found.source_step.count, most)) return;
  throw DataError(fmt::format(
      "{}: column '{}': expected rows at most {} apart, to make one every {} as of the data of {}, "
      "which had rows every {}, found rows every {} (it takes a model of a larger --resample)",
      input.string(), found.time, to_string(TimeStep{TimeStep::Unit::seconds, most}),
      recipe.resample, known.path.string(), to_string(recipe.source_step),
      to_string(found.source_step)));
}

}  // namespace

void follow(const KnownData& known, PrepareArguments& arguments) {
  const std::optional<Recipe>& recipe = known.data.recipe;
  if (arguments.kind.empty() && !recipe) {
    throw InvalidArgument(
        fmt::format("{}: does not tell how its data were read, as files of earlier builds and "
                    "other programs do not: 'quadgate prepare KIND {} --like {}' says of which "
                    "kind the input is",
                    known.path.string(), arguments.inputs.at(0).string(), known.path.string()));
  }
  if (arguments.kind.empty()) arguments.kind = recipe->kind;
  expect_task(known, arguments);
  expect_input_count(arguments);
  expect_kind(known, arguments);
  expect_not_given(!arguments.columns.empty(), "--columns", known);
  expect_not_given(!arguments.statics.empty(), "--static", known);
  expect_not_given(!arguments.known.empty(), "--known", known);
  expect_not_given(!arguments.calendar.empty(), "--calendar", known);
  expect_not_given(arguments.standardize, "--standardize", known);
  expect_not_given(arguments.standardize_series, "--standardize-series", known);
  expect_not_given(arguments.min_count.has_value(), "--min-count", known);
  const bool is_alike = recipe && recipe->kind == arguments.kind;
  const bool is_of_tags = arguments.kind == "conllu";
  follow_option("--level",
                is_of_tags ? std::string(to_string(known.data.token_level))
                : is_alike ? recipe->level
                           : "",
                known, arguments.level);
  if (is_of_tags) {
    const std::string& column = known.data.tag_column;
    follow_option("--column", column.empty() ? "UPOS" : column, known, arguments.column);
  }
  if (!is_alike) return;
  if (arguments.time.empty()) arguments.time = recipe->time;
  follow_option("--group", recipe->group, known, arguments.group);
  follow_option("--missing", recipe->missing == "error" ? "" : recipe->missing, known,
                arguments.missing);
  const bool may_resample =
      recipe->resample.empty() && to_string(recipe->step) == arguments.resample;
  if (!may_resample) {
    expect_not_given(
        recipe->resample.empty() && recipe->step.is_known() && !arguments.resample.empty(),
        "--resample " + arguments.resample, known);
    follow_option("--resample", recipe->resample, known, arguments.resample);
  }
}

void expect_same_step(const KnownData& known, const Recipe& found,
                      const std::filesystem::path& input, const std::string& step_back) {
  if (!known.data.recipe) return;
  expect_fine_rows(known, found, input);
  const TimeStep& expected = known.data.recipe->step;
  if (!expected.is_known() || found.step == expected) return;
  if (!step_back.empty()) throw DataError(step_back);
  if (!found.step.is_known()) return;
  const bool can_resample = found.kind == "csv" && expected.unit == TimeStep::Unit::seconds &&
                            found.step.unit == TimeStep::Unit::seconds &&
                            found.step.count < expected.count;
  throw DataError(fmt::format(
      "{}: {}: expected a row every {}, as the data of {} have, found rows every {} ({})",
      input.string(), found.kind == "tsf" ? "@frequency" : fmt::format("column '{}'", found.time),
      to_string(expected), known.path.string(), to_string(found.step),
      can_resample ? fmt::format("quadgate prepare csv --like {} --resample {} makes such rows",
                                 known.path.string(), to_string(expected))
                   : "it takes a model that was trained on such rows"));
}

std::string note_on_zones(const KnownData& known, const Recipe& found,
                          const std::filesystem::path& input) {
  if (!known.data.recipe) return {};
  const auto use = [](const std::string& format) -> std::optional<bool> {
    if (!format.starts_with(kDates)) return {};  // numbers count in UTC
    return format == kDatesWithZone;
  };
  const auto expected = use(known.data.recipe->time_format);
  const auto is_used = use(found.time_format);
  if (!expected || !is_used || *expected == *is_used) return {};
  return fmt::format("{}: column '{}': times have {} zone, unlike those of {}: taken {} UTC",
                     input.string(), found.time, *is_used ? "a" : "no", known.path.string(),
                     *is_used ? "in" : "to be in");
}

}  // namespace quadgate::apps
