#include "apps/model/text_output.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <span>

#include "apps/common/standard_streams.h"
#include "engine/base/error.h"

namespace quadgate::apps {

TextOutput::TextOutput(const std::filesystem::path& path) {
  if (!is_standard_stream(path)) file_.emplace(path);
}

void TextOutput::write(std::string_view text) {
  constexpr std::size_t kMost = std::size_t{1} << 16;
  buffer_ += text;
  if (buffer_.size() >= kMost) flush();
}

void TextOutput::flush() {
  if (file_) {
    file_->write(std::as_bytes(std::span(buffer_)));
  } else {
    std::fwrite(buffer_.data(), 1, buffer_.size(), stdout);
    flush_standard_output();
  }
  buffer_.clear();
}

void TextOutput::commit() {
  flush();
  if (!file_) return;
  file_->sync_and_close();
  file_->rename();
}

std::string csv_field(const std::string& text) {
  if (text.find_first_of(",\"\r\n") == std::string::npos) return text;
  std::string quoted = "\"";
  for (const char c : text) quoted.append(c == '"' ? 2 : 1, c);
  quoted += '"';
  return quoted;
}

std::string shortest(double value, double mean, double std) {
  constexpr double kFloatStep = 0x1p-24;  // how far float32 numbers below 1 are from each other
  const double step = kFloatStep * std::max(std::abs(std), std::abs(value - mean));
  std::string text = fmt::format("{}", static_cast<float>(value));
  double read = 0;
  std::from_chars(text.data(), text.data() + text.size(), read);
  if (std::abs(read - value) <= step) return text;
  constexpr double kMostDigits = 17;  // which tell every double
  const double digits = std::min(std::ceil(std::log10(std::abs(value) / step)) + 1, kMostDigits);
  return fmt::format("{:.{}g}", value, static_cast<int>(digits));
}

}  // namespace quadgate::apps
