// The program's train, evaluate and predict for Python, which calls these functions through ctypes:
// quadgate/_commands.py declares them. What they would print goes to a listener, errors too.

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

#include "apps/common/command.h"
#include "apps/common/host.h"
#include "apps/common/signals.h"
#include "apps/common/warn.h"
#include "apps/model/evaluate.h"
#include "apps/model/predict.h"
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
std::vector<std::filesystem::path> paths(const char* const* first) {
  std::vector<std::filesystem::path> all;
  for (; *first != nullptr; ++first) all.emplace_back(*first);
  return all;
}

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

/// The program that reads HDF5 files.
void quadgate_set_reader(const char* program) { quadgate::hdf5::set_reader_program(program); }

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

/// Tells the metrics, an object of JSON.
int quadgate_evaluate(const Listener* listener, const char* checkpoint, const char* const* data,
                      const char* split, std::int64_t threads, std::int64_t top_k,
                      std::int64_t season) {
  return run(listener, [&](Caller& caller) {
    caller.tell("result", apps::evaluation({.checkpoint = checkpoint,
                                            .data = paths(data),
                                            .split = text(split),
                                            .threads = number<int>(threads),
                                            .top_k = number<std::int64_t>(top_k),
                                            .season = number<std::int64_t>(season),
                                            .json = true}));
    return apps::kExitDone;
  });
}

/// Writes a file of predictions.
int quadgate_predict(const Listener* listener, const char* checkpoint, const char* const* data,
                     const char* split, const char* output, std::int64_t threads,
                     std::int64_t steps, int windows) {
  return run(listener, [&](Caller&) {
    apps::write_predictions({.checkpoint = checkpoint,
                             .data = paths(data),
                             .split = text(split),
                             .output = output,
                             .steps = number<std::int64_t>(steps),
                             .windows = windows != 0,
                             .threads = number<int>(threads)});
    return apps::kExitDone;
  });
}

}  // extern "C"
#pragma GCC visibility pop
