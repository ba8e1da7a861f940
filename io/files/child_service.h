#pragma once

#include <cstddef>
#include <functional>
#include <span>

#include "io/files/child_protocol.h"

/// The side of a ChildProcess that answers.
namespace quadgate::child {

/// Turns a request into an answer, in place of the one before. Its exceptions reach the owner as
/// FileError.
using Service = std::function<void(std::span<const std::byte> request, Bytes& answer)>;

/// Whether a ChildProcess has started this program: its file is open as `kFile`.
bool has_owner() noexcept;

/// Answers, within the limits of each request, and ends the program with its owner.
[[noreturn]] void serve(const Service& service);

}  // namespace quadgate::child
