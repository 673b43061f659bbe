// The same seed gives the same bytes.
#include <gtest/gtest.h>

#include "stack/crypto/digest.h"
#include "stack/dtls/dtls_test_util.h"

namespace rtclab::dtls {
namespace {

// All datagrams of a handshake and of some data in both directions.
std::vector<Bytes> Conversation(TestPair& pair) {
  EXPECT_TRUE(pair.Connect());
  EXPECT_TRUE(pair.client->Send(pair.now, Bytes(500, 1)));
  EXPECT_TRUE(pair.server->Send(pair.now, Bytes(700, 2)));
  pair.client->Close(pair.now);
  pair.RunIdle();
  std::vector<Bytes> datagrams;
  for (const auto& sent : pair.sent) datagrams.push_back(sent.datagram);
  return datagrams;
}

TestPair::Options WithSeed(uint64_t seed) {
  TestPair::Options options;
  options.seed = seed;
  return options;
}

TEST(DeterminismTest, OneSeedOneConversation) {
  TestPair first(WithSeed(7)), second(WithSeed(7)), other(WithSeed(8));
  const auto expected = Conversation(first);
  EXPECT_EQ(expected.size(), 8u);  // four flights, two records of data, two close_notify
  EXPECT_EQ(Conversation(second), expected);
  const auto different = Conversation(other);
  ASSERT_EQ(different.size(), expected.size());
  for (std::size_t i = 0; i < expected.size(); ++i) EXPECT_NE(different[i], expected[i]) << i;
}

TEST(DeterminismTest, OthersInBetweenDoNotDisturb) {
  TestPair alone(WithSeed(7));
  const auto expected = Conversation(alone);
  TestPair watched(WithSeed(7)), other(WithSeed(9));
  watched.Start();
  other.Start();
  while (!watched.BothConnected()) {
    const auto step = [](TestPair& pair) {
      const auto before = pair.sent.size();
      pair.RunUntil([&] { return pair.sent.size() > before || pair.BothConnected(); });
    };
    step(watched);
    step(other);
    Rng rng(3);
    (void)Certificate::Generate(rng, Timestamp::Zero());
  }
  EXPECT_EQ(Conversation(watched), expected);
}

// Two transports made from one Rng have streams of their own.
TEST(DeterminismTest, OneRngForSeveralTransports) {
  const auto first_flight = [](bool other_first) {
    Rng rng(5);
    const Certificate certificate = Certificate::Generate(rng, Timestamp::Zero());
    Transport a({.certificate = &certificate}, rng);
    Transport b({.certificate = &certificate}, rng);
    if (other_first) b.Start(Timestamp::Zero());
    a.Start(Timestamp::Zero());
    return *a.PollTransmit();
  };
  EXPECT_EQ(first_flight(false), first_flight(true));
}

// Holds builds and machines against each other: whatever the compiler's options, these are the bytes of seed 1.
TEST(DeterminismTest, KnownDigestOfAConversation) {
  TestPair pair(WithSeed(1));
  Bytes all;
  for (const Bytes& datagram : Conversation(pair)) {
    all.insert(all.end(), datagram.begin(), datagram.end());
  }
  EXPECT_EQ(ToHex(crypto::Sha256(all)),
            "1d3be4031c70629638e88750a717631f393940a4de0fd0852e7b115841bbd56c");
}

}  // namespace
}  // namespace rtclab::dtls
