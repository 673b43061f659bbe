// A peer that has the keys and is hostile all the same: what it says inside DTLS, and what it says again. The connection ends with
// a named reason or goes on, and keeps nothing.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "stack/peer/peer_lab_test_util.h"
#include "stack/sctp/association.h"
#include "stack/sctp/chunks_setup.h"
#include "stack/sctp/packet.h"

namespace rtclab::peer {
namespace {

using datachannel::ChannelId;

constexpr std::size_t kSctpHeader = 12;

bool IsDtlsData(const Transmit& t) { return !t.payload.empty() && t.payload[0] == 23; }

std::optional<std::string> FailureOf(PeerConnection& pc) {
  return pc.failure() ? std::optional(pc.failure()->reason) : std::nullopt;
}

// One SCTP packet over the DTLS of a's: what a peer sends whose SCTP is its own.
void SendSctp(PeerLab& lab, const Bytes& packet) {
  auto* transport = const_cast<PeerTransport*>(lab.a().transport(lab.a().transports()[0]));
  CHECK(transport->SendData(lab.now(), packet));
  lab.DrainAll();
}

Bytes SctpInit(uint32_t tag, uint32_t tsn) {
  Bytes packet = sctp::BeginPacket({5000, 5000, 0}, 64);
  sctp::InitChunk init;
  init.initiate_tag = tag;
  init.a_rwnd = 65'536;
  init.outbound_streams = init.inbound_streams = 16;
  init.initial_tsn = tsn;
  init.AppendTo(packet, sctp::ChunkType::kInit);
  sctp::WriteChecksum(packet);
  return packet;
}

ChannelId MakeChannel(PeerLab& lab) {
  return *lab.a().CreateDataChannel(lab.now(), {.label = "data"});
}
bool BothOpen(PeerLab& lab) {
  return !lab.Events<datachannel::ChannelOpen>(0).empty() &&
         !lab.Events<datachannel::ChannelOpen>(1).empty();
}
// A message of a's arrives at b as it was sent.
void ExpectChannelWorks(PeerLab& lab, ChannelId channel) {
  const std::size_t before = lab.Events<datachannel::MessageReceived>(1).size();
  Bytes message(20'000);
  Rng content(before, "content");
  content.Fill(message);
  ASSERT_TRUE(lab.a().Send(lab.now(), channel, true, message));
  ASSERT_TRUE(
      lab.RunUntil([&] { return lab.Events<datachannel::MessageReceived>(1).size() > before; },
                   TimeDelta::Seconds(10)));
  EXPECT_EQ(lab.Events<datachannel::MessageReceived>(1).back().payload, message);
}

// RFC 9260 section 5.1: an INIT is answered and forgotten; section 5.2.2 the same where there is an association.
TEST(PeerHostileTest, AFloodOfInitsNeitherStopsTheSetUpNorTheChannel) {
  PeerLab lab;
  const ChannelId channel = MakeChannel(lab);
  ASSERT_TRUE(lab.RunUntil([&] { return lab.a().timeline().dtls_connected.has_value(); }));
  ASSERT_FALSE(lab.b().timeline().sctp_connected);
  for (uint32_t i = 1; i <= 2000; ++i) SendSctp(lab, SctpInit(i * 7919, i));
  ASSERT_TRUE(lab.RunUntil([&] { return BothOpen(lab); }, TimeDelta::Seconds(10)));
  ExpectChannelWorks(lab, channel);
  const uint64_t answered = lab.b().association()->metrics().packets_sent;
  for (uint32_t i = 1; i <= 2000; ++i) SendSctp(lab, SctpInit(i * 104'729, i));
  lab.RunFor(TimeDelta::Seconds(1));
  // One answer each, no more: nothing is kept that would be sent again.
  EXPECT_LE(lab.b().association()->metrics().packets_sent, answered + 2010);
  EXPECT_EQ(lab.b().association()->state(), sctp::State::kEstablished);
  EXPECT_TRUE(lab.Events<datachannel::TransportRestarted>(1).empty());
  ExpectChannelWorks(lab, channel);
  EXPECT_EQ(FailureOf(lab.b()), std::nullopt);
}

TEST(PeerHostileTest, GarbageInsideDtlsIsCountedAndTheChannelWorks) {
  PeerLab lab;
  const ChannelId channel = MakeChannel(lab);
  ASSERT_TRUE(lab.RunUntil([&] { return BothOpen(lab); }));
  Rng garbage(5, "garbage");
  for (int i = 0; i < 3000; ++i) {
    Bytes packet(garbage.Uniform(1, 400));
    garbage.Fill(packet);
    if (i % 3 != 0 && packet.size() >= kSctpHeader + 4) {
      // Right ports and a right checksum, so that chunks are read.
      std::copy_n(Bytes{0x13, 0x88, 0x13, 0x88}.begin(), 4, packet.begin());
      std::fill_n(packet.begin() + 8, 4, uint8_t{0});
      packet[kSctpHeader + 2] = static_cast<uint8_t>((packet.size() - kSctpHeader) >> 8);
      packet[kSctpHeader + 3] = static_cast<uint8_t>(packet.size() - kSctpHeader);
      if (i % 3 == 1) packet[kSctpHeader] = static_cast<uint8_t>(garbage.Uniform(0, 15));
      sctp::WriteChecksum(packet);
    }
    SendSctp(lab, packet);
    if (i % 100 == 0) lab.RunFor(TimeDelta::Millis(5));
  }
  lab.RunFor(TimeDelta::Seconds(1));
  const sctp::Metrics metrics = lab.b().association()->metrics();
  EXPECT_GT(metrics.dropped_for(sctp::DropReason::kBadTag), 500u);
  EXPECT_GT(metrics.dropped_for(sctp::DropReason::kBadChecksum) +
                metrics.dropped_for(sctp::DropReason::kTruncated) +
                metrics.dropped_for(sctp::DropReason::kWrongPort),
            500u);
  ExpectChannelWorks(lab, channel);
  EXPECT_TRUE(lab.BothConnected());
  EXPECT_EQ(FailureOf(lab.b()), std::nullopt);
}

TEST(PeerHostileTest, ADataTransportThatIsNeverAnsweredIsANamedFailure) {
  PeerLab lab;
  MakeChannel(lab);
  lab.filter = [](int sender, Transmit& t) { return sender == 0 || !IsDtlsData(t); };
  ASSERT_TRUE(lab.RunUntil([&] { return lab.a().failure().has_value(); }, TimeDelta::Seconds(180)));
  EXPECT_THAT(*FailureOf(lab.a()), testing::AnyOf("sctp-init_timeout", "sctp-cookie_timeout"));
  // ICE and DTLS are up: media would go on.
  EXPECT_EQ(lab.a().connection_state(), ConnectionState::kConnected);
  EXPECT_EQ(lab.Events<datachannel::ChannelClosed>(0).size(), 1u);
}

TEST(PeerHostileTest, APeerThatStopsToAcknowledgeIsANamedFailure) {
  PeerLab lab;
  const ChannelId channel = MakeChannel(lab);
  ASSERT_TRUE(lab.RunUntil([&] { return BothOpen(lab); }));
  lab.filter = [](int sender, Transmit& t) { return sender == 0 || !IsDtlsData(t); };
  ASSERT_TRUE(lab.a().Send(lab.now(), channel, true, Bytes(100'000)));
  ASSERT_TRUE(lab.RunUntil([&] { return lab.a().failure().has_value(); }, TimeDelta::Seconds(180)));
  EXPECT_EQ(FailureOf(lab.a()), "sctp-peer_unreachable");
  EXPECT_EQ(lab.Events<datachannel::ChannelClosed>(0).size(), 1u);
}

// Everything that was ever sent, once more and a second time in another order: STUN with its credentials, handshake, records.
TEST(PeerHostileTest, AWholeSessionSaidAgainChangesNothing) {
  PeerLab lab;
  const ChannelId channel = MakeChannel(lab);
  ASSERT_TRUE(lab.a().AddTrack(lab.now(), MediaTrack::Audio("mic")));
  std::vector<Transmit> said;
  lab.filter = [&said](int sender, Transmit& t) {
    if (sender == 0 && said.size() < 2000) said.push_back(t);
    return true;
  };
  ASSERT_TRUE(lab.RunUntil([&] { return BothOpen(lab) && lab.b().timeline().first_frame; }));
  ExpectChannelWorks(lab, channel);
  lab.filter = {};
  const std::size_t messages = lab.Events<datachannel::MessageReceived>(1).size();
  const std::size_t changes = lab.Events<DtlsTransportChanged>(1).size();
  for (std::size_t i = 0; i < 2 * said.size(); ++i) {
    const Transmit& t = said[i * 7919 % said.size()];
    lab.b().HandlePacket(lab.now(), {t.source, t.destination, t.payload});
    if (i % 20 == 0) lab.RunFor(TimeDelta::Millis(1));
  }
  lab.RunFor(TimeDelta::Seconds(2));
  EXPECT_TRUE(lab.BothConnected());
  EXPECT_EQ(lab.Events<datachannel::MessageReceived>(1).size(), messages);
  EXPECT_EQ(lab.Events<DtlsTransportChanged>(1).size(), changes);
  EXPECT_EQ(FailureOf(lab.b()), std::nullopt);
  ExpectChannelWorks(lab, channel);
}

// Descriptions and candidates that make no sense, in the middle of a call.
TEST(PeerHostileTest, GarbageInSignallingIsRefusedByNameAndTheCallGoesOn) {
  PeerLab lab;
  const ChannelId channel = MakeChannel(lab);
  ASSERT_TRUE(lab.a().AddTrack(lab.now(), MediaTrack::Video("cam")));
  ASSERT_TRUE(lab.RunUntil([&] { return BothOpen(lab) && lab.b().timeline().first_frame; }));
  const std::string good = lab.b().remote_description()->sdp;
  Rng garbage(11, "garbage");
  int refused = 0;
  for (int i = 0; i < 300; ++i) {
    std::string text = good;
    switch (i % 3) {
      case 0:
        text.resize(garbage.Uniform(0, text.size() - 1));
        break;
      case 1:
        for (int k = 0; k < 5; ++k)
          text[garbage.Uniform(0, text.size() - 1)] = static_cast<char>(garbage.Uniform(1, 255));
        break;
      default:
        text.erase(garbage.Uniform(0, text.size() / 2), garbage.Uniform(1, text.size() / 2));
    }
    const auto set = lab.b().SetRemoteDescription(lab.now(), {SdpType::kOffer, text});
    if (!set) {
      ++refused;
      EXPECT_EQ(lab.b().signaling_state(), SignalingState::kStable);
      EXPECT_FALSE(set.error().message.empty());
    } else {
      ASSERT_TRUE(lab.b().SetRemoteDescription(lab.now(), {SdpType::kRollback, ""}));
    }
    (void)lab.b().AddIceCandidate(lab.now(), {.candidate = text.substr(0, 80), .sdp_mid = "0"});
    if (i % 50 == 0) lab.RunFor(TimeDelta::Millis(20));
  }
  EXPECT_GT(refused, 200);
  EXPECT_TRUE(lab.BothConnected());
  ExpectChannelWorks(lab, channel);
  EXPECT_EQ(FailureOf(lab.b()), std::nullopt);
}

// A peer may open as many channels as were agreed and not one more, and each costs little.
TEST(PeerHostileTest, ChannelsBeyondTheLimitAreNotOpened) {
  PeerConfig few = LabPeerConfig();
  few.max_channels = 16;
  PeerLab lab(LabPeerConfig(), few);
  MakeChannel(lab);
  ASSERT_TRUE(lab.RunUntil([&] { return BothOpen(lab); }));
  int made = 1;
  for (int i = 0; i < 200; ++i)
    made += lab.a().CreateDataChannel(lab.now(), {.label = "more"}) ? 1 : 0;
  lab.RunFor(TimeDelta::Seconds(2));
  EXPECT_LE(made, 16);
  EXPECT_EQ(lab.Events<datachannel::ChannelAnnounced>(1).size(), static_cast<std::size_t>(made));
  EXPECT_TRUE(lab.BothConnected());
}

}  // namespace
}  // namespace rtclab::peer
