// Comparing secrets without telling by the time it takes where they differ.
#ifndef RTCLAB_STACK_CRYPTO_CONSTANT_TIME_H_
#define RTCLAB_STACK_CRYPTO_CONSTANT_TIME_H_

#include "stack/base/bytes.h"

namespace rtclab::crypto {

// Whether both have the same length and bytes. The time depends on the lengths only.
bool ConstantTimeEqual(ByteView a, ByteView b);

}  // namespace rtclab::crypto

#endif  // RTCLAB_STACK_CRYPTO_CONSTANT_TIME_H_
