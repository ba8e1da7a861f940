#include "apps/prepare_options.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>

#include "apps/common/output_file.h"
#include "apps/common/seed.h"
#include "engine/base/error.h"

namespace quadgate::apps {
namespace {

void add_like(CLI::App& app, PrepareArguments& arguments) {
  app.add_option("--like", arguments.like,
                 "Read the input as the data of this one were read: its features, classes, "
                 "vocabulary and scale; labels may lack then")
      ->type_name("CHECKPOINT|DATA.h5");
}

CLI::App& add_kind(CLI::App& prepare, const char* name, const char* help,
                   PrepareArguments& arguments, Command& command) {
  CLI::App& kind = *prepare.add_subcommand(name, help);
  add_like(kind, arguments);
  kind.add_option("-o,--output", arguments.output, "Data set to write")
      ->required()
      ->type_name("DATA.h5");
  kind.add_option(
          "--valid-fraction", arguments.valid_fraction,
          "Part of the input that becomes the valid split, 0 to below 1, if there is no --valid")
      ->type_name("F");
  kind.add_option("--test-fraction", arguments.test_fraction,
                  "Part of the input that becomes the test split, if there is no --test")
      ->type_name("F");
  kind.add_flag(
      "--gzip", arguments.gzip,
      "Compress the data; to train on more than 256 MiB of them (768 MiB in several files), give "
      "shuffle_buffer in the run file");
  kind.add_flag("--force", arguments.force, kForceHelp);
  kind.callback([&arguments, &command, name] {
    arguments.kind = name;
    command = [&arguments] {
      apps::prepare(arguments);
      return kExitDone;
    };
  });
  return kind;
}

/// For the kinds whose rows may be in any order.
void add_seed(CLI::App& kind, PrepareArguments& arguments) {
  kind.add_option("--seed", arguments.seed,
                  "Another one draws other rows for --valid-fraction and --test-fraction; 1 unless "
                  "given")
      ->check(expect_seed)
      ->type_name("SEED");
}

/// The kinds that make tokens of text files.
void add_prepare_tokens(CLI::App& prepare, PrepareArguments& arguments, Command& command) {
  CLI::App& conllu = add_kind(prepare, "conllu",
                              "Sentences in CoNLL-U, to tag each word (FORM) with its part of "
                              "speech or another column, or to cut them into words as well",
                              arguments, command);
  CLI::App& text = add_kind(prepare, "text",
                            "Text as one stream of tokens, for a language model; splits follow in "
                            "the text",
                            arguments, command);
  add_seed(conllu, arguments);
  const auto add_level = [&](CLI::App& kind, const char* help) {
    kind.add_option("--level", arguments.level, help)
        ->check(CLI::IsMember({"characters", "words"}))
        ->type_name("LEVEL");
  };
  add_level(conllu,
            "words (the default), or characters (Unicode code points), tagged B-NOUN where a noun "
            "begins and I-NOUN inside it");
  add_level(text,
            "characters (Unicode code points; the default) or words (between blanks; <eos> ends a "
            "line)");
  conllu
      .add_option("--column", arguments.column,
                  "What a word is tagged with: UPOS (unless given), XPOS or FEATS; LEMMA, by how "
                  "it ends; NER, the named entities of MISC (NER=B-PER, or CorefUD's Entity=)")
      ->check(CLI::IsMember({"UPOS", "XPOS", "FEATS", "LEMMA", "NER"}))
      ->type_name("COLUMN");
  for (CLI::App* kind : {&conllu, &text}) {
    kind->add_option("input", arguments.inputs, "Files in UTF-8, plain or .gz")
        ->required()
        ->type_name("FILE");
    kind->add_option("--valid", arguments.valid, "Files of the valid split")->type_name("FILE");
    kind->add_option("--test", arguments.test, "Files of the test split")->type_name("FILE");
    kind->add_option("--min-count", arguments.min_count,
                     "How often a token must occur in the train split, else it is <unk>; unless "
                     "given 2, for characters of text 1")
        ->type_name("N");
  }
}

void add_missing(CLI::App& kind, PrepareArguments& arguments, const char* help) {
  kind.add_option("--missing", arguments.missing, help)
      ->check(CLI::IsMember({"error", "drop", "forward", "mean"}))
      ->type_name("POLICY");
}

/// How tables are read.
void add_table(CLI::App& csv, PrepareArguments& arguments) {
  csv.add_option("--columns", arguments.columns,
                 "Columns to read, in this order; else all. A name with a comma is quoted: "
                 "'\"load, MW\",price'")
      ->allow_extra_args(false)
      ->type_name("NAME,...");
  csv.add_option(
         "--time", arguments.time,
         "Column of times, not read as a feature; else the first one, if it is not of numbers")
      ->type_name("NAME");
  csv.add_option("--group", arguments.group, "Column that names the series that a row belongs to")
      ->type_name("NAME");
  csv.add_option("--delimiter", arguments.delimiter, "Between fields: a character, or tab")
      ->type_name("C");
  csv.add_option("--decimal", arguments.decimal, "In front of a number's fraction")
      ->check(CLI::IsMember({".", ","}))
      ->type_name("C");
  csv.add_option("--date-order", arguments.date_order,
                 "Of dates like 1/7/2016; else a day above 12 in the first lines tells")
      ->check(CLI::IsMember({"day-first", "month-first"}))
      ->type_name("ORDER");
  csv.add_option(
         "--resample", arguments.resample,
         "Make rows regular in time: one each 30s, 15min, 1h or 1d, the mean of those in it; "
         "where there are none, values are missing")
      ->type_name("STEP");
  csv.add_option("--static", arguments.statics,
                 "Columns with one value a series, which go in at every step: a number, or a "
                 "feature for each text")
      ->allow_extra_args(false)
      ->type_name("NAME,...");
  csv.add_option("--known", arguments.known,
                 "Columns that are known of the rows to forecast, too: of rows at the end they "
                 "alone have values")
      ->allow_extra_args(false)
      ->type_name("NAME,...");
  csv.add_option("--calendar", arguments.calendar,
                 "Features made of each row's time, a sine and a cosine of each of these: minute, "
                 "hour, weekday, day, dayofyear, month")
      ->type_name("PART,...");
  csv.add_option("--valid-from", arguments.valid_from,
                 "Time from which on rows are the valid split: 2018-01-31, 2018-01-31 13:30, or as "
                 "the table writes times")
      ->type_name("TIME");
  csv.add_option("--test-from", arguments.test_from, "Time from which on rows are the test split")
      ->type_name("TIME");
}

/// Without a kind, which that of --like tells.
void add_prepare_like(CLI::App& prepare, PrepareArguments& arguments, Command& command) {
  add_like(prepare, arguments);
  prepare.add_option("input", arguments.inputs, "With --like: files of the kind of its data")
      ->type_name("INPUT");
  prepare.add_option("-o,--output", arguments.output, "With --like: data set to write")
      ->type_name("DATA.h5");
  prepare.add_flag("--force", arguments.force, kForceHelp);
  prepare.callback([&prepare, &arguments, &command] {
    if (!prepare.get_subcommands().empty()) return;
    if (arguments.like.empty()) {
      constexpr const char* kKinds = "idx, ts, csv, npz, conllu or text";
      if (arguments.inputs.empty()) throw CLI::RequiredError(fmt::format("{}, or --like", kKinds));
      throw InvalidArgument(fmt::format("prepare: expected one of {}, or --like, found '{}'",
                                        kKinds, arguments.inputs[0].string()));
    }
    if (arguments.inputs.empty()) throw CLI::RequiredError("input");
    if (arguments.output.empty()) throw CLI::RequiredError("--output");
    command = [&arguments] {
      apps::prepare(arguments);
      return kExitDone;
    };
  });
}

/// A file each of the splits.
void add_files(CLI::App& kind, PrepareArguments& arguments) {
  kind.add_option("input", arguments.inputs, "File, plain or .gz")
      ->required()
      ->expected(1)
      ->type_name("FILE");
  kind.add_option("--valid", arguments.valid, "File of the valid split")
      ->expected(1)
      ->type_name("FILE");
  kind.add_option("--test", arguments.test, "File of the test split")
      ->expected(1)
      ->type_name("FILE");
}

CLI::App& add_idx(CLI::App& prepare, PrepareArguments& arguments, Command& command) {
  CLI::App& idx = add_kind(prepare, "idx",
                           "IDX files of MNIST-like sets, plain or .gz: each image is the sequence "
                           "of its rows, to classify",
                           arguments, command);
  idx.add_option("input", arguments.inputs, "Images and labels")
      ->required()
      ->expected(1, 2)
      ->type_name("IMAGES LABELS");
  idx.add_option("--valid", arguments.valid, "Images and labels of the valid split")
      ->expected(2)
      ->type_name("IMAGES LABELS");
  idx.add_option("--test", arguments.test, "Images and labels of the test split")
      ->expected(2)
      ->type_name("IMAGES LABELS");
  return idx;
}

}  // namespace

void add_prepare(CLI::App& app, PrepareArguments& arguments, Command& command) {
  CLI::App& prepare = *app.add_subcommand("prepare", "Make a data set from other formats");
  prepare.require_subcommand(0, 1);
  add_prepare_like(prepare, arguments, command);

  CLI::App& idx = add_idx(prepare, arguments, command);
  CLI::App& ts = add_kind(prepare, "ts",
                          "The .ts text format of aeon and sktime: labelled sequences, also of "
                          "different lengths; or .tsf, series to forecast",
                          arguments, command);
  ts.alias("tsf");
  CLI::App& csv =
      add_kind(prepare, "csv",
               "Series to forecast: a table in text, a row a time step; delimiter, decimal "
               "sign and names follow from its first lines; splits follow in time",
               arguments, command);
  CLI::App& npz =
      add_kind(prepare, "npz",
               "NumPy's arrays x and y, also x_train, y_train, x_valid, x_test, ...: "
               "sequences of one length, or of many with offsets; without y a series to "
               "forecast",
               arguments, command);
  for (CLI::App* kind : {&idx, &ts, &csv, &npz}) {
    kind->add_flag("--standardize", arguments.standardize,
                   "Scale each feature to mean 0 and std 1 over the train split");
  }
  for (CLI::App* kind : {&ts, &csv}) {
    kind->add_flag("--standardize-series", arguments.standardize_series,
                   "Scale each feature of each series to mean 0 and std 1 over its own train rows")
        ->excludes("--standardize");
  }
  for (CLI::App* kind : {&ts, &csv, &npz}) add_files(*kind, arguments);
  add_table(csv, arguments);
  add_missing(csv, arguments,
              "What becomes of values that are missing (empty, NA, NaN, null, None, ?): error "
              "(unless given); drop the row; forward: the value of the row before; mean of the "
              "column's train rows");
  for (CLI::App* kind : {&idx, &ts, &npz}) add_seed(*kind, arguments);
  for (CLI::App* kind : {&ts, &npz}) {
    add_missing(*kind, arguments,
                "What becomes of values that are missing (NaN, of .ts also ?): error (unless "
                "given); drop the sequence, of a series the row; forward: the value of the step "
                "before; mean of the feature's train steps");
  }
  add_prepare_tokens(prepare, arguments, command);
}

}  // namespace quadgate::apps
