#pragma once

#include <functional>
#include <string_view>

namespace quadgate::apps {

/// A program that runs a command of ours in one of its threads, as a Python interpreter does.
struct Host {
  enum class Kind { message, note, warning };

  std::function<void(Kind kind, std::string_view line)> tell;  ///< in the place of stderr
  std::function<bool()> stops;                                 ///< in the place of signals
};

/// In this thread, while it lives, commands speak to a host, and leave terminal and signals to it.
class Hosted {
 public:
  /// `host` must outlive it.
  explicit Hosted(const Host& host) noexcept;
  ~Hosted();
  Hosted(const Hosted&) = delete;
  Hosted& operator=(const Hosted&) = delete;

 private:
  const Host* before_;
};

/// Of this thread; null where the program `quadgate` runs its commands itself.
const Host* host() noexcept;

}  // namespace quadgate::apps
