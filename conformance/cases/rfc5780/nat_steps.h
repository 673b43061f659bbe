// Steps that the cases of RFC 5780 share. The server's second address is only sent to where the user has named it; what comes from there
// is another matter, and may be kept away by a NAT or firewall before us, which is no fault of the server's.
#ifndef RTCLAB_CONFORMANCE_CASES_RFC5780_NAT_STEPS_H_
#define RTCLAB_CONFORMANCE_CASES_RFC5780_NAT_STEPS_H_

#include <optional>
#include <string>

#include "conformance/engine/test.h"

namespace rtclab::conformance {

struct NatFlags {
  bool ip = false, port = false;
  // "CHANGE-REQUEST with change IP", ...
  std::string Text() const;
};
inline constexpr NatFlags kNatAllFlags[] = {
    {false, false}, {false, true}, {true, false}, {true, true}};

// A Binding success response, or the case is blocked.
Response NatBinding(Test& t, Client& client);
// Whether a Binding response shows that the server is one of RFC 5780, with a second address or without: RESPONSE-ORIGIN or OTHER-ADDRESS.
bool NatIsDiscovery(const Response& response);
// OTHER-ADDRESS of a Binding response, or the case is blocked.
TransportAddress NatOther(Test& t, Client& client);
// Where the server sees us; the case is blocked when it does not say.
TransportAddress NatMapped(Test& t, Client& client);

// Where the answer to CHANGE-REQUEST with `flags` has to come from (RFC 5780 section 6.1, table 1).
TransportAddress NatSource(const Client& client, const TransportAddress& other, NatFlags flags);
// Makes a NAT or firewall before us let in what comes from `source`; false when that needs an address that was not named.
bool NatLetIn(Test& t, Client& client, const TransportAddress& source);
// A Binding request with CHANGE-REQUEST and its answer; nothing when there is none and something before us may have kept it away.
std::optional<Response> NatChange(Test& t, Client& client, const TransportAddress& other,
                                  NatFlags flags);

}  // namespace rtclab::conformance

#endif  // RTCLAB_CONFORMANCE_CASES_RFC5780_NAT_STEPS_H_
