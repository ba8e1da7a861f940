#include "apps/common/progress.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdint>

namespace quadgate::apps {

Progress::~Progress() {
  if (open_) {
    std::fputc('\n', out_);
  }
}

bool Progress::due(Time now) const noexcept {
  using std::chrono::milliseconds;
  return now - last_ >= (terminal_ ? milliseconds(100) : milliseconds(10000));
}

void Progress::update(std::string_view line, Time now) {
  // "\x1b[K" clears what a longer line before has left. A stream that is gone stops no training.
  const auto text = fmt::format("{}{}{}", terminal_ ? "\r" : "", line, terminal_ ? "\x1b[K" : "\n");
  std::fputs(text.c_str(), out_);
  std::fflush(out_);
  open_ = terminal_;
  last_ = now;
}

void Progress::finish(std::string_view line, Time now) {
  update(line, now);
  if (open_) {
    std::fputc('\n', out_);
    std::fflush(out_);
    open_ = false;
  }
}

std::string duration_text(double seconds) {
  constexpr double kLongest = 1e9;
  const auto whole = static_cast<std::int64_t>(std::lround(std::clamp(seconds, 0.0, kLongest)));
  if (whole >= 3600) {
    return fmt::format("{}:{:02}:{:02}", whole / 3600, whole / 60 % 60, whole % 60);
  }
  return fmt::format("{}:{:02}", whole / 60, whole % 60);
}

}  // namespace quadgate::apps
