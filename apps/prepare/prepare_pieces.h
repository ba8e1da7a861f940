#pragma once

#include <functional>

#include "apps/prepare/prepare.h"
#include "io/model/known_data.h"

namespace quadgate::apps {

/// Whether an input like `known` can be answered piece by piece with what it is answered with as a
/// whole: sequences of .ts, sentences, text; and, with `windows`, a table of one series whose
/// windows are answered, unless what a row is depends on later ones.
bool comes_in_pieces(const KnownData& known, bool windows);

/// Does what prepare_like does for what has come of an input whenever more of it must be waited
/// for, and calls `answer` each time. `words` are those of the piece; its notes, of the whole
/// input, are there in the end. A table gives windows; each data set begins with the first row of
/// the first window that no data set before has had. A data set of a text begins with the last
/// token of the one before.
void prepare_pieces(PrepareArguments arguments, const KnownData& known, InputWords& words,
                    const std::function<void()>& answer);

}  // namespace quadgate::apps
