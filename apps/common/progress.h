#pragma once

#include <chrono>
#include <cstdio>
#include <string>
#include <string_view>

namespace quadgate::apps {

/// Shows how far work is. On a terminal it rewrites one line; elsewhere it writes a line now and
/// then.
class Progress {
 public:
  using Time = std::chrono::steady_clock::time_point;

  /// `out` must outlive this object.
  Progress(std::FILE* out, bool terminal, Time start)
      : out_(out), terminal_(terminal), last_(start) {}
  /// Ends a line that waits to be rewritten.
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  /// Whether it is time for `update`: on a terminal 0.1 s after the last line, elsewhere 10 s.
  bool due(Time now) const noexcept;
  /// Shows a passing state.
  void update(std::string_view line, Time now);
  /// Shows a line that stays.
  void finish(std::string_view line, Time now);

 private:
  std::FILE* out_;
  bool terminal_;
  bool open_ = false;  // the terminal's line waits to be rewritten
  Time last_;
};

/// "0:07", "12:34" or "1:02:03".
std::string duration_text(double seconds);

}  // namespace quadgate::apps
