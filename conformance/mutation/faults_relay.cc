// Faults of permissions, channels and relayed data: RFC 8656 sections 9 to 12.
#include "conformance/mutation/fault.h"

namespace rtclab::conformance {
namespace {

using stun::AttributeType;
using stun::Method;
using turn::ServerQuirks;

constexpr std::string_view kRelayRfc = "8656";

bool IsChannelData(ByteView message) { return message.size() >= 4 && (message[0] & 0xc0) == 0x40; }

void AddPermissionFaults(std::vector<Fault>& faults) {
  const auto add = [&](std::string_view id, std::string_view what, std::string_view section,
                       std::vector<std::string_view> killers, bool ServerQuirks::*quirk) {
    faults.push_back({.id = id,
                      .what = what,
                      .rfc = kRelayRfc,
                      .section = section,
                      .killers = std::move(killers),
                      .quirk = quirk});
  };
  add("permission-never-expires", "keeps permissions for longer than 300 s", "9",
      {"turn.perm.lifetime", "turn.perm.lifetime-channel"},
      &ServerQuirks::permission_never_expires);
  add("permission-not-refreshed", "does not extend a permission by a second request", "9",
      {"turn.perm.refresh"}, &ServerQuirks::permission_not_refreshed);
  add("permission-by-port", "compares the port of a permission", "9", {"turn.perm.ip-only"},
      &ServerQuirks::permission_by_port);
  add("permissions-shared", "lets a peer of one allocation reach all", "9", {"turn.perm.isolation"},
      &ServerQuirks::permissions_shared);
  add("first-peer-only", "installs the first of several permissions only", "10.2",
      {"turn.cp.multi"}, &ServerQuirks::first_peer_only);
  add("send-permission-unchecked", "relays Send indications without a permission", "11.2",
      {"turn.send.no-permission"}, &ServerQuirks::send_permission_unchecked);
  add("peer-permission-unchecked", "lets peers without a permission reach the client", "9",
      {"turn.perm.other-ip"}, &ServerQuirks::peer_permission_unchecked);
  add("initial-permission", "permits the client's own address from the start", "7.2",
      {"turn.alloc.no-initial-permission"}, &ServerQuirks::initial_permission);
  add("data-refreshes-permission", "extends a permission by relayed data", "11.2",
      {"turn.send.no-refresh"}, &ServerQuirks::data_refreshes_permission);
  add("empty-data-dropped", "relays no empty datagrams", "11.2", {"turn.send.empty-data"},
      &ServerQuirks::empty_data_dropped);
  add("send-without-data-relayed", "relays a Send indication without DATA as an empty datagram",
      "11.2", {"turn.send.no-data"}, &ServerQuirks::send_without_data_relayed);
}

void AddChannelFaults(std::vector<Fault>& faults) {
  const auto add = [&](std::string_view id, std::string_view what, std::string_view section,
                       std::vector<std::string_view> killers, bool ServerQuirks::*quirk) {
    faults.push_back({.id = id,
                      .what = what,
                      .rfc = kRelayRfc,
                      .section = section,
                      .killers = std::move(killers),
                      .quirk = quirk});
  };
  add("channel-number-rebindable", "binds a channel that another peer has", "12.2",
      {"turn.chan.number-taken"}, &ServerQuirks::channel_number_rebindable);
  add("channel-peer-rebindable", "binds a peer that has another channel", "12.2",
      {"turn.chan.peer-taken"}, &ServerQuirks::channel_peer_rebindable);
  add("channel-range-unchecked", "binds channel numbers out of range", "12.2",
      {"turn.chan.range-low", "turn.chan.range-high"}, &ServerQuirks::channel_range_unchecked);
  add("channel-without-permission", "installs no permission with a channel", "12.2",
      {"turn.chan.permission"}, &ServerQuirks::channel_without_permission);
  add("channel-never-expires", "keeps channels for longer than ten minutes", "12",
      {"turn.chan.lifetime"}, &ServerQuirks::channel_never_expires);
  add("channel-not-refreshed", "does not extend a channel that is bound once more", "12",
      {"turn.chan.rebind-lifetime"}, &ServerQuirks::channel_not_refreshed);
  add("channel-data-refreshes", "extends a channel by ChannelData", "12.6",
      {"turn.cdata.no-refresh"}, &ServerQuirks::channel_data_refreshes);
  add("short-channel-data-relayed", "relays ChannelData that is shorter than it says", "12.6",
      {"turn.cdata.short"}, &ServerQuirks::short_channel_data_relayed);
  add("channel-padding-relayed", "relays padding over UDP as data", "12.5",
      {"turn.cdata.udp-padding"}, &ServerQuirks::channel_padding_relayed);
  add("indication-despite-channel", "sends Data indications where a channel is bound", "12.5",
      {"turn.data.channel-used"}, &ServerQuirks::indication_despite_channel);
  faults.push_back({.id = "channel-number-wrong",
                    .what = "sends ChannelData with another channel's number",
                    .rfc = kRelayRfc,
                    .section = "12.6",
                    .killers = {"turn.cdata.relay"},
                    .to_client = [](const turn::FiveTuple&, Bytes& message) {
                      if (IsChannelData(message)) message[1] ^= 1;
                      return true;
                    }});
  faults.push_back({.id = "channel-data-unpadded-tcp",
                    .what = "does not pad ChannelData over TCP",
                    .rfc = kRelayRfc,
                    .section = "12.5",
                    .killers = {"turn.cdata.tcp-padding", "turn.cdata.tls-padding"},
                    .to_client = [](const turn::FiveTuple& tuple, Bytes& message) {
                      if (IsChannelData(message) && turn::IsStream(tuple.transport))
                        message.resize(std::size_t{4} + LoadU16(message.data() + 2));
                      return true;
                    }});
  faults.push_back({.id = "channel-length-padded",
                    .what = "counts the padding in the length of ChannelData",
                    .rfc = kRelayRfc,
                    .section = "12.5",
                    .killers = {"turn.cdata.tcp-padding"},
                    .to_client = [](const turn::FiveTuple&, Bytes& message) {
                      if (!IsChannelData(message)) return true;
                      message.resize((message.size() + 3) & ~std::size_t{3});
                      StoreU16(message.data() + 2, static_cast<uint16_t>(message.size() - 4));
                      return true;
                    }});
}

void AddDataFaults(std::vector<Fault>& faults) {
  faults.push_back({.id = "data-changed-to-peer",
                    .what = "changes a byte of what it relays to the peer",
                    .rfc = kRelayRfc,
                    .section = "11.2",
                    .killers = {"turn.send.relay"},
                    .to_peer = [](Transmit& transmit) {
                      if (!transmit.payload.empty()) transmit.payload.back() ^= 1;
                      return true;
                    }});
  faults.push_back({.id = "data-changed-to-client",
                    .what = "changes a byte of what it relays to the client",
                    .rfc = kRelayRfc,
                    .section = "11.3",
                    .killers = {"turn.data.indication"},
                    .from_peer = [](const TransportAddress&, Bytes& payload) {
                      if (!payload.empty()) payload.front() ^= 1;
                      return true;
                    }});
  faults.push_back({.id = "data-truncated",
                    .what = "cuts what it relays to the peer at 64 bytes",
                    .rfc = kRelayRfc,
                    .section = "12.6",
                    .killers = {"turn.cdata.relay"},
                    .to_peer = [](Transmit& transmit) {
                      if (transmit.payload.size() > 64) transmit.payload.resize(64);
                      return true;
                    }});
  faults.push_back({.id = "data-padded-to-peer",
                    .what = "pads what it relays to the peer to four bytes",
                    .rfc = kRelayRfc,
                    .section = "12.6",
                    .killers = {"turn.cdata.relay", "turn.cdata.tcp-relay"},
                    .to_peer = [](Transmit& transmit) {
                      transmit.payload.resize((transmit.payload.size() + 3) & ~std::size_t{3});
                      return true;
                    }});
  faults.push_back({.id = "empty-channel-data-dropped",
                    .what = "sends no datagram for ChannelData of zero bytes",
                    .rfc = kRelayRfc,
                    .section = "12.6",
                    .killers = {"turn.cdata.zero"},
                    .to_peer = [](Transmit& transmit) { return !transmit.payload.empty(); }});
  faults.push_back(
      {.id = "empty-datagram-dropped",
       .what = "drops empty datagrams of peers",
       .rfc = kRelayRfc,
       .section = "11.4",
       .killers = {"turn.data.empty"},
       .from_peer = [](const TransportAddress&, Bytes& payload) { return !payload.empty(); }});
  faults.push_back({.id = "data-indication-peer-wrong",
                    .what = "names a wrong port in XOR-PEER-ADDRESS of Data indications",
                    .rfc = kRelayRfc,
                    .section = "11.3",
                    .killers = {"turn.data.indication"},
                    .response = [](Passing& p) {
                      if (p.message.method != Method::kData) return true;
                      if (auto* peer = p.message.Find(AttributeType::kXorPeerAddress))
                        peer->value[3] ^= 1;
                      return true;
                    }});
  faults.push_back({.id = "data-indication-peer-missing",
                    .what = "sends Data indications without XOR-PEER-ADDRESS",
                    .rfc = kRelayRfc,
                    .section = "11.3",
                    .killers = {"turn.data.indication"},
                    .response = [](Passing& p) {
                      if (p.message.method == Method::kData)
                        p.message.Remove(AttributeType::kXorPeerAddress);
                      return true;
                    }});
  faults.push_back({.id = "icmp-not-reported",
                    .what = "does not tell the client of ICMP errors",
                    .rfc = kRelayRfc,
                    .section = "11.5",
                    .killers = {"turn.icmp.unreach"},
                    .response = [](Passing& p) { return !p.message.Has(AttributeType::kIcmp); }});
  faults.push_back({.id = "icmp-type-missing",
                    .what = "leaves type and code of ICMP zero",
                    .rfc = kRelayRfc,
                    .section = "11.5",
                    .killers = {"turn.icmp.unreach"},
                    .response = [](Passing& p) {
                      if (auto* icmp = p.message.Find(AttributeType::kIcmp))
                        icmp->value.assign(8, 0);
                      return true;
                    }});
  faults.push_back({.id = "relayed-twice-to-peer",
                    .what = "relays every datagram to the peer twice",
                    .rfc = kRelayRfc,
                    .section = "11.2",
                    .killers = {"turn.send.once"},
                    .copies_to_peer = 2});
  faults.push_back({.id = "relayed-twice-to-client",
                    .what = "relays every datagram to the client twice",
                    .rfc = kRelayRfc,
                    .section = "11.3",
                    .killers = {"turn.data.once"},
                    .copies_to_client = 2});
  faults.push_back({.id = "channel-reserved-bits",
                    .what = "refuses CHANNEL-NUMBER with reserved bits",
                    .rfc = kRelayRfc,
                    .section = "18.1",
                    .killers = {"turn.chan.rffu"},
                    .request = [](Passing& p) {
                      auto* number = p.message.Find(AttributeType::kChannelNumber);
                      if (number != nullptr && number->value.size() == 4 &&
                          LoadU16(number->value.data() + 2) != 0) {
                        number->value.assign(4, 0);
                      }
                      return true;
                    }});
  faults.push_back({.id = "refused-peer-ignored",
                    .what = "takes the good peers of a CreatePermission with a malformed one",
                    .rfc = kRelayRfc,
                    .section = "10.2",
                    .killers = {"turn.cp.second-malformed"},
                    .request = [](Passing& p) {
                      std::erase_if(p.message.attributes, [](const StunEdit::Attribute& a) {
                        return a.type == AttributeType::kXorPeerAddress && a.value.size() != 8 &&
                               a.value.size() != 20;
                      });
                      return true;
                    }});
}

}  // namespace

void AddRelayFaults(std::vector<Fault>& faults) {
  AddPermissionFaults(faults);
  AddChannelFaults(faults);
  AddDataFaults(faults);
}

}  // namespace rtclab::conformance
