// The value of one STUN attribute in words.
#ifndef RTCLAB_CONFORMANCE_REPORT_DESCRIBE_ATTRIBUTE_H_
#define RTCLAB_CONFORMANCE_REPORT_DESCRIBE_ATTRIBUTE_H_

#include <string>

#include "stack/base/bytes.h"
#include "stack/stun/attribute.h"
#include "stack/stun/message.h"

namespace rtclab::conformance {

// "USERNAME", or "0x7f01 (unknown, comprehension-required)".
std::string AttributeName(stun::AttributeType type);

// "127.0.0.1:3478" of an XOR address, "600 s" of LIFETIME, text in quotes, hexadecimal of what has no better form. A value that is not
// well formed: its hexadecimal, and what is wrong. One line, printable.
std::string DescribeValue(stun::AttributeType type, ByteView value, const stun::TransactionId& id);

// Text from the wire in quotes: what is not printable UTF-8 as '?', at most 128 bytes.
std::string Quoted(std::string_view text);
// Hexadecimal of at most 48 bytes; "..." stands for the others.
std::string ShortHex(ByteView bytes);

}  // namespace rtclab::conformance

#endif  // RTCLAB_CONFORMANCE_REPORT_DESCRIBE_ATTRIBUTE_H_
