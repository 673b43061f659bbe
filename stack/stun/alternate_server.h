// The ALTERNATE-SERVER mechanism (RFC 8489 section 10): where a client goes after a 300 response, and how a server says so.
#ifndef RTCLAB_STACK_STUN_ALTERNATE_SERVER_H_
#define RTCLAB_STACK_STUN_ALTERNATE_SERVER_H_

#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "stack/base/units.h"
#include "stack/stun/message.h"
#include "stack/stun/message_builder.h"

namespace rtclab::stun {

// Where to send the request again, over the same transport protocol and with the same credentials.
struct Redirect {
  TransportAddress server;
  // Over TLS or DTLS: the name to check the certificate against; empty: the name of the original request.
  std::string domain;
};

// Remembers which servers a client has asked, so that servers that point at each other are not followed in circles.
class RedirectGuard {
 public:
  // To be called whenever a request is sent to `server`.
  void Asked(Timestamp now, const TransportAddress& server);
  // `response` is a 300 error response from `server` whose integrity the caller has checked (section 14.8). Gives the first
  // ALTERNATE-SERVER of `server`'s family; nullopt when there is none or when it was asked within the last five minutes, and then
  // the transaction has failed.
  std::optional<Redirect> Follow(Timestamp now, const MessageView& response,
                                 const TransportAddress& server);

 private:
  std::map<TransportAddress, Timestamp> asked_;
};

// Adds one ALTERNATE-SERVER for each of `servers`, those of the client's family first (section 10: the first must be of it), and
// ALTERNATE-DOMAIN when `domain` is not empty.
void AddAlternateServers(MessageBuilder& response, AddressFamily client_family,
                         std::span<const TransportAddress> servers, std::string_view domain = {});

}  // namespace rtclab::stun

#endif  // RTCLAB_STACK_STUN_ALTERNATE_SERVER_H_
