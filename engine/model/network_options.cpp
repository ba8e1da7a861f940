#include "engine/model/network_options.h"

namespace quadgate {

std::string_view to_string(BackendKind kind) noexcept {
  switch (kind) {
    case BackendKind::automatic:
      return "auto";
    case BackendKind::onednn:
      return "onednn";
    case BackendKind::native:
      break;
  }
  return "native";
}

std::optional<BackendKind> parse_backend(std::string_view text) noexcept {
  for (const auto kind : {BackendKind::automatic, BackendKind::onednn, BackendKind::native}) {
    if (text == to_string(kind)) return kind;
  }
  return std::nullopt;
}

std::string_view to_string(Precision precision) noexcept {
  return precision == Precision::bf16 ? "bf16" : "f32";
}

std::optional<Precision> parse_precision(std::string_view text) noexcept {
  for (const auto precision : {Precision::f32, Precision::bf16}) {
    if (text == to_string(precision)) return precision;
  }
  return std::nullopt;
}

std::string_view to_string(Arithmetic arithmetic) noexcept {
  return arithmetic == Arithmetic::consistent ? "consistent" : "fastest";
}

std::optional<Arithmetic> parse_arithmetic(std::string_view text) noexcept {
  for (const auto arithmetic : {Arithmetic::fastest, Arithmetic::consistent}) {
    if (text == to_string(arithmetic)) return arithmetic;
  }
  return std::nullopt;
}

}  // namespace quadgate
