// Packets in words: a STUN message with every attribute by its registry name, ChannelData, pieces of a stream, or bytes that are none of
// these with the place where reading them failed. One line a string, safe to print: what a server sent cannot steer a terminal.
#ifndef RTCLAB_CONFORMANCE_REPORT_DESCRIBE_H_
#define RTCLAB_CONFORMANCE_REPORT_DESCRIBE_H_

#include <map>
#include <string>
#include <tuple>
#include <vector>

#include "conformance/engine/exchange.h"
#include "stack/base/bytes.h"

namespace rtclab::conformance {

using Lines = std::vector<std::string>;

// One datagram or record. The first line says what it is ("Allocate error response, 401 Unauthenticated, 84 bytes"), the others are
// its parts, indented by two. Bytes that don't read as what their first byte claims: the reason, its offset, what could be read before
// it, and a dump.
Lines DescribeDatagram(ByteView bytes);

// The same for bytes of a stream that begin with a message: each message in turn, then what is left, as incomplete or as a fault.
Lines DescribeStream(ByteView bytes);

// Sixteen bytes a line with offset and text; at most `most` bytes, around `fault` where there is one, whose line is marked.
Lines HexDump(ByteView bytes, std::optional<std::size_t> fault = std::nullopt,
              std::size_t most = 256);

// Describes the packets of one exchange in their order: it remembers of each stream what an earlier packet left unfinished, and which
// connections carry relayed data since a ConnectionBind (RFC 6062 section 4.4).
class ExchangeDescriber {
 public:
  // "12.345 ms  client 127.0.0.1:50000 -> 127.0.0.1:3478  udp  28 bytes", or the note of an event.
  static std::string Head(const Packet& packet);
  // What it holds; empty for an event.
  Lines Body(const Packet& packet);

 private:
  using End = std::tuple<std::string, TransportAddress, TransportAddress>;
  struct Stream {
    Bytes pending[2];  // received, sent
    bool lost[2] = {false, false};
    bool data = false;
  };
  Lines StreamPiece(const Packet& packet);

  std::map<End, Stream> streams_;
};

// Head, then body indented, of every packet.
Lines DescribeExchange(const Exchange& exchange);

}  // namespace rtclab::conformance

#endif  // RTCLAB_CONFORMANCE_REPORT_DESCRIBE_H_
