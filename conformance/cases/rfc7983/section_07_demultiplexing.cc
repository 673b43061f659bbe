// RFC 7983 section 7 and RFC 8656 section 12: telling protocols apart by the first byte.
#include <fmt/format.h>

#include "conformance/cases/rfc8489/stun_steps.h"
#include "conformance/cases/sections.h"

namespace rtclab::conformance {
namespace {

// Unassigned methods (RFC 8489 section 18.2), one below 0x080 and the first whose request begins with a byte of 2.
constexpr auto kDemuxLowMethod = static_cast<stun::Method>(0x00e);
constexpr auto kDemuxHighMethod = static_cast<stun::Method>(0x080);

// All that could be taken for a Binding request but for the first byte.
void DemuxFirstByte(Test& t) {
  struct Range {
    int first, last;
  };
  for (const Range range : {Range{4, 15}, Range{80, 127}, Range{192, 255}}) {
    Client client = t.Connect();
    for (int first = range.first; first <= range.last; ++first) {
      Bytes packet = RawStun(t, kBindingRequestType);
      packet[0] = static_cast<uint8_t>(first);
      client.SendRaw(packet);
    }
    t.ExpectSilence(client,
                    fmt::format("datagrams that begin with {} to {}", range.first, range.last));
  }
}

bool DemuxStreamSurvives(Test& t, stun::MessageClass message_class, stun::Method method) {
  Client client = t.Connect();
  client.SendRaw(RawStun(t, stun::EncodeMessageType(message_class, method)));
  if (client.Once(BindingRequest().Unsigned())) return true;
  return client.open() && client.Once(AllocateRequest().Unsigned()).received();
}

// Over a stream it shows whether a message was taken for STUN: what follows it is then found.
void DemuxStun2And3(Test& t) {
  for (const auto message_class :
       {stun::MessageClass::kRequest, stun::MessageClass::kSuccessResponse}) {
    if (!DemuxStreamSurvives(t, message_class, kDemuxLowMethod)) {
      t.Skip("the server ends a stream on every message that it does not know");
    }
    const int first = stun::EncodeMessageType(message_class, kDemuxHighMethod) >> 8;
    t.Expect(DemuxStreamSurvives(t, message_class, kDemuxHighMethod),
             fmt::format("a message that begins with {} is taken for STUN, and a request behind it "
                         "answered",
                         first),
             "no answer, unlike behind a message that begins with " + std::to_string(first - 2));
  }
}

void DemuxDtlsSamePort(Test& t) {
  const auto& endpoints = t.target().endpoints;
  const auto udp = endpoints.find({Transport::kUdp, t.target().family});
  if (udp == endpoints.end()) t.Skip("no UDP endpoint is known");
  Client plain = t.Connect({.transport = Transport::kUdp});
  Client secure =
      t.Connect({.transport = Transport::kDtls, .server = udp->second, .must_open = false});
  t.Info(fmt::format("port {} serves {}", udp->second.port,
                     secure.open() ? "STUN over DTLS beside STUN over UDP" : "no DTLS"));
}

}  // namespace

void AddRfc7983(CaseList& cases) {
  Case first_byte{
      .id = "demux.first-byte",
      .title = "Datagrams whose first byte is reserved are dropped",
      .clauses = {{"8656", "12", Level::kMust,
                   "Reserved; MUST be dropped and an alert MAY be logged"},
                  {"7983", "7", Level::kMust,
                   "If the value does not match any known range, then the packet MUST be dropped "
                   "and an alert MAY be logged."}},
      .edition = Edition::kCurrent,
      .run = DemuxFirstByte};
  first_byte.needs.transport = Transport::kUdp;
  cases.push_back(std::move(first_byte));

  Case two_and_three{
      .id = "demux.stun-2-3",
      .title = "First bytes of 2 and 3 are STUN as well",
      .clauses = {{"7983", "3", Level::kProse,
                   "To preserve the Designated Expert range, this document allocates "
                   "the values 2 and 3 to also identify STUN methods."}},
      .run = DemuxStun2And3};
  two_and_three.needs.transport = Transport::kTcp;
  two_and_three.needs.features = {Feature::kTcpTransport};
  cases.push_back(std::move(two_and_three));

  Case same_port{
      .id = "demux.dtls-same-port",
      .title = "Whether DTLS is served on the port of UDP",
      .clauses = {{"8489", "8.1", Level::kInfo, "Servers can run STUN over DTLS on the same port"}},
      .run = DemuxDtlsSamePort};
  same_port.needs.features = {Feature::kUdpTransport, Feature::kDtlsTransport};
  cases.push_back(std::move(same_port));
}

}  // namespace rtclab::conformance
