#include "io/model/import_description.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <charconv>
#include <set>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/base/error.h"

namespace quadgate {
namespace {

// Of a text that is read as one stream: its states are carried all the way.
constexpr Streams kOneStream{.count = 1, .bptt_len = 128};

/// What metadata tell, if it is of use.
std::string text_at(const std::map<std::string, std::string>& metadata, const char* key) {
  const auto found = metadata.find(key);
  return found == metadata.end() ? "" : found->second;
}

std::int64_t number_at(const std::map<std::string, std::string>& metadata, const char* key,
                       std::int64_t absent) {
  const std::string text = text_at(metadata, key);
  std::int64_t number = absent;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

std::vector<std::string> numbers_to(std::int64_t count) {
  std::vector<std::string> names;
  for (std::int64_t i = 0; i < count; ++i) names.push_back(std::to_string(i));
  return names;
}

void expect_one_name_each(const std::vector<std::string>& names, std::int64_t expected,
                          const char* option, const char* what, const std::string& file) {
  if (std::cmp_not_equal(names.size(), expected)) {
    throw InvalidArgument(fmt::format("{}: {}: expected a name for each of {} {}, found {}", file,
                                      option, expected, what, names.size()));
  }
  std::set<std::string_view> seen;
  for (const std::string& name : names) {
    if (seen.insert(name).second) continue;
    throw InvalidArgument(
        fmt::format("{}: {}: expected names that differ, found '{}' twice", file, option, name));
  }
}

void choose_task(ModelDescription& description, const std::string& task, const std::string& file) {
  ModelConfig& config = description.config;
  const bool is_language_model = task == "language_model";
  if (is_language_model && (config.embedding.vocabulary_size != config.output_size)) {
    throw InvalidArgument(fmt::format(
        "{}: --task language_model: expected an embedding of as many tokens as the head "
        "has outputs, found {} and {}",
        file, config.embedding.vocabulary_size, config.output_size));
  }
  config.task = is_language_model ? Task::tagging : task_from_name(task).value_or(config.task);
  if (config.task == Task::tagging) config.pooling = Pooling::last;
  config.loss = {};
  description.data.streams.reset();
  if (is_language_model) description.data.streams = kOneStream;
}

/// `is_told`: by the file.
void choose_pooling(ModelConfig& config, Pooling pooling, bool is_told, const std::string& file) {
  if (config.output_size == 0 || config.task == Task::tagging) {
    throw InvalidArgument(
        fmt::format("{}: --pooling {}: expected a head that reads a whole sequence, found {}", file,
                    to_string(pooling), config.output_size == 0 ? "none" : "one at every step"));
  }
  if (is_told && pooling != config.pooling) {
    throw InvalidArgument(fmt::format("{}: --pooling: expected {}, as the file has it, found {}",
                                      file, to_string(config.pooling), to_string(pooling)));
  }
  config.pooling = pooling;
}

/// What the head does, where neither file nor choices tell.
void note_assumed_head(const ModelConfig& config, bool has_task, bool has_pooling,
                       std::vector<std::string>& notes) {
  if (config.output_size == 0 || config.crf) return;
  std::vector<std::string> assumed;
  std::vector<std::string> options;
  if (!has_task) {
    assumed.emplace_back(to_string(config.task));
    options.emplace_back("--task");
  }
  if (!has_pooling && config.task != Task::tagging) {
    assumed.push_back(fmt::format("pooling {}", to_string(config.pooling)));
    options.emplace_back("--pooling");
  }
  if (assumed.empty()) return;
  notes.push_back(fmt::format("assumed, as weights do not tell it: {} ({})",
                              fmt::join(assumed, " with "), fmt::join(options, ", ")));
}

/// What a convolution does beside its product, where the metadata do not tell.
void describe_convolution(FoundParts& parts, const std::map<std::string, std::string>& metadata) {
  if (!parts.config.conv) return;
  const bool told = metadata.contains(kConvPaddingKey);
  parts.config.conv->padding = number_at(metadata, kConvPaddingKey, 0);
  parts.config.conv->pool_size = number_at(metadata, kConvPoolSizeKey, 1);
  if (told) return;
  parts.notes.emplace_back(
      "assumed, as weights do not tell it: ReLU behind the convolution, stride and dilation 1, no "
      "padding, no pooling");
}

}  // namespace

void describe_as_chosen(ModelDescription& description, const ImportChoices& choices,
                        const std::string& name) {
  const ModelConfig& config = description.config;
  DataDescription& data = description.data;
  if (!choices.task.empty()) choose_task(description, choices.task, name);
  if (!choices.vocabulary.empty()) {
    expect_one_name_each(choices.vocabulary, config.embedding.vocabulary_size, "--vocabulary",
                         "tokens", name);
    data.token_names = choices.vocabulary;
  }
  if (!choices.classes.empty()) {
    const bool has_classes = config.task != Task::regression && !data.streams;
    expect_one_name_each(choices.classes, has_classes ? config.output_size : 0, "--classes",
                         "classes", name);
    data.class_names = choices.classes;
  }
  if (data.streams) data.class_names = data.token_names;
  if (config.task == Task::regression) data.class_names.clear();
}

ModelDescription describe(FoundParts& parts, const std::map<std::string, std::string>& metadata,
                          const ImportChoices& choices, const std::string& name) {
  describe_convolution(parts, metadata);
  ModelDescription description{.config = parts.config, .data = {}};
  ModelConfig& config = description.config;
  const auto task = task_from_name(text_at(metadata, kTaskKey));
  config.task = task.value_or(config.task);
  config.pooling = parse_pooling(text_at(metadata, kPoolingKey)).value_or(config.pooling);
  config.loss.kind = parse_loss(text_at(metadata, kLossKey));
  const std::int64_t tokens = config.embedding.vocabulary_size;
  description.data.class_names = numbers_to(config.output_size);
  description.data.token_names = numbers_to(tokens);
  if (tokens == 0) description.data.feature_names = numbers_to(config.input_size());
  describe_as_chosen(description, choices, name);
  const bool is_told = task || metadata.contains(kPoolingKey);
  if (choices.pooling) choose_pooling(config, *choices.pooling, is_told, name);
  note_assumed_head(config, task || !choices.task.empty(), choices.pooling || is_told, parts.notes);
  if (tokens > 0 && choices.vocabulary.empty()) {
    parts.notes.push_back(fmt::format(
        "tokens are called 0 to {}, as weights do not name them (--vocabulary FILE)", tokens - 1));
  }
  return description;
}

}  // namespace quadgate
