// Messages arrive whole, in order and once, whatever the path does.
#include <gtest/gtest.h>

#include <numeric>

#include "stack/crypto/digest.h"
#include "stack/sctp/test_util.h"

namespace rtclab::sctp {
namespace {

using test::LinkConfig;
using test::Pair;
using test::Pattern;

TEST(TransferTest, ConnectsAndCarriesOneMessage) {
  Pair pair;
  ASSERT_TRUE(pair.Connect());
  ASSERT_TRUE(pair.a->Send(pair.now, StreamId{3}, 51, {1, 2, 3}));
  ASSERT_TRUE(pair.RunFor(TimeDelta::Seconds(1), [&] { return pair.z.Has<MessageReceived>(); }));
  const auto message = pair.z.Events<MessageReceived>()[0];
  EXPECT_EQ(message.stream, StreamId{3});
  EXPECT_EQ(message.ppid, 51u);
  EXPECT_TRUE(message.ordered);
  EXPECT_EQ(message.payload, (Bytes{1, 2, 3}));
}

// Both directions, three streams, sizes from one byte to many fragments; per stream the order holds.
void Sweep(const AssociationConfig& config, const LinkConfig& link, uint64_t seed) {
  SCOPED_TRACE(testing::Message() << "seed " << seed << " loss " << link.loss);
  Pair pair(config, link, seed);
  ASSERT_TRUE(pair.Connect()) << "handshake";
  std::map<std::pair<bool, StreamId>, std::vector<Bytes>> expected;
  std::size_t count = 0;
  for (uint64_t i = 0; i < 60; ++i) {
    const std::size_t size = i % 7 == 0 ? 20'000 : 1 + 37 * i;
    const StreamId stream{static_cast<uint16_t>(i % 3)};
    const bool from_a = i % 2 == 0;
    Bytes payload = Pattern(size, seed * 1000 + i);
    expected[{from_a, stream}].push_back(payload);
    ASSERT_TRUE((from_a ? pair.a : pair.z)->Send(pair.now, stream, 53, std::move(payload)));
    ++count;
  }
  ASSERT_TRUE(pair.RunFor(TimeDelta::Seconds(3600), [&] {
    return pair.a.Count<MessageReceived>() + pair.z.Count<MessageReceived>() >= count ||
           pair.a.Has<Aborted>() || pair.z.Has<Aborted>();
  })) << "hangs";
  std::map<std::pair<bool, StreamId>, std::vector<Bytes>> received;
  for (const auto& m : pair.z.Events<MessageReceived>())
    received[{true, m.stream}].push_back(m.payload);
  for (const auto& m : pair.a.Events<MessageReceived>())
    received[{false, m.stream}].push_back(m.payload);
  EXPECT_TRUE(received == expected);
}

TEST(TransferTest, SurvivesLossReorderingDuplicationAndCorruption) {
  for (const bool interleaving : {false, true}) {
    for (int percent = 0; percent <= 30; percent += 5) {
      AssociationConfig config;
      config.interleaving = interleaving;
      config.max_init_retransmits = 30;
      config.max_association_retransmits = 50;
      config.rto_min = TimeDelta::Millis(200);
      const double p = percent / 100.0;
      const LinkConfig link{TimeDelta::Millis(20), p, p, p / 2, p / 2};
      Sweep(config, link, static_cast<uint64_t>(percent + 1));
    }
  }
}

}  // namespace
}  // namespace rtclab::sctp
