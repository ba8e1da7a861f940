#include "apps/model/surprisal.h"

#include <fmt/format.h>

#include <cmath>
#include <limits>
#include <numbers>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "apps/common/warn.h"
#include "apps/model/text_output.h"
#include "apps/model/text_tokens.h"
#include "engine/metrics/softmax.h"
#include "io/data/vocabulary.h"
#include "io/files/replace_file.h"
#include "io/hdf5/file_writer.h"
#include "io/hdf5/formats.h"

namespace quadgate::apps {
namespace {

/// Calls `body` with each token and its surprisal, NaN of the first.
template <typename Body>
void for_each_token(ModelOnData& model, Body body) {
  const auto size = static_cast<std::size_t>(model.description().config.output_size);
  bool is_first = true;
  model.for_each_batch([&](const Batch& batch, std::span<const float> outputs) {
    if (is_first) body(batch.tokens.front(), std::numeric_limits<double>::quiet_NaN());
    is_first = false;
    for (std::size_t i = 0; i < batch.labels.size(); ++i) {
      body(batch.labels[i], surprisal_of(outputs.subspan(i * size, size), batch.labels[i]));
    }
  });
}

void write_arrays(const std::filesystem::path& output, const std::vector<std::string>& names,
                  const std::vector<std::int64_t>& tokens, const std::vector<double>& surprisals) {
  auto file = hdf5::FileWriter::create(output);
  file.write_string("", "format", kPredictionsFormat);
  file.write_int("", "format_version", 3);
  file.write_string("", "task", "language_model");
  file.write_strings("", "token_names", names);
  const std::int64_t count = std::ssize(tokens);
  file.write("token", std::span(&count, 1), tokens);
  file.write("surprisal", std::span(&count, 1), surprisals);
  replace_file(output, file.image());
}

}  // namespace

double surprisal_of(std::span<const float> logits, std::int64_t token) {
  const double logit = logits[static_cast<std::size_t>(token)];
  return (SoftmaxSum(logits).log() - logit) / std::numbers::ln2;
}

void note_unknown(std::int64_t unknown, std::int64_t tokens) {
  if (unknown == 0) return;
  note(fmt::format("{} of {} tokens are not in the vocabulary and scored as {}", unknown, tokens,
                   kUnknownToken));
}

double write_surprisals(ModelOnData& model, const InputWords* words,
                        const std::filesystem::path& output) {
  const std::vector<std::string>& names = model.description().data.token_names;
  const std::int64_t unknown_token = TextTokens(names).unknown();
  double sum = 0;
  std::int64_t count = 0;
  std::int64_t unknown = 0;
  const auto add = [&](std::int64_t token, double surprisal) {
    unknown += token == unknown_token ? 1 : 0;
    if (std::isnan(surprisal)) return;
    sum += surprisal;
    ++count;
  };
  if (output.extension() == ".h5") {
    std::vector<std::int64_t> tokens;
    std::vector<double> surprisals;
    for_each_token(model, [&](std::int64_t token, double surprisal) {
      tokens.push_back(token);
      surprisals.push_back(surprisal);
      add(token, surprisal);
    });
    write_arrays(output, names, tokens, surprisals);
  } else {
    TextOutput text(output);
    text.write("position,token,surprisal\n");
    std::optional<SpooledIntegers::Reader> reader;
    if (words != nullptr) reader.emplace(words->tokens);
    std::int64_t position = 0;
    for_each_token(model, [&](std::int64_t token, double surprisal) {
      const std::string name = reader ? std::string(words->words[reader->next()])
                                      : names[static_cast<std::size_t>(token)];
      text.write(fmt::format("{},{},{}\n", position++, csv_field(name),
                             std::isnan(surprisal) ? "" : fmt::format("{:.8g}", surprisal)));
      add(token, surprisal);
    });
    text.commit();
  }
  note_unknown(unknown, count + 1);
  return std::exp2(sum / static_cast<double>(count));
}

}  // namespace quadgate::apps
