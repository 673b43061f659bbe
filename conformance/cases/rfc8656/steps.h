// What the cases of RFC 8656 have in common: requests by name, ChannelData as bytes, and checks on what a relay passes on or drops.
#ifndef RTCLAB_CONFORMANCE_CASES_RFC8656_STEPS_H_
#define RTCLAB_CONFORMANCE_CASES_RFC8656_STEPS_H_

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string_view>
#include <vector>

#include "conformance/engine/case.h"
#include "conformance/engine/message.h"
#include "conformance/engine/test.h"

namespace rtclab::conformance {

// RFC 8656 section 18.6.
inline constexpr uint8_t kFamilyIpv4 = 0x01;
inline constexpr uint8_t kFamilyIpv6 = 0x02;
// RFC 8656 section 6.
inline constexpr uint32_t kDefaultLifetime = 600;
// RFC 8656 section 12.
inline constexpr uint16_t kFirstChannel = 0x4000;

// What every case of RFC 8656 needs: an allocation with an IPv4 relayed address, over the named transport.
Needs TurnNeeds(PeerNeed peer = PeerNeed::kNone, std::vector<Feature> more = {});
Needs TurnNeedsOver(Transport transport, PeerNeed peer = PeerNeed::kNone,
                    std::vector<Feature> more = {});
// The same with a user, and with a second one (`two`).
Needs TurnNeedsUser(bool two = false, PeerNeed peer = PeerNeed::kNone);

Request TurnRefresh(std::optional<uint32_t> lifetime_s = std::nullopt);
Request TurnPermission();
Request TurnPermission(const TransportAddress& peer);
Request TurnChannelBind(uint16_t number, const TransportAddress& peer);
Request TurnSend(const TransportAddress& peer, ByteView data);  // an indication
// A header with this number and the length of `data`, `data`, and so many zeros behind it.
Bytes ChannelDataBytes(uint16_t number, ByteView data, std::size_t padding = 0);
// The same padded to a multiple of four bytes, as on a stream.
Bytes PaddedChannelData(uint16_t number, ByteView data);

// Learns realm and nonce without making an allocation: an unsigned Allocate that lacks REQUESTED-TRANSPORT. Nothing is learnt from a
// server without authentication.
void LearnChallenge(Client& client);

// LIFETIME of a success response; a response that is none, or lacks it, fails the case.
uint32_t LifetimeIn(Test& t, const Response& response, std::string_view what);
// A server may tell what is left of a lifetime a moment later, in whole seconds: one less is the same.
constexpr bool LifetimeIs(uint32_t told, uint32_t wanted) {
  return told == wanted || told + 1 == wanted;
}
// The only XOR-RELAYED-ADDRESS of an Allocate success response; anything else fails the case.
TransportAddress RelayedIn(Test& t, const Response& response, std::string_view what);

// Clients on 5-tuples of their own, each with an allocation.
struct Allocated {
  Client client;
  Allocation allocation;
};
Allocated ConnectAndAllocate(Test& t, const Request& request = AllocateRequest());
// As many as `count`, where the user's quota allows that.
std::vector<Allocated> AllocateMany(Test& t, int count);
// Whether the server has closed the client's stream, as it may do when an allocation ends.
bool StreamClosed(const Client& client);
// Deletes the client's allocation and makes another on the same 5-tuple, with some patience: how soon that works is a case of its own.
Allocation ReleaseAndAllocate(Test& t, Client& client);

// The next data at the peer (the client) has these bytes. Other data before it is what must not be relayed, called `forbidden`. When
// nothing comes the relay does not work at all, and the case is blocked.
Peer::Received ExpectNextAtPeer(Test& t, Peer& peer, ByteView data, std::string_view forbidden);
RelayedData ExpectNextAtClient(Test& t, Client& client, ByteView data, std::string_view forbidden);

// What was sent before, called `what`, is relayed to nobody and answered with nothing: a Send indication that follows it arrives
// first. The client has a permission for the peer.
void ExpectDropped(Test& t, Client& client, Peer& peer, std::string_view what);

// Data goes from the client to the peer with a Send indication, and back.
void ExpectBothWays(Test& t, Client& client, const Allocation& allocation, Peer& peer);

// Waits until `at`, with a Binding request now and then on each 5-tuple so that no address translator and no idle timer between us and
// the server forgets it. Binding requests refresh nothing in TURN.
void IdleUntil(Test& t, std::initializer_list<Client*> clients, Timestamp at);

}  // namespace rtclab::conformance

#endif  // RTCLAB_CONFORMANCE_CASES_RFC8656_STEPS_H_
