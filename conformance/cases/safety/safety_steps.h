// What the safety cases have in common: what they need, whether the server still lives, and which special addresses a run has to leave
// alone.
//
// Two kinds of probes, by what they can make the server do. CreatePermission and ChannelBind make it send nothing: they are tried with a
// fixed list of well-known addresses that nobody should relay to. Whatever could make it send a packet (Send, ChannelData, Connect) is
// only tried with destinations that the user named. All count against the caps of --safety.
#ifndef RTCLAB_CONFORMANCE_CASES_SAFETY_SAFETY_STEPS_H_
#define RTCLAB_CONFORMANCE_CASES_SAFETY_SAFETY_STEPS_H_

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "conformance/engine/case.h"
#include "conformance/engine/message.h"
#include "conformance/engine/test.h"

namespace rtclab::conformance {

Needs SafetyNeeds(std::vector<Feature> features, std::optional<Transport> transport = std::nullopt);

// A safety rule of ours with where it comes from.
Clause SafetyRule(std::string_view source, std::string_view rule);

// The server answers on a fresh 5-tuple, or the case fails: it does not survive `what`.
void ExpectAlive(Test& t, std::string_view what);
// A client of the named transport without a word about what to do when the server refuses: dead is dead.
Client SafetyConnect(Test& t, std::string_view what,
                     std::optional<Transport> transport = std::nullopt);

// Whether this run needs the server to relay into the special range (loopback, private ...) that the address, or the IPv4 address inside it,
// belongs to: the server, or our peers, live there.
bool SafetyRangeInUse(Test& t, const Client& client, const IpAddress& address);

// The family number of REQUESTED-ADDRESS-FAMILY.
uint8_t SafetyFamily(const IpAddress& address);

// "a; b; c"
std::string SafetyJoin(const std::vector<std::string>& parts);

}  // namespace rtclab::conformance

#endif  // RTCLAB_CONFORMANCE_CASES_SAFETY_SAFETY_STEPS_H_
