#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace quadgate {

/// What a pickle says. Nothing of it is run: a call stays a call. Values refer to each other by
/// their place in `values`. A value refers to places before its own, but a list or an object may
/// also get later ones.
struct Pickle {
  enum class Kind : std::uint8_t {
    none,
    boolean,     ///< number is 0 or 1
    integer,     ///< number
    opaque,      ///< a float, bytes or a long integer: its value is not kept, nobody needs it
    text,        ///< text
    global,      ///< text: "module.name"
    sequence,    ///< items: a tuple, list or set
    mapping,     ///< items: key, value, key, value, ...
    persistent,  ///< items: the id of an object outside the pickle
    call,        ///< items: the global, its arguments as a sequence, then key, value, ... it sets;
                 ///< an object of a class is a call of it
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

/// Reads a pickle of protocol 2 to 5 (https://docs.python.org/3/library/pickletools.html). `name`
/// stands for the file in messages. Throws FileError unless it is whole, and of opcodes that these
/// protocols write.
Pickle parse_pickle(std::span<const std::byte> bytes, const std::string& name);

}  // namespace quadgate
