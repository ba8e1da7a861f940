#pragma once

#include "engine/base/error.h"

namespace quadgate::apps {

/// Runs `work`. Its errors get the message that `change` makes of theirs.
template <typename Work, typename Change>
void with_messages(Work work, Change change) {
  try {
    work();
  } catch (const InvalidArgument& error) {
    throw InvalidArgument(change(error.what()));
  } catch (const DataError& error) {
    throw DataError(change(error.what()));
  } catch (const FileError& error) {
    throw FileError(change(error.what()));
  }
}

}  // namespace quadgate::apps
