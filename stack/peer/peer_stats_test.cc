// getStats(): the objects are there, refer to each other, and count what happened.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "stack/peer/peer_lab_test_util.h"

namespace rtclab::peer {
namespace {

struct Call {
  Call() {
    CHECK(lab.a().CreateDataChannel(lab.now(), {.label = "chat"}).has_value());
    for (int i : {0, 1}) {
      CHECK(lab.side(i).pc.AddTrack(lab.now(), MediaTrack::Audio("mic")).has_value());
      CHECK(lab.side(i).pc.AddTrack(lab.now(), MediaTrack::Video("cam")).has_value());
    }
    CHECK(lab.Connect());
    lab.RunFor(TimeDelta::Seconds(10));
  }
  PeerLab lab;
};

TEST(PeerStatsTest, EveryReferenceIsToAnObjectOfTheRightKind) {
  Call call;
  const std::pair<std::string_view, StatsType> references[] = {
      {"transportId", StatsType::kTransport},
      {"codecId", StatsType::kCodec},
      {"localCandidateId", StatsType::kLocalCandidate},
      {"remoteCandidateId", StatsType::kRemoteCandidate},
      {"selectedCandidatePairId", StatsType::kCandidatePair},
      {"localCertificateId", StatsType::kCertificate},
      {"remoteCertificateId", StatsType::kCertificate},
      {"mediaSourceId", StatsType::kMediaSource},
      {"playoutId", StatsType::kMediaPlayout}};
  for (PeerConnection* pc : {&call.lab.a(), &call.lab.b()}) {
    const StatsReport report = pc->GetStats(call.lab.now());
    std::set<std::string> ids;
    std::size_t checked = 0;
    StatsType last = StatsType::kPeerConnection;
    for (const Stats& s : report.entries) {
      EXPECT_TRUE(ids.insert(s.id).second) << s.id;
      EXPECT_GE(s.type, last);
      last = s.type;
      for (const auto& [name, type] : references) {
        const std::string_view id = s.Text(name);
        if (id.empty()) continue;
        ++checked;
        const Stats* other = report.Find(id);
        ASSERT_NE(other, nullptr) << s.id << "." << name;
        EXPECT_EQ(other->type, type) << s.id << "." << name;
      }
      if (const std::string_view remote = s.Text("remoteId"); !remote.empty()) {
        const Stats* other = report.Find(remote);
        ASSERT_NE(other, nullptr) << s.id;
        EXPECT_EQ(other->Text("localId"), s.id);
        EXPECT_EQ(other->Number("ssrc"), s.Number("ssrc"));
        ++checked;
      }
    }
    EXPECT_GT(checked, 20u);
    for (const StatsType type :
         {StatsType::kPeerConnection, StatsType::kCertificate, StatsType::kTransport,
          StatsType::kLocalCandidate, StatsType::kRemoteCandidate, StatsType::kCandidatePair,
          StatsType::kDataChannel, StatsType::kCodec, StatsType::kMediaSource,
          StatsType::kOutboundRtp, StatsType::kInboundRtp, StatsType::kRemoteInboundRtp,
          StatsType::kRemoteOutboundRtp, StatsType::kMediaPlayout}) {
      EXPECT_FALSE(report.OfType(type).empty()) << ToString(type);
    }
  }
}

TEST(PeerStatsTest, OneSidesSentIsTheOthersReceived) {
  Call call;
  PeerLab& lab = call.lab;
  lab.filter = [](int, Transmit&) { return true; };
  const StatsReport a = lab.a().GetStats(lab.now()), b = lab.b().GetStats(lab.now());
  ASSERT_EQ(a.OfType(StatsType::kOutboundRtp).size(), 2u);
  for (const Stats* out : a.OfType(StatsType::kOutboundRtp)) {
    const auto inbound = b.OfType(StatsType::kInboundRtp);
    const auto in = std::find_if(inbound.begin(), inbound.end(), [out](const Stats* s) {
      return s->Number("ssrc") == out->Number("ssrc");
    });
    ASSERT_NE(in, inbound.end());
    // A few are on their way.
    EXPECT_NEAR(*(*in)->Number("packetsReceived"), *out->Number("packetsSent"), 20);
    EXPECT_EQ((*in)->Number("packetsLost"), 0);
    EXPECT_EQ((*in)->Text("mid"), out->Text("mid"));
    EXPECT_EQ((*in)->Text("kind"), out->Text("kind"));
  }
  for (const Stats* remote : a.OfType(StatsType::kRemoteInboundRtp))
    EXPECT_NEAR(remote->Number("roundTripTime").value_or(0), 0.020, 0.005);
  const Stats* transport = a.OfType(StatsType::kTransport)[0];
  EXPECT_EQ(transport->Text("iceState"), "completed");
  EXPECT_EQ(transport->Text("iceRole"), "controlling");
  EXPECT_EQ(transport->Text("dtlsState"), "connected");
  EXPECT_EQ(transport->Text("dtlsRole"), "server");
  EXPECT_EQ(transport->Text("srtpCipher"), "SRTP_AEAD_AES_128_GCM");
  const Stats* pair = a.Find(transport->Text("selectedCandidatePairId"));
  ASSERT_NE(pair, nullptr);
  EXPECT_EQ(pair->Number("nominated"), 1);
  EXPECT_EQ(pair->Text("state"), "succeeded");
  EXPECT_NEAR(pair->Number("currentRoundTripTime").value_or(0), 0.020, 0.005);
  EXPECT_GT(pair->Number("availableOutgoingBitrate").value_or(0), 0);
  const Stats* channel = a.OfType(StatsType::kDataChannel)[0];
  EXPECT_EQ(channel->Text("label"), "chat");
  EXPECT_EQ(channel->Text("state"), "open");
  EXPECT_EQ(a.OfType(StatsType::kPeerConnection)[0]->Number("dataChannelsOpened"), 1);
}

TEST(PeerStatsTest, IdsStayFromReportToReportAndBeforeAnythingIsThere) {
  Call call;
  const StatsReport first = call.lab.a().GetStats(call.lab.now());
  call.lab.RunFor(TimeDelta::Seconds(2));
  const StatsReport second = call.lab.a().GetStats(call.lab.now());
  ASSERT_EQ(first.entries.size(), second.entries.size());
  for (std::size_t i = 0; i < first.entries.size(); ++i)
    EXPECT_EQ(first.entries[i].id, second.entries[i].id);
  Rng rng(1);
  PeerConnection fresh(LabPeerConfig(), rng, Timestamp::Zero());
  const StatsReport empty = fresh.GetStats(Timestamp::Zero());
  ASSERT_EQ(empty.entries.size(), 2u);
  EXPECT_EQ(empty.entries[0].Number("dataChannelsOpened"), 0);
  EXPECT_EQ(empty.entries[1].Text("fingerprintAlgorithm"), "sha-256");
}

}  // namespace
}  // namespace rtclab::peer
