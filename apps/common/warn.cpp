#include "apps/common/warn.h"

#include <fmt/format.h>

#include <atomic>
#include <cstddef>
#include <cstdio>

#include "apps/common/host.h"

namespace quadgate::apps {
namespace {

constexpr std::size_t kLongestQuote = 200;
constexpr std::size_t kLongestMessage = 2000;

std::atomic<bool> says_nothing = false;  // a signal handler reads it

void say(Host::Kind kind, std::string_view line) {
  if (host() != nullptr) return host()->tell(kind, one_line(line));
  if (says_nothing) return;
  const char* const word = kind == Host::Kind::warning ? "warning" : "note";
  std::fputs(fmt::format("quadgate: {}: {}\n", word, one_line(line)).c_str(), stderr);
}

/// The front of a text in UTF-8, with dots for the rest if that is cut off.
std::string shortened(std::string_view text, std::size_t longest) {
  if (text.size() <= longest) return std::string(text);
  const auto continues = [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) == 0x80U; };
  while (longest > 0 && continues(text[longest])) --longest;
  return std::string(text.substr(0, longest)) + "...";
}

/// Where the quote whose text begins at `begin` ends: in front of a quote mark that no letter
/// follows, as one does in "a model's".
std::size_t end_of_quote(std::string_view message, std::size_t begin) {
  for (std::size_t at = message.find('\'', begin); at != std::string_view::npos;
       at = message.find('\'', at + 1)) {
    const char next = at + 1 < message.size() ? message[at + 1] : ' ';
    if (std::string_view(" ,.:;)]").find(next) != std::string_view::npos) return at;
  }
  return message.size();
}

}  // namespace

std::string one_line(std::string_view message) {
  std::string line;
  for (std::size_t at = 0; at < message.size();) {
    line += message[at++];
    const bool opens = line.back() == '\'' && (at == 1 || message[at - 2] == ' ');
    if (!opens) continue;
    const std::size_t end = end_of_quote(message, at);
    line += shortened(message.substr(at, end - at), kLongestQuote);
    at = end;
  }
  for (char& c : line) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) c = ' ';
  }
  return shortened(line, kLongestMessage);
}

void be_quiet() noexcept { says_nothing = true; }

bool is_quiet() noexcept { return says_nothing; }

void warn(std::string_view line) { say(Host::Kind::warning, line); }

void note(std::string_view line) { say(Host::Kind::note, line); }

void tell(std::string_view line) {
  if (host() != nullptr) return host()->tell(Host::Kind::message, line);
  std::fputs(fmt::format("{}\n", line).c_str(), stderr);
}

}  // namespace quadgate::apps
