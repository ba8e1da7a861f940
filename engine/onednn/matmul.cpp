#include "engine/onednn/matmul.h"

#include <fmt/format.h>
#include <oneapi/dnnl/dnnl.h>
#include <oneapi/dnnl/dnnl_debug.h>

#include "engine/base/error.h"

namespace quadgate::onednn {

void matmul(std::int64_t m, std::int64_t n, std::int64_t k, const Matrix& a, const Matrix& b,
            float beta, float* c) {
  const dnnl_status_t status = dnnl_sgemm(a.transposed ? 'T' : 'N', b.transposed ? 'T' : 'N', m, n,
                                          k, 1.0F, a.data, a.stride, b.data, b.stride, beta, c, n);
  if (status != dnnl_success) {
    throw Error(fmt::format("oneDNN: product [{}, {}] x [{}, {}] failed: {}", m, k, k, n,
                            dnnl_status2str(status)));
  }
}

}  // namespace quadgate::onednn
