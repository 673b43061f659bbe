#include "stack/base/units.h"

#include <gtest/gtest.h>

namespace rtclab {
namespace {

TEST(UnitsTest, InfinityAbsorbs) {
  EXPECT_TRUE((TimeDelta::PlusInfinity() + TimeDelta::Seconds(1)).IsInfinite());
  EXPECT_TRUE((Timestamp::Seconds(5) + TimeDelta::PlusInfinity()).IsInfinite());
  EXPECT_LT(Timestamp::Seconds(1'000'000), Timestamp::PlusInfinity());
}

TEST(UnitsTest, TransmissionTimeIsExact) {
  EXPECT_EQ(DataRate::MegabitsPerSec(1).TransmissionTime(DataSize::Bytes(125)),
            TimeDelta::Millis(1));
  EXPECT_EQ(DataRate::BitsPerSec(3).TransmissionTime(DataSize::Bytes(1)),
            TimeDelta::Nanos(2'666'666'666));
  EXPECT_EQ(DataRate::PlusInfinity().TransmissionTime(DataSize::Bytes(1500)), TimeDelta::Zero());
}

TEST(UnitsTest, SecondsRoundToTheNearestNanosecond) {
  EXPECT_EQ(TimeDelta::SecondsF(0.001), TimeDelta::Millis(1));
  EXPECT_EQ(TimeDelta::SecondsF(-0.0000000015), TimeDelta::Nanos(-2));
}

}  // namespace
}  // namespace rtclab
