#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <random>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/base/error.h"

namespace quadgate::testing {

#if defined(__has_feature)
inline constexpr bool kHasAddressSanitizer = __has_feature(address_sanitizer);
inline constexpr bool kHasThreadSanitizer = __has_feature(thread_sanitizer);
#else  // gcc, whose builds have none
inline constexpr bool kHasAddressSanitizer = false;
inline constexpr bool kHasThreadSanitizer = false;
#endif

using Bytes = std::vector<std::byte>;

/// Damages bytes in one of the ways in which files come damaged: cut short, flipped bits, bytes
/// that stand for lengths made large, pieces doubled or swapped.
inline Bytes mutate(Bytes bytes, std::mt19937_64& random) {
  const auto below = [&](std::size_t most) {
    return most == 0 ? 0 : static_cast<std::size_t>(random() % most);
  };
  const auto at = [&](std::size_t place) {
    return bytes.begin() + static_cast<std::ptrdiff_t>(place);
  };
  for (std::size_t i = 0; i < 1 + below(3) && !bytes.empty(); ++i) {
    const std::size_t place = below(bytes.size());
    const std::size_t size = std::min(1 + below(8), bytes.size() - place);
    switch (below(6)) {
      case 0:
        bytes.resize(place);
        break;
      case 1:
        bytes[place] ^= static_cast<std::byte>(1U << below(8));
        break;
      case 2:
        std::fill_n(at(place), size, std::byte{0xff});
        break;
      case 3:
        std::fill_n(at(place), size, std::byte{0});
        break;
      case 4: {
        const Bytes piece(at(place), at(place + size));
        bytes.insert(at(below(bytes.size())), piece.begin(), piece.end());
        break;
      }
      default:
        bytes[place] = static_cast<std::byte>(below(256));
    }
  }
  return bytes;
}

/// Damages the bytes of a text: as above, or by pieces put into it that mean something to parsers.
inline Bytes mutate_text(Bytes bytes, std::mt19937_64& random) {
  constexpr std::string_view kSigns = "\",;\t|:@#-'({ \n\r\xff\xc3";
  static const std::vector<std::string> pieces{"\r\n",
                                               "1,5",
                                               "nan",
                                               "1e999",
                                               "\xed\xa0\x80",
                                               "\xef\xbb\xbf",
                                               std::string(1, '\0'),
                                               std::string(400, '9'),
                                               std::string(10'000, ' '),
                                               std::string(10'000, '7')};
  if (random() % 2 == 0) return mutate(std::move(bytes), random);
  for (std::size_t i = 0, count = 1 + random() % 3; i < count; ++i) {
    const std::string_view piece = random() % 2 == 0
                                       ? kSigns.substr(random() % kSigns.size(), 1)
                                       : std::string_view(pieces[random() % pieces.size()]);
    const auto bits = std::as_bytes(std::span(piece));
    const auto place = bytes.begin() + static_cast<std::ptrdiff_t>(random() % (bytes.size() + 1));
    bytes.insert(place, bits.begin(), bits.end());
  }
  return bytes;
}

/// What the environment variable `name` says, else `otherwise`.
inline std::uint64_t number_in(const char* name, std::uint64_t otherwise) {
  const char* const text = std::getenv(name);
  return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

/// 1,000, or what QUADGATE_MUTATIONS says.
inline int mutation_count() { return static_cast<int>(number_in("QUADGATE_MUTATIONS", 1'000)); }

/// Calls parse(bytes) with damaged versions of `whole`: it reads them or throws an Error. The seed
/// is 1, or what QUADGATE_MUTATION_SEED says.
template <typename Parse>
void survive_mutations(const Bytes& whole, const Parse& parse,
                       Bytes (*damage)(Bytes, std::mt19937_64&) = mutate,
                       int count = mutation_count()) {
  const std::uint64_t seed = number_in("QUADGATE_MUTATION_SEED", 1);
  SCOPED_TRACE(seed);
  std::mt19937_64 random(seed);
  int refused = 0;
  for (int i = 0; i < count; ++i) {
    try {
      parse(damage(whole, random));
    } catch (const Error&) {
      ++refused;
    }
  }
  EXPECT_GT(refused, count / 4);
}

}  // namespace quadgate::testing
