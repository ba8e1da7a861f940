#include "engine/onednn/isa.h"

#include <oneapi/dnnl/dnnl.h>

#include "engine/base/error.h"
#include "kernels/base/isa.h"

namespace quadgate::onednn {
namespace {

dnnl_cpu_isa_t to_onednn(kernels::Isa isa) noexcept {
  switch (isa) {
    case kernels::Isa::scalar:
      return dnnl_cpu_isa_sse41;  // the least that oneDNN knows
    case kernels::Isa::avx2:
      return dnnl_cpu_isa_avx2;
    case kernels::Isa::avx512:
      return dnnl_cpu_isa_avx512_core;
    case kernels::Isa::avx512_bf16:
      return dnnl_cpu_isa_avx512_core_bf16;
    case kernels::Isa::amx_bf16:
      break;
  }
  return dnnl_cpu_isa_default;
}

}  // namespace

void cap_isa(kernels::Isa cap) {
  if (dnnl_set_max_cpu_isa(to_onednn(cap)) != dnnl_success) {
    throw Error("oneDNN: the cap of the instruction set came after the first primitive");
  }
}

}  // namespace quadgate::onednn
