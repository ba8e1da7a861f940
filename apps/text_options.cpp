#include "apps/text_options.h"

#include <CLI/CLI.hpp>
#include <cstdint>

#include "apps/benchmark_options.h"
#include "apps/common/output_file.h"
#include "apps/common/seed.h"

namespace quadgate::apps {
namespace {

void add_sampling(CLI::App& generate, SamplingOptions& options) {
  generate
      .add_option("--temperature", options.temperature,
                  "Below 1 the likelier tokens come more often, above 1 the others; 0: always the "
                  "likeliest")
      ->capture_default_str()
      ->type_name("T");
  generate
      .add_option("--top-k", options.top_k,
                  "Draw from the K likeliest tokens only; 0: from all of them")
      ->capture_default_str()
      ->type_name("K");
  generate
      .add_option("--top-p", options.top_p,
                  "Draw from the likeliest tokens only whose probabilities add up to P, after "
                  "--top-k; 1: from all of them")
      ->capture_default_str()
      ->type_name("P");
  generate
      .add_option("--repetition-penalty", options.repetition_penalty,
                  "Above 1 tokens that the text has come less often: logits above 0 are divided by "
                  "it, others multiplied, before all else")
      ->capture_default_str()
      ->type_name("R");
  generate.add_option("--seed", options.seed, "Another one makes up another text")
      ->check(expect_seed)
      ->capture_default_str()
      ->type_name("SEED");
}

}  // namespace

void add_generate(CLI::App& app, GenerateArguments& arguments, ScoreArguments& score_arguments,
                  Command& command) {
  CLI::App& generate = *app.add_subcommand("generate", "Print text that a language model makes up");
  generate.add_option("checkpoint", arguments.checkpoint, "Checkpoint of the model")
      ->required()
      ->type_name("CHECKPOINT");
  generate.add_option("--prompt", arguments.prompt, "What the text begins with")->type_name("TEXT");
  generate.add_option("--length", arguments.length, "Tokens to add")
      ->check(CLI::Range(std::int64_t{1}, std::int64_t{10'000'000}))
      ->capture_default_str()
      ->type_name("N");
  add_sampling(generate, arguments.sampling);
  CLI::Option* const score =
      generate
          .add_option("--score", score_arguments.text,
                      "Make up no text, but print the surprisal of each token of this one (UTF-8, "
                      "plain or .gz; - is standard input) in bits, their sum, bits per character "
                      "and perplexity")
          ->type_name("FILE");
  CLI::Option* const json = generate.add_flag("--json", score_arguments.json,
                                              "With --score: print JSON objects, a line "
                                              "each: of the tokens, then of the sums");
  json->needs(score);
  for (const char* const other :
       {"--length", "--temperature", "--top-k", "--top-p", "--repetition-penalty", "--seed"}) {
    score->excludes(generate.get_option(other));
  }
  generate.callback([&, score] {
    if (score->count() == 0) {
      command = [&] {
        apps::generate(arguments);
        return kExitDone;
      };
      return;
    }
    score_arguments.checkpoint = arguments.checkpoint;
    score_arguments.prompt = arguments.prompt;
    command = [&] {
      apps::score(score_arguments);
      return kExitDone;
    };
  });
}

void add_tag(CLI::App& app, TagArguments& arguments, Command& command) {
  CLI::App& tag = *app.add_subcommand(
      "tag", "Print sentences with a tag, or a lemma, a word, from a model of tokens");
  tag.add_option("checkpoint", arguments.checkpoint, "Checkpoint of the model")
      ->required()
      ->type_name("CHECKPOINT");
  tag.add_option("input", arguments.input,
                 "Text in UTF-8, plain or .gz, a sentence a line: words with blanks between, or, "
                 "for a model of characters, as it is written; or, called .conllu, CoNLL-U, of "
                 "which a column is filled; - is stdin, whose lines are answered as they come")
      ->capture_default_str()
      ->type_name("FILE");
  tag.add_option("-o,--output", arguments.output,
                 "File to write; .conllu says that the input is CoNLL-U; - is stdout")
      ->capture_default_str()
      ->type_name("OUT");
  tag.add_flag("--force", arguments.force, kForceHelp);
  add_threads(tag, arguments.threads);
  tag.callback([&] {
    command = [&] {
      apps::tag(arguments);
      return kExitDone;
    };
  });
}

}  // namespace quadgate::apps
