#include "io/files/network_disk.h"

#include <sys/vfs.h>

#include <algorithm>
#include <array>
#include <cstdint>

namespace quadgate {
namespace {

/// As statfs(2) names them.
constexpr std::array<std::uint32_t, 9> kNetworkFileSystems{
    0x0000'6969,  // NFS
    0x0000'517b,  // SMB
    0xfe53'4d42,  // SMB 2
    0xff53'4d42,  // CIFS
    0x00c3'6400,  // Ceph
    0x0102'1997,  // 9P
    0x0bd0'0bd0,  // Lustre
    0x4750'4653,  // GPFS
    0x6573'5546,  // FUSE: sshfs, s3fs, ...
};

}  // namespace

bool is_on_network_disk(int descriptor) noexcept {
  struct ::statfs system {};
  return ::fstatfs(descriptor, &system) == 0 &&
         std::ranges::find(kNetworkFileSystems, static_cast<std::uint32_t>(system.f_type)) !=
             kNetworkFileSystems.end();
}

}  // namespace quadgate
