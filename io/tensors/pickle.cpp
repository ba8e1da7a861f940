#include "io/tensors/pickle.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <unordered_map>
#include <utility>

#include "engine/base/error.h"

namespace quadgate {
namespace {

using Place = std::uint32_t;

/// The stack machine that a pickle is a program for.
class Machine {
 public:
  Machine(std::span<const std::byte> bytes, std::string name)
      : rest_(bytes), name_(std::move(name)) {}

  Pickle run() {
    while (!step(byte())) {
    }
    pickle_.root = pop();
    return std::move(pickle_);
  }

 private:
  [[noreturn]] void fail(const std::string& reason) const {
    throw FileError(fmt::format("{}: pickle: {}", name_, reason));
  }

  std::span<const std::byte> take(std::size_t size) {
    if (size > rest_.size()) {
      fail(fmt::format("expected {} more bytes, found {}", size, rest_.size()));
    }
    const auto taken = rest_.first(size);
    rest_ = rest_.subspan(size);
    return taken;
  }
  std::uint8_t byte() { return std::to_integer<std::uint8_t>(take(1).front()); }
  std::uint64_t little_endian(std::size_t size) {
    std::uint64_t value = 0;
    std::memcpy(&value, take(size).data(), size);
    return value;
  }
  std::string text(std::uint64_t size) {
    const auto bytes = take(size);
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
  }
  std::string line() {
    const auto end = std::ranges::find(rest_, std::byte{'\n'});
    std::string found = text(static_cast<std::size_t>(end - rest_.begin()));
    take(1);
    return found;
  }

  void push(Pickle::Value value) {
    constexpr std::size_t kMost = 1'000'000;
    if (pickle_.values.size() == kMost) fail("expected at most 1000000 values");
    stack_.push_back(static_cast<Place>(pickle_.values.size()));
    pickle_.values.push_back(std::move(value));
  }
  void push_integer(std::int64_t number) {
    push({.kind = Pickle::Kind::integer, .number = number});
  }
  void push_opaque(std::uint64_t size) {
    take(size);
    push({.kind = Pickle::Kind::opaque});
  }
  void push_long(std::uint64_t size) {
    if (size > 8) return push_opaque(size);
    std::uint64_t bits = little_endian(size);
    const std::size_t unused = 64 - 8 * size;
    const bool negative = size > 0 && (bits >> (8 * size - 1) & 1) != 0;
    if (negative && unused > 0 && unused < 64) bits |= ~std::uint64_t{0} << (64 - unused);
    push_integer(static_cast<std::int64_t>(bits));
  }
  void push_global(std::string full_name) {
    push({.kind = Pickle::Kind::global, .text = std::move(full_name)});
  }

  /// Nothing below the last mark is to be had.
  void expect(std::size_t size) const {
    const std::size_t floor = marks_.empty() ? 0 : marks_.back();
    if (stack_.size() < floor + size) fail("it takes more from its stack than there is");
  }
  Place pop() {
    expect(1);
    const Place place = stack_.back();
    stack_.pop_back();
    return place;
  }
  std::vector<Place> pop(std::size_t size) {
    expect(size);
    const auto from = stack_.end() - static_cast<std::ptrdiff_t>(size);
    std::vector<Place> places(from, stack_.end());
    stack_.erase(from, stack_.end());
    return places;
  }
  std::vector<Place> pop_to_mark() {
    if (marks_.empty()) fail("it goes back to a mark that is not there");
    auto places = pop(stack_.size() - marks_.back());
    marks_.pop_back();
    return places;
  }

  /// What the value on top is added to, which is an object or of this kind.
  Pickle::Value& top(Pickle::Kind kind) {
    expect(1);
    Pickle::Value& value = pickle_.values[stack_.back()];
    if (value.kind != kind && value.kind != Pickle::Kind::call) {
      fail("it adds to what holds no values");
    }
    return value;
  }
  /// The items of an object that is a list are not kept.
  void append(const std::vector<Place>& places) {
    Pickle::Value& list = top(Pickle::Kind::sequence);
    if (list.kind == Pickle::Kind::sequence) add_to(list, places);
  }
  void set_items(const std::vector<Place>& places) {
    if (places.size() % 2 != 0) fail("a key has no value");
    add_to(top(Pickle::Kind::mapping), places);
  }
  static void add_to(Pickle::Value& value, const std::vector<Place>& places) {
    value.items.insert(value.items.end(), places.begin(), places.end());
  }

  void reduce() {
    auto call = pop(2);
    if (pickle_.at(call[0]).kind != Pickle::Kind::global ||
        pickle_.at(call[1]).kind != Pickle::Kind::sequence) {
      fail("it calls what is no function");
    }
    push({.kind = Pickle::Kind::call, .items = std::move(call)});
  }

  void keep(std::uint64_t number) {
    expect(1);
    memo_[number] = stack_.back();
  }
  void recall(std::uint64_t number) {
    const auto found = memo_.find(number);
    if (found == memo_.end()) fail("it recalls what it has not kept");
    stack_.push_back(found->second);
  }

  bool step(std::uint8_t opcode);
  bool step_value(std::uint8_t opcode);
  bool step_object(std::uint8_t opcode);

  std::span<const std::byte> rest_;
  std::string name_;
  Pickle pickle_;
  std::vector<Place> stack_;
  std::vector<std::size_t> marks_;  // sizes of the stack
  std::unordered_map<std::uint64_t, Place> memo_;
};

/// Runs one opcode; true at the end.
bool Machine::step(std::uint8_t opcode) {
  switch (opcode) {
    case 0x80: {  // PROTO
      const int protocol = byte();
      if (protocol < 2 || protocol > 5) {
        fail(fmt::format("protocol: expected 2 to 5, found {}", protocol));
      }
      return false;
    }
    case 0x95:  // FRAME
      take(8);
      return false;
    case '.':  // STOP
      return true;
    case '(':  // MARK
      marks_.push_back(stack_.size());
      return false;
    case 'q':  // BINPUT
      keep(byte());
      return false;
    case 'r':  // LONG_BINPUT
      keep(little_endian(4));
      return false;
    case 0x94:  // MEMOIZE
      keep(memo_.size());
      return false;
    case 'h':  // BINGET
      recall(byte());
      return false;
    case 'j':  // LONG_BINGET
      recall(little_endian(4));
      return false;
    case '0':  // POP
      pop();
      return false;
    case '1':  // POP_MARK
      pop_to_mark();
      return false;
    default:
      if (!step_value(opcode) && !step_object(opcode)) {
        fail(fmt::format("expected an opcode of protocols 2 to 5, found {:#04x}", opcode));
      }
      return false;
  }
}

/// Values that stand for themselves; false if it is none.
bool Machine::step_value(std::uint8_t opcode) {
  switch (opcode) {
    case 'N':  // NONE
      push({});
      break;
    case 0x88:  // NEWTRUE
    case 0x89:  // NEWFALSE
      push({.kind = Pickle::Kind::boolean, .number = opcode == 0x88 ? 1 : 0});
      break;
    case 'K':  // BININT1
      push_integer(byte());
      break;
    case 'M':  // BININT2
      push_integer(static_cast<std::int64_t>(little_endian(2)));
      break;
    case 'J':  // BININT
      push_integer(static_cast<std::int32_t>(little_endian(4)));
      break;
    case 0x8a:  // LONG1
      push_long(byte());
      break;
    case 0x8b:  // LONG4
      push_long(little_endian(4));
      break;
    case 'G':  // BINFLOAT
      push_opaque(8);
      break;
    case 'B':  // BINBYTES
      push_opaque(little_endian(4));
      break;
    case 'C':  // SHORT_BINBYTES
      push_opaque(byte());
      break;
    case 0x8e:  // BINBYTES8
    case 0x96:  // BYTEARRAY8
      push_opaque(little_endian(8));
      break;
    case 'X':  // BINUNICODE
      push({.kind = Pickle::Kind::text, .text = text(little_endian(4))});
      break;
    case 0x8c:  // SHORT_BINUNICODE
      push({.kind = Pickle::Kind::text, .text = text(byte())});
      break;
    default:
      return false;
  }
  return true;
}

/// Values that are made of others; false if it is none.
bool Machine::step_object(std::uint8_t opcode) {
  switch (opcode) {
    case ')':   // EMPTY_TUPLE
    case ']':   // EMPTY_LIST
    case 0x8f:  // EMPTY_SET
      push({.kind = Pickle::Kind::sequence});
      break;
    case 0x85:  // TUPLE1
    case 0x86:  // TUPLE2
    case 0x87:  // TUPLE3
      push({.kind = Pickle::Kind::sequence, .items = pop(opcode - std::size_t{0x84})});
      break;
    case 't':   // TUPLE
    case 0x91:  // FROZENSET
      push({.kind = Pickle::Kind::sequence, .items = pop_to_mark()});
      break;
    case '}':  // EMPTY_DICT
      push({.kind = Pickle::Kind::mapping});
      break;
    case 'a':  // APPEND
      append(pop(1));
      break;
    case 'e':   // APPENDS
    case 0x90:  // ADDITEMS
      append(pop_to_mark());
      break;
    case 's':  // SETITEM
      set_items(pop(2));
      break;
    case 'u':  // SETITEMS
      set_items(pop_to_mark());
      break;
    case 'c': {  // GLOBAL
      const std::string module = line();
      push_global(module + "." + line());
      break;
    }
    case 0x93: {  // STACK_GLOBAL
      const auto names = pop(2);
      push_global(pickle_.at(names[0]).text + "." + pickle_.at(names[1]).text);
      break;
    }
    case 'Q':  // BINPERSID
      push({.kind = Pickle::Kind::persistent, .items = pop(1)});
      break;
    case 'R':   // REDUCE
    case 0x81:  // NEWOBJ
      reduce();
      break;
    case 'b':  // BUILD: attributes of an object, which we have no use for
      pop();
      top(Pickle::Kind::call);
      break;
    default:
      return false;
  }
  return true;
}

}  // namespace

Pickle parse_pickle(std::span<const std::byte> bytes, const std::string& name) {
  return Machine(bytes, name).run();
}

}  // namespace quadgate
