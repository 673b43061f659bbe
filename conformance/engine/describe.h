// One line about bytes that came or did not: for the `actual` of a verdict. The full decoding is the reports' business.
#ifndef RTCLAB_CONFORMANCE_ENGINE_DESCRIBE_H_
#define RTCLAB_CONFORMANCE_ENGINE_DESCRIBE_H_

#include <string>

#include "stack/base/bytes.h"

namespace rtclab::conformance {

// "Binding error response 420 Unknown Attribute", "ChannelData 0x4001 with 12 bytes", "9 bytes: 80 01 ...".
std::string Brief(ByteView message);

}  // namespace rtclab::conformance

#endif  // RTCLAB_CONFORMANCE_ENGINE_DESCRIBE_H_
