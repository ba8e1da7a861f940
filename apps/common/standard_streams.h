#pragma once

namespace quadgate::apps {

/// Makes the standard streams that the program was started without fail where they are used. Else a
/// file would take the number of a closed one, and what is printed would be written into it.
void hold_standard_streams();

/// Throws FileError unless everything printed to the standard output has arrived.
void flush_standard_output();

}  // namespace quadgate::apps
