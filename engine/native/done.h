#pragma once

#include <concepts>
#include <cstdint>
#include <optional>

#include "engine/native/work_range.h"

namespace quadgate::native {

/// The steps of a part of the model in a pass, in their order.
enum class Step : std::uint8_t { load, forward, loss, backward };

/// A part of the model has done a step for the sequences of some work. The next step asks for this
/// object, so a wrong order does not compile. The part alone makes it:
///
///     Done<Stack, Step::load> loaded = stack.load(work);
///     Done<Stack, Step::forward> forward = stack.forward(std::move(loaded));
///     Done<Stack, Step::backward> backward = stack.backward(std::move(forward), nullptr);
///
/// It lives as long as the work.
template <typename Part, Step kStep>
class [[nodiscard]] Done {
 public:
  Done(Done&&) noexcept = default;
  Done& operator=(Done&&) = delete;

  const WorkRange& work() const noexcept { return *work_; }
  const Pass& pass() const noexcept { return work_->pass; }

 private:
  friend Part;
  template <typename>
  friend class Everywhere;
  explicit Done(const WorkRange& work) noexcept : work_(&work) {}

  const WorkRange* work_;
};

/// All ranges of the sequences of a pass have a Done, or a struct of several. Workers makes this
/// object.
template <typename Token>
class Everywhere {
 public:
  const Pass& pass() const noexcept { return pass_; }
  /// That of a range.
  Token of(const WorkRange& work) const noexcept { return Token(work); }
  /// One of a struct of several.
  template <typename Part, std::same_as<Token> Struct>
  Everywhere<Part> part(Part Struct::*) const noexcept {
    return Everywhere<Part>(pass_);
  }
  /// One that a model may do without.
  template <typename Part, std::same_as<Token> Struct>
  Everywhere<Part> part(std::optional<Part> Struct::*) const noexcept {
    return Everywhere<Part>(pass_);
  }

 private:
  friend class Workers;
  template <typename>
  friend class Everywhere;
  explicit Everywhere(const Pass& pass) noexcept : pass_(pass) {}

  Pass pass_;
};

class Stack;

/// A pass after which the weights of the layers that it has come through can have their gradients.
using Differentiated = Everywhere<Done<Stack, Step::backward>>;

}  // namespace quadgate::native
