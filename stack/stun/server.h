// A STUN server over UDP: Binding (RFC 8489 section 12) and NAT behaviour discovery (RFC 5780 section 6).
#ifndef RTCLAB_STACK_STUN_SERVER_H_
#define RTCLAB_STACK_STUN_SERVER_H_

#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "stack/base/datagram.h"
#include "stack/base/rng.h"
#include "stack/base/units.h"
#include "stack/stun/long_term_authenticator.h"
#include "stack/stun/message.h"

namespace rtclab::stun {

// A1:P1 and A2:P2 of RFC 5780 section 6.1; with both, the server also listens on A1:P2 and A2:P1. `alternate` differs from `primary` in
// IP address and in port, not in family.
struct ServerAddresses {
  TransportAddress primary;
  std::optional<TransportAddress> alternate;
};

struct ServerConfig {
  std::vector<ServerAddresses> addresses;  // one entry for a family, or more
  std::string software;                    // SOFTWARE of every response; none when empty
  // Whether requests without the magic cookie, as RFC 3489 clients send, are answered (RFC 5389 section 12.2).
  bool answer_classic = true;
  // The length of PADDING in a response, rounded up to a multiple of 4 (RFC 5780 section 6.1: the outgoing interface's MTU).
  uint16_t mtu = 1500;
  // Whether RESPONSE-PORT is understood, which RFC 5780 section 7.5 leaves open: it lets anybody have a response sent to any port of a
  // host. Off, it is an unknown attribute (420).
  bool response_port = true;
  // Attributes of other uses of the same port, such as TURN's: known, unexpected in a Binding request and so ignored (RFC 8489 section
  // 6.3). Others that require comprehension are 420.
  std::vector<AttributeType> also_known;
  // With both, requests must be authenticated by the long-term mechanism.
  std::optional<LongTermConfig> long_term;
  std::shared_ptr<const CredentialStore> credentials;
  // When not empty, every authenticated request is answered with 300 and these (RFC 8489 section 10). Without `long_term` it has
  // no effect: an unprotected 300 must not be sent (section 14.8).
  std::vector<TransportAddress> redirect_to;
  std::string redirect_domain;
};

// A request has been answered.
struct BindingServed {
  TransportAddress client;       // the source of the request: the reflexive address
  TransportAddress received_at;  // our address it was sent to
  TransportAddress answered_from;
  TransportAddress answered_to;
  int code = 0;  // 0: success, else the error code
};

class Server {
 public:
  using Event = BindingServed;

  Server(ServerConfig config, Rng& rng);

  // Where the driver has to listen.
  std::vector<TransportAddress> ListenAddresses() const;

  // Answers Binding requests that arrive at one of the listen addresses; anything else is ignored.
  void HandlePacket(Timestamp now, const Datagram& packet);
  void HandleTimeout(Timestamp) {}
  std::optional<Transmit> PollTransmit();
  std::optional<Event> PollEvent();
  // The server keeps no state and no timers.
  Timestamp NextTimeout() const { return Timestamp::PlusInfinity(); }

 private:
  struct Route {
    TransportAddress origin;                // where the response goes out
    std::optional<TransportAddress> other;  // OTHER-ADDRESS
    TransportAddress reply_to;
  };

  const ServerAddresses* Find(const TransportAddress& destination) const;
  void HandleClassic(const Datagram& packet, const MessageView& request);
  void HandleRequest(Timestamp now, const Datagram& packet, const ServerAddresses& own,
                     const MessageView& request);
  // The response once the client may have one; sets `route` and `code`.
  Bytes Answer(const Datagram& packet, const ServerAddresses& own, const MessageView& request,
               const Authenticated* client, Route& route, int& code) const;
  Bytes Finish(MessageBuilder& builder, const MessageView& request,
               const Authenticated* client) const;
  void Send(const Datagram& request, const Route& route, Bytes payload, int code);

  std::vector<AttributeType> UnknownIn(const ServerAddresses& own,
                                       const MessageView& request) const;

  ServerConfig config_;
  std::vector<AttributeType> known_;  // but for CHANGE-REQUEST
  std::optional<LongTermAuthenticator> authenticator_;
  std::deque<Transmit> transmits_;
  std::deque<Event> events_;
};

}  // namespace rtclab::stun

#endif  // RTCLAB_STACK_STUN_SERVER_H_
