// The values of "a=" lines: one function an attribute, found by its name.
#ifndef RTCLAB_STACK_SDP_ATTRIBUTE_PARSER_H_
#define RTCLAB_STACK_SDP_ATTRIBUTE_PARSER_H_

#include <string_view>

#include "stack/sdp/attribute.h"
#include "stack/sdp/scanner.h"

namespace rtclab::sdp {

// Reads "name" or "name:value" up to the end of the line. With `any_case` a known name is known in any case.
bool ReadAttribute(Scanner& in, AttributeValue& out, bool any_case);

// "IN IP4 192.0.2.1" as RFC 8866 section 5.7 has it; with `multicast` also "/127/3" after it.
bool ReadConnectionAddress(Scanner& in, ConnectionAddress& out, bool multicast);

// RFC 8839, 8840, 8122, 8842, 4145 and 8841: attributes of the transport.
bool ReadCandidate(Scanner& in, AttributeValue& out);
bool ReadRemoteCandidates(Scanner& in, AttributeValue& out);
bool ReadIceUfrag(Scanner& in, AttributeValue& out);
bool ReadIcePwd(Scanner& in, AttributeValue& out);
bool ReadIceOptions(Scanner& in, AttributeValue& out);
bool ReadIcePacing(Scanner& in, AttributeValue& out);
bool ReadFingerprint(Scanner& in, AttributeValue& out);
bool ReadSetup(Scanner& in, AttributeValue& out);
bool ReadConnectionReuse(Scanner& in, AttributeValue& out);
bool ReadTlsId(Scanner& in, AttributeValue& out);
bool ReadSctpPort(Scanner& in, AttributeValue& out);
bool ReadMaxMessageSize(Scanner& in, AttributeValue& out);
bool ReadSctpmap(Scanner& in, AttributeValue& out);
bool ReadRtcp(Scanner& in, AttributeValue& out);

// RFC 8866, 4585, 5576, 8285, 8851, 8853: attributes of the media.
bool ReadRtpmap(Scanner& in, AttributeValue& out);
bool ReadFmtp(Scanner& in, AttributeValue& out);
bool ReadRtcpFb(Scanner& in, AttributeValue& out);
bool ReadPtime(Scanner& in, AttributeValue& out);
bool ReadMaxPtime(Scanner& in, AttributeValue& out);
bool ReadSsrc(Scanner& in, AttributeValue& out);
bool ReadSsrcGroup(Scanner& in, AttributeValue& out);
bool ReadExtmap(Scanner& in, AttributeValue& out);
bool ReadRid(Scanner& in, AttributeValue& out);
bool ReadSimulcast(Scanner& in, AttributeValue& out);

}  // namespace rtclab::sdp

#endif  // RTCLAB_STACK_SDP_ATTRIBUTE_PARSER_H_
