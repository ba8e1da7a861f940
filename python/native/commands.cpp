// The program's prepare, train, backtest, evaluate and predict for Python, which calls these
// functions through ctypes: quadgate/_program.py declares them. What they would print goes to a
// listener, errors too.

#include <chrono>
#include <cstdint>
#include <exception>
#include <filesystem>
#include <functional>
#include <new>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "apps/backtest/backtest.h"
#include "apps/common/command.h"
#include "apps/common/host.h"
#include "apps/common/program.h"
#include "apps/common/signals.h"
#include "apps/common/threads.h"
#include "apps/common/warn.h"
#include "apps/model/evaluate.h"
#include "apps/model/predict.h"
#include "apps/prepare/prepare.h"
#include "apps/train/known_keys.h"
#include "apps/train/monitor.h"
#include "apps/train/train.h"
#include "engine/base/error.h"
#include "io/hdf5/reader_program.h"

namespace {

namespace apps = quadgate::apps;

/// Functions of Python. Each returns whether the work is to stop.
struct Listener {
  /// `kind` is "message", "note", "warning", "epoch", "result", or the name of Python's exception.
  int (*tell)(const char* kind, const char* text);
  int (*stops)();
};

/// A listener as the host of a command.
class Caller {
 public:
  explicit Caller(const Listener& listener) : listener_(listener) {}

  apps::Host host() {
    return {
        .tell = [this](apps::Host::Kind kind, std::string_view line) { tell(name(kind), line); },
        .stops = [this] { return stops(); }};
  }

  void tell(const char* kind, std::string_view text) {
    if (listener_.tell(kind, std::string(text).c_str()) != 0) stopped_ = true;
  }

 private:
  static const char* name(apps::Host::Kind kind) {
    switch (kind) {
      case apps::Host::Kind::message:
        return "message";
      case apps::Host::Kind::note:
        return "note";
      case apps::Host::Kind::warning:
        return "warning";
    }
    return "";
  }

  /// Asks now and then: Python takes its lock for an answer.
  bool stops() {
    constexpr std::chrono::milliseconds kBetween(50);
    const auto now = std::chrono::steady_clock::now();
    if (!stopped_ && now >= next_) {
      stopped_ = listener_.stops() != 0;
      next_ = now + kBetween;
    }
    return stopped_;
  }

  const Listener& listener_;
  bool stopped_ = false;
  std::chrono::steady_clock::time_point next_{};
};

/// The exit code of body(caller), with its errors told.
int run(const Listener* listener, const std::function<int(Caller&)>& body) noexcept {
  Caller caller(*listener);
  const apps::Host host = caller.host();
  const apps::Hosted hosted(host);
  const auto fail = [&](const char* exception, std::string_view message) {
    caller.tell(exception, apps::one_line(message));
    return apps::kExitFailed;
  };
  try {
    return body(caller);
  } catch (const apps::StopRequest&) {
    return apps::kExitStopped;
  } catch (const quadgate::InvalidArgument& error) {
    return fail("ValueError", error.what());
  } catch (const quadgate::DataError& error) {
    return fail("ValueError", error.what());
  } catch (const quadgate::FileError& error) {
    return fail("OSError", error.what());
  } catch (const std::bad_alloc&) {
    return fail("MemoryError", "out of memory");
  } catch (const std::length_error&) {
    return fail("MemoryError", "out of memory");
  } catch (const std::exception& error) {
    return fail("RuntimeError", error.what());
  }
}

/// Up to a null.
template <typename Text>
std::vector<Text> list(const char* const* first) {
  std::vector<Text> all;
  for (; *first != nullptr; ++first) all.emplace_back(*first);
  return all;
}
std::vector<std::filesystem::path> paths(const char* const* first) {
  return list<std::filesystem::path>(first);
}

std::filesystem::path path(const char* or_null) { return or_null == nullptr ? "" : or_null; }

std::optional<std::string> text(const char* or_null) {
  return or_null == nullptr ? std::nullopt : std::optional<std::string>(or_null);
}

/// Python gives 0 for none: no option of ours may be 0.
template <typename Number>
std::optional<Number> number(std::int64_t or_zero) {
  return or_zero == 0 ? std::nullopt : std::optional(static_cast<Number>(or_zero));
}

}  // namespace

#pragma GCC visibility push(default)
extern "C" {

/// How a table is read. Texts may be empty, lists end with a null.
struct Table {
  const char* time;
  const char* group;
  const char* const* known;    ///< each in quotes
  const char* const* statics;  ///< likewise
  const char* calendar;
  const char* resample;
  const char* missing;
  double valid_fraction;
  int standardize;         ///< all series by one scale
  int standardize_series;  ///< each by its own
};

/// The folds of series.
struct Folds {
  std::int64_t folds;
  std::int64_t test_size;
  std::int64_t gap;
  std::int64_t max_train_size;
  std::int64_t jobs;
  std::int64_t threads;
};

/// The program `quadgate`, which reads HDF5 files and runs folds.
void quadgate_set_program(const char* program) {
  quadgate::hdf5::set_reader_program(program);
  apps::set_program(program);
}

/// Writes the data set of a table in text.
int quadgate_prepare(const Listener* listener, const char* input, const char* output,
                     const Table* table) {
  return run(listener, [&](Caller&) {
    apps::PrepareArguments arguments;
    arguments.kind = std::string("csv");
    arguments.inputs = {input};
    arguments.output = output;
    arguments.valid_fraction = table->valid_fraction;
    arguments.standardize = table->standardize != 0;
    arguments.standardize_series = table->standardize_series != 0;
    arguments.missing = table->missing;
    arguments.statics = list<std::string>(table->statics);
    arguments.known = list<std::string>(table->known);
    arguments.calendar = table->calendar;
    arguments.time = table->time;
    arguments.group = table->group;
    arguments.delimiter = ',';
    arguments.decimal = '.';
    arguments.resample = table->resample;
    apps::prepare(arguments);
    return apps::kExitDone;
  });
}

/// Tells each epoch's line of metrics. `name` is what messages call the run file of this text.
int quadgate_train(const Listener* listener, const char* name, const char* run_text,
                   std::int64_t threads, int resume) {
  return run(listener, [&](Caller& caller) {
    return apps::train_alone(
        {.run_file = name,
         .run_text = run_text,
         .overrides = {},
         .threads = number<int>(threads),
         .resume = resume != 0,
         .on_epoch = [&](std::string_view line) { caller.tell("epoch", line); }});
  });
}

/// Tells what evaluate tells of each fold, an object of JSON.
int quadgate_backtest(const Listener* listener, const char* run_file, const Folds* folds) {
  return run(listener, [&](Caller& caller) {
    apps::BacktestArguments arguments;
    arguments.run_file = run_file;
    arguments.folds = folds->folds;
    arguments.test_size = number<std::int64_t>(folds->test_size);
    arguments.gap = number<std::int64_t>(folds->gap);
    arguments.max_train_size = number<std::int64_t>(folds->max_train_size);
    arguments.jobs = number<int>(folds->jobs);
    arguments.threads = number<int>(folds->threads);
    arguments.json = true;
    std::string results;
    const int code = apps::run_backtest(arguments, results);
    if (code == apps::kExitDone) caller.tell("result", results);
    return code;
  });
}

/// Tells the metrics, an object of JSON. A null `input` is no raw file, of which there are no data.
int quadgate_evaluate(const Listener* listener, const char* checkpoint, const char* const* data,
                      const char* input, const char* split, std::int64_t threads,
                      std::int64_t top_k, std::int64_t season) {
  return run(listener, [&](Caller& caller) {
    caller.tell("result", apps::evaluation({.checkpoint = checkpoint,
                                            .data = paths(data),
                                            .input = path(input),
                                            .split = text(split),
                                            .threads = number<int>(threads),
                                            .top_k = number<std::int64_t>(top_k),
                                            .season = number<std::int64_t>(season),
                                            .json = true}));
    return apps::kExitDone;
  });
}

/// Writes a file of predictions. `input` as above; a null `future` has no rows behind its own.
int quadgate_predict(const Listener* listener, const char* checkpoint, const char* const* data,
                     const char* input, const char* future, const char* split, const char* output,
                     std::int64_t threads, std::int64_t steps, int windows) {
  return run(listener, [&](Caller&) {
    apps::write_predictions({.checkpoint = checkpoint,
                             .data = paths(data),
                             .input = path(input),
                             .future = path(future),
                             .split = text(split),
                             .output = output,
                             .steps = number<std::int64_t>(steps),
                             .windows = windows != 0,
                             .threads = number<int>(threads)});
    return apps::kExitDone;
  });
}

/// Whether a metric of evaluate is better the lower it is.
int quadgate_lower_is_better(const char* metric) { return apps::lower_is_better(metric) ? 1 : 0; }

/// Fails unless run files have this key; `where` begins the message.
int quadgate_expect_known_key(const Listener* listener, const char* key, const char* where) {
  return run(listener, [&](Caller&) {
    if (!apps::is_known_key(key)) apps::throw_unknown_key(where, key);
    return apps::kExitDone;
  });
}

/// Tells how many threads compute where nobody says it.
int quadgate_default_threads(const Listener* listener) {
  return run(listener, [&](Caller& caller) {
    caller.tell("result", std::to_string(apps::choose_threads({})));
    return apps::kExitDone;
  });
}

}  // extern "C"
#pragma GCC visibility pop
