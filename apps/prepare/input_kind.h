#pragma once

#include "apps/prepare/prepare.h"

namespace quadgate::apps {

/// Throws DataError if the first bytes of an input tell that it is no file of `arguments.kind`,
/// which may be that of the data of `known`. Text is not told from other text, and a pipe is not
/// looked into.
void expect_kind(const KnownData& known, const PrepareArguments& arguments);

}  // namespace quadgate::apps
