#include "sim/trace/flow_map.h"

#include <gtest/gtest.h>
#include <map>
#include <set>

#include "stack/base/rng.h"

namespace rtclab::sim {
namespace {

FlowKey Key(uint16_t a, uint16_t b) {
  return {IpProtocol::kUdp, {IpAddress::V4(10, 0, 0, 1), a}, {IpAddress::V4(10, 0, 0, 2), b}};
}

TEST(FlowMapTest, EveryPartOfAKeyCounts) {
  const IpAddress v4 = IpAddress::V4(10, 0, 0, 1);
  const IpAddress v6 = IpAddress::Parse("2001:db8::1").value();
  // An IPv6 address that packs into the same words as the IPv4 one.
  const IpAddress like_v4 = IpAddress::Parse("::a00:1").value();
  std::vector<FlowKey> keys;
  for (const IpProtocol protocol : {IpProtocol::kUdp, IpProtocol::kTcp}) {
    for (const IpAddress& a : {v4, v6, like_v4}) {
      for (const IpAddress& b : {v4, v6, IpAddress()}) {
        for (uint16_t port = 1; port <= 2; ++port) {
          keys.emplace_back(protocol, TransportAddress{a, port}, TransportAddress{b, 1});
          keys.emplace_back(protocol, TransportAddress{a, 3}, TransportAddress{b, port});
        }
      }
    }
  }
  FlowMap map;
  for (uint32_t i = 0; i < keys.size(); ++i) map.Set(keys[i], i);
  EXPECT_EQ(map.size(), keys.size());
  for (uint32_t i = 0; i < keys.size(); ++i) EXPECT_EQ(map.Find(keys[i]), i);
}

TEST(FlowMapTest, EmptyMapFindsAndErasesNothing) {
  FlowMap map;
  EXPECT_EQ(map.Find(Key(1, 2)), FlowMap::kNone);
  map.Erase(Key(1, 2));
  EXPECT_EQ(map.size(), 0u);
}

TEST(FlowMapTest, AgreesWithStdMapOnRandomUse) {
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    SCOPED_TRACE(testing::Message() << "seed " << seed);
    Rng rng(seed);
    FlowMap map;
    std::map<std::pair<uint16_t, uint16_t>, uint32_t> expected;
    const uint64_t keys = rng.Uniform(3, 60);  // few, so that they meet
    for (int i = 0; i < 20000; ++i) {
      const auto a = static_cast<uint16_t>(rng.Uniform(0, keys));
      const auto b = static_cast<uint16_t>(rng.Uniform(0, 5));
      if (rng.Bernoulli(0.5)) {
        map.Set(Key(a, b), static_cast<uint32_t>(i));
        expected[{a, b}] = static_cast<uint32_t>(i);
      } else {
        map.Erase(Key(a, b));
        expected.erase({a, b});
      }
      ASSERT_EQ(map.size(), expected.size());
      const auto it = expected.find({b, a % 6});
      const uint16_t other = a % 6;
      ASSERT_EQ(map.Find(Key(b, other)), it == expected.end() ? FlowMap::kNone : it->second);
    }
    for (const auto& [key, value] : expected)
      ASSERT_EQ(map.Find(Key(key.first, key.second)), value);
  }
}

}  // namespace
}  // namespace rtclab::sim
