#pragma once

namespace quadgate {

/// The root attribute "format" of the kinds of HDF5 files that quadgate writes.
inline constexpr const char* kDatasetFormat = "quadgate-dataset";
inline constexpr const char* kCheckpointFormat = "quadgate-checkpoint";
inline constexpr const char* kPredictionsFormat = "quadgate-predictions";

}  // namespace quadgate
