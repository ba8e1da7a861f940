#include "apps/prepare/prepare_progress.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

#include "apps/common/host.h"
#include "apps/common/signals.h"

namespace quadgate::apps {

PrepareProgress::PrepareProgress()
    : begin_(std::chrono::steady_clock::now()),
      progress_(stderr, isatty(STDERR_FILENO) == 1, begin_) {}

void PrepareProgress::show(const FileProgress& progress) {
  if (stop_requested()) {
    throw StopRequest();
  }
  const auto now = std::chrono::steady_clock::now();
  std::string work = fmt::format("{} {}", progress.action, progress.path.string());
  if (work != work_) {
    work_ = std::move(work);
    begin_ = now;
  }
  if (host() == nullptr && progress_.due(now)) {
    progress_.update(progress_text(progress, std::chrono::duration<double>(now - begin_).count()),
                     now);
  }
}

std::string progress_text(const FileProgress& progress, double seconds) {
  constexpr double kMega = 1e6;
  constexpr double kGiga = 1e9;
  const auto done = static_cast<double>(progress.done);
  const auto total = static_cast<double>(progress.total);
  const bool large = std::max(done, total) >= kGiga;
  const double unit = large ? kGiga : kMega;
  const double rate = done / std::max(seconds, 1e-9);
  std::string text =
      fmt::format("{} {}  {:.1f}", progress.action, progress.path.string(), done / unit);
  if (progress.total > 0) {
    text += fmt::format(" of {:.1f}", total / unit);
  }
  text += fmt::format(" {}  {:.0f} MB/s", large ? "GB" : "MB", rate / kMega);
  if (progress.total > 0 && rate > 0) {
    text += fmt::format("  {} left", duration_text((total - done) / rate));
  }
  return text;
}

}  // namespace quadgate::apps
