// Rates of layers and sizes of pictures.
#include "stack/media/rate_allocation.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "stack/media/fec_sender.h"
#include "stack/media/test_util.h"

namespace rtclab::media {
namespace {

using testing::Kbps;
using testing::Ms;

TEST(RateAllocationTest, FormatsAreThoseOfTheTable) {
  EXPECT_EQ(RatesForFormat(1280, 720).max, Kbps(2500));
  EXPECT_EQ(RatesForFormat(1280, 720).min, Kbps(600));
  EXPECT_EQ(RatesForFormat(3840, 2160).max, Kbps(5000));
  EXPECT_EQ(RatesForFormat(640, 480).target, Kbps(500));
  EXPECT_EQ(RatesForFormat(100, 100).min, Kbps(30));
}

TEST(RateAllocationTest, LayersFillFromBelow) {
  // 180p, 360p, 720p.
  const std::vector<LayerDemand> layers = {{Kbps(30), Kbps(150), Kbps(200)},
                                           {Kbps(150), Kbps(500), Kbps(700)},
                                           {Kbps(600), Kbps(2500), Kbps(2500)}};
  struct Case {
    int64_t total;
    std::vector<int64_t> rates;
  };
  for (const Case& c :
       {Case{0, {0, 0, 0}}, Case{10, {30, 0, 0}}, Case{100, {100, 0, 0}}, Case{179, {179, 0, 0}},
        Case{180, {30, 150, 0}}, Case{400, {150, 250, 0}}, Case{650, {150, 500, 0}},
        Case{779, {150, 629, 0}}, Case{780, {30, 150, 600}}, Case{1250, {150, 500, 600}},
        Case{3000, {150, 500, 2350}}, Case{9000, {150, 500, 2500}}}) {
    const auto rates = AllocateLayers(Kbps(c.total), layers);
    for (std::size_t i = 0; i < rates.size(); ++i) {
      EXPECT_EQ(rates[i], Kbps(c.rates[i])) << c.total << " layer " << i;
    }
  }
}

TEST(RateAllocationTest, InactiveLayersGetNothing) {
  const std::vector<LayerDemand> layers = {{Kbps(30), Kbps(150), Kbps(200), false},
                                           {Kbps(150), Kbps(500), Kbps(700)},
                                           {Kbps(600), Kbps(2500), Kbps(2500), false}};
  EXPECT_THAT(AllocateLayers(Kbps(5000), layers),
              ::testing::ElementsAre(Kbps(0), Kbps(700), Kbps(0)));
  EXPECT_THAT(AllocateLayers(Kbps(50), layers),
              ::testing::ElementsAre(Kbps(0), Kbps(150), Kbps(0)));
}

TEST(RateAllocationTest, PictureFollowsTheRateWithHysteresis) {
  const PictureSize hd{1280, 720};
  struct Case {
    PictureSize now;
    int64_t kbps;
    PictureSize next;
  };
  for (const Case& c :
       {Case{hd, 2000, hd}, Case{hd, 600, hd}, Case{hd, 599, {960, 540}}, Case{hd, 200, {640, 360}},
        Case{hd, 20, {320, 180}}, Case{{960, 540}, 700, {960, 540}}, Case{{960, 540}, 750, hd},
        Case{{320, 180}, 100, {320, 180}}, Case{{320, 180}, 190, {640, 360}},
        Case{{320, 180}, 3000, hd}}) {
    EXPECT_EQ(AdaptPicture(hd, c.now, Kbps(c.kbps)), c.next) << c.now.width << " " << c.kbps;
  }
}

TEST(RateAllocationTest, ProtectionFollowsLoss) {
  EXPECT_EQ(FecProtection(0, false, Ms(100)), 0);
  EXPECT_EQ(FecProtection(0.004, false, Ms(100)), 0);
  EXPECT_EQ(FecProtection(0.01, false, Ms(100)), 0.1);
  EXPECT_EQ(FecProtection(0.1, false, Ms(100)), 0.2);
  EXPECT_EQ(FecProtection(0.4, false, Ms(100)), 0.5);
  EXPECT_EQ(FecProtection(0.1, true, Ms(10)), 0);
  EXPECT_EQ(FecProtection(0.1, true, TimeDelta::Zero()), 0.2);  // not known yet
}

TEST(RateAllocationTest, RedWrapsAndUnwraps) {
  rtp::PacketBuilder builder({true, 96, 5, 6, 7});
  const Bytes payload = {1, 2, 3};
  builder.AppendPayload(payload);
  const Bytes packet = builder.Build();
  const Bytes red = WrapRed(packet, 115);
  EXPECT_EQ(red.size(), packet.size() + 1);
  EXPECT_EQ(rtp::PacketView::Parse(red)->payload_type(), 115);
  EXPECT_EQ(*UnwrapRed(red, 115, 96), packet);
  EXPECT_FALSE(UnwrapRed(red, 115, 97).has_value());
  EXPECT_FALSE(UnwrapRed(packet, 115, 96).has_value());
  EXPECT_FALSE(UnwrapRed(ByteView(red).first(12), 115, 96).has_value());
}

}  // namespace
}  // namespace rtclab::media
