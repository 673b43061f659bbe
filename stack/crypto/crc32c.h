// CRC-32C (Castagnoli): SCTP's checksum, RFC 9260 appendix A.
#ifndef RTCLAB_STACK_CRYPTO_CRC32C_H_
#define RTCLAB_STACK_CRYPTO_CRC32C_H_

#include "stack/base/bytes.h"

namespace rtclab::crypto {

// The CRC of `data`; with `previous`, the CRC of what gave `previous` followed by `data`. Uses the
// processor's instruction where there is one.
uint32_t Crc32c(ByteView data, uint32_t previous = 0);
// The same by tables alone.
uint32_t Crc32cPortable(ByteView data, uint32_t previous = 0);

}  // namespace rtclab::crypto

#endif  // RTCLAB_STACK_CRYPTO_CRC32C_H_
