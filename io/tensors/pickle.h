#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace quadgate {

/// What a pickle says, without running any of it: calls are kept as calls. Values refer to each
/// other by their place in `values`, always to places in front of their own, unless a list or
/// object got them later.
struct Pickle {
  enum class Kind : std::uint8_t {
    none,
    boolean,     ///< number is 0 or 1
    integer,     ///< number
    real,        ///< of no use to us: its value is not kept
    text,        ///< text
    global,      ///< text: "module.name"
    sequence,    ///< items: a tuple or list
    mapping,     ///< items: key, value, key, value, ...
    persistent,  ///< items: what stands for an object outside of the pickle
    call,        ///< items: the global, its arguments as a sequence, then key, value, ... set on it
  };
  struct Value {
    Kind kind = Kind::none;
    std::int64_t number = 0;
    std::string text{};
    std::vector<std::uint32_t> items{};
  };

  std::vector<Value> values;
  std::uint32_t root = 0;  ///< the place of the whole

  const Value& at(std::uint32_t place) const { return values[place]; }
};

/// Reads a pickle of protocol 2 to 5 (https://docs.python.org/3/library/pickletools.html) that
/// consists of plain values and of calls of `globals` ("module.name"); everything else is refused.
/// `name` stands for the file in messages. Throws FileError.
Pickle parse_pickle(std::span<const std::byte> bytes, std::span<const std::string_view> globals,
                    const std::string& name);

}  // namespace quadgate
