// Packets in words: a STUN message with every attribute by its registry name, ChannelData, pieces of a stream, or bytes that are none of
// these with the place where reading them failed. One line a string, safe to print: what a server sent cannot steer a terminal.
#ifndef RTCLAB_CONFORMANCE_REPORT_DESCRIBE_H_
#define RTCLAB_CONFORMANCE_REPORT_DESCRIBE_H_

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "stack/base/bytes.h"

namespace rtclab::conformance {

using Lines = std::vector<std::string>;

// One datagram or record. The first line says what it is ("Allocate error response, 401 "Unauthenticated", 84 bytes"), the others are
// its parts, indented by two. Bytes that don't read as what their first byte claims: the reason, its offset, what could be read before
// it, and a dump.
Lines DescribeDatagram(ByteView bytes);

// The same for bytes of a stream that begin with a message: each message in turn, then what is left, as incomplete or as a fault.
Lines DescribeStream(ByteView bytes);

// A stream as far as it goes by itself.
struct StreamPieces {
  Lines lines;        // its complete messages, and a fault
  ByteView rest;      // behind them: the begin of a message, or with `bound` anything
  bool lost = false;  // a fault: nothing can be told of what follows
  bool bound =
      false;  // the last one is a ConnectionBind success response: data follows (RFC 6062 section 4.4)
};
StreamPieces DescribePieces(ByteView stream);
// "incomplete: 10 of 28 bytes of a STUN message". `rest` is not empty and begins like a message.
std::string DescribeIncomplete(ByteView rest);

// Application data, named `what`: its size and first bytes.
Lines DescribeData(ByteView bytes, std::string_view what);

// Sixteen bytes a line with offset and text; at most `most` bytes, around `fault` where there is one, whose line is marked.
Lines HexDump(ByteView bytes, std::optional<std::size_t> fault = std::nullopt,
              std::size_t most = 256);

std::string BytesText(std::size_t bytes);  // "1 byte", "28 bytes"
void Append(Lines& lines, Lines&& more, std::string_view indent = {});

}  // namespace rtclab::conformance

#endif  // RTCLAB_CONFORMANCE_REPORT_DESCRIBE_H_
