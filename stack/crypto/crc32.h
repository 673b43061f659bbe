// CRC-32 of ITU-T V.42 (the one of Ethernet and zip): STUN's FINGERPRINT, RFC 8489 section 14.7.
#ifndef RTCLAB_STACK_CRYPTO_CRC32_H_
#define RTCLAB_STACK_CRYPTO_CRC32_H_

#include "stack/base/bytes.h"

namespace rtclab::crypto {

// The CRC of `data`; with `previous`, the CRC of what gave `previous` followed by `data`.
uint32_t Crc32(ByteView data, uint32_t previous = 0);

}  // namespace rtclab::crypto

#endif  // RTCLAB_STACK_CRYPTO_CRC32_H_
