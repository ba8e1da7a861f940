#pragma once

#include "engine/base/error.h"

namespace quadgate::cluster {

/// What a network cannot do, or what ended a run on several ranks.
class Error : public quadgate::Error {
 public:
  using quadgate::Error::Error;
};

/// The run has failed, on this rank or another. One of them has told the user, with this text.
class Failure : public Error {
 public:
  using Error::Error;
};

}  // namespace quadgate::cluster
