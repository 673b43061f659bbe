// The packets of a case in words, with what can only be told from those before them.
#ifndef RTCLAB_CONFORMANCE_REPORT_EXCHANGE_DESCRIBER_H_
#define RTCLAB_CONFORMANCE_REPORT_EXCHANGE_DESCRIBER_H_

#include <map>
#include <string>
#include <tuple>

#include "conformance/engine/exchange.h"
#include "conformance/report/describe.h"

namespace rtclab::conformance {

// Takes the packets of one exchange in their order: it remembers of each stream what an earlier packet left unfinished, and which
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

#endif  // RTCLAB_CONFORMANCE_REPORT_EXCHANGE_DESCRIBER_H_
