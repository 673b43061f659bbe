#include "conformance/socket/udp_driver.h"

#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace rtclab::conformance {
namespace {

TransportAddress Loopback(AddressFamily family) {
  return {family == AddressFamily::kIpv4 ? IpAddress::V4(127, 0, 0, 1) : *IpAddress::Parse("::1"),
          0};
}

// Answers "ping" with "pong", records what else comes, and says something once when its timer fires.
class Echo {
 public:
  using Event = std::string;

  void HandlePacket(Timestamp, const Datagram& packet) {
    const std::string text(AsString(packet.payload));
    events.push_back(text);
    if (text == "ping") Say(packet.destination, packet.source, "pong");
  }
  void HandleIcmp(Timestamp, const IcmpError& error) { icmp = error; }
  void HandleTimeout(Timestamp now) {
    if (now >= alarm) {
      fired = now;
      alarm = Timestamp::PlusInfinity();
    }
  }
  std::optional<Transmit> PollTransmit() { return Pop(transmits); }
  std::optional<Event> PollEvent() { return Pop(events); }
  Timestamp NextTimeout() const { return alarm; }

  void Say(const TransportAddress& from, const TransportAddress& to, std::string_view text) {
    transmits.push_back({from, to, Bytes(text.begin(), text.end())});
  }

  std::vector<Transmit> transmits;
  std::vector<Event> events;
  std::optional<IcmpError> icmp;
  std::optional<Timestamp> fired;
  Timestamp alarm = Timestamp::PlusInfinity();

 private:
  template <typename T>
  static std::optional<T> Pop(std::vector<T>& items) {
    if (items.empty()) return std::nullopt;
    T first = std::move(items.front());
    items.erase(items.begin());
    return first;
  }
};

class UdpDriverTest : public testing::TestWithParam<AddressFamily> {};

TEST_P(UdpDriverTest, CarriesDatagramsBothWays) {
  UdpDriver driver;
  Echo a;
  Echo b;
  std::vector<std::string> heard;
  auto* const host_a = driver.Add(a, [&](std::string&& text) { heard.push_back(text); });
  auto* const host_b = driver.Add(b, [](std::string&&) {});
  const auto at_a = driver.Bind(host_a, Loopback(GetParam()));
  const auto at_b = driver.Bind(host_b, Loopback(GetParam()));
  ASSERT_TRUE(at_a) << at_a.error().reason;
  ASSERT_TRUE(at_b) << at_b.error().reason;
  a.Say(*at_a, *at_b, "ping");
  ASSERT_TRUE(driver.RunUntil([&] { return !heard.empty(); }, TimeDelta::Seconds(5)));
  EXPECT_EQ(heard.front(), "pong");
}

TEST_P(UdpDriverTest, ReportsAClosedPortAsIcmp) {
  UdpDriver driver;
  Echo a;
  auto* const host = driver.Add(a, [](std::string&&) {});
  const auto at_a = driver.Bind(host, Loopback(GetParam()));
  const auto closed = driver.Bind(host, Loopback(GetParam()));
  ASSERT_TRUE(at_a && closed);
  driver.Close(*closed);
  a.Say(*at_a, *closed, "hello?");
  ASSERT_TRUE(driver.RunUntil([&] { return a.icmp.has_value(); }, TimeDelta::Seconds(5)));
  EXPECT_EQ(a.icmp->source, *at_a);
  EXPECT_EQ(a.icmp->destination, *closed);
  const bool v4 = GetParam() == AddressFamily::kIpv4;
  EXPECT_EQ(a.icmp->type, v4 ? 3 : 1);
  EXPECT_EQ(a.icmp->code, v4 ? 3 : 4);
}

INSTANTIATE_TEST_SUITE_P(Families, UdpDriverTest,
                         testing::Values(AddressFamily::kIpv4, AddressFamily::kIpv6));

TEST(UdpDriverTimeTest, FiresTimersNotBeforeTheirTime) {
  UdpDriver driver;
  Echo a;
  driver.Add(a, [](std::string&&) {});
  a.alarm = driver.Now() + TimeDelta::Millis(30);
  const Timestamp alarm = a.alarm;
  ASSERT_TRUE(driver.RunUntil([&] { return a.fired.has_value(); }, TimeDelta::Seconds(5)));
  EXPECT_GE(*a.fired, alarm);
}

TEST(UdpDriverTimeTest, GivesUpAtTheLimit) {
  UdpDriver driver;
  const Timestamp start = driver.Now();
  EXPECT_FALSE(driver.RunUntil([] { return false; }, TimeDelta::Millis(20)));
  EXPECT_GE(driver.Now() - start, TimeDelta::Millis(20));
}

TEST(UdpDriverTimeTest, SaysWhyItCannotBind) {
  UdpDriver driver;
  Echo a;
  auto* const host = driver.Add(a, [](std::string&&) {});
  const auto bound = driver.Bind(host, {IpAddress::V4(192, 0, 2, 1), 9});
  ASSERT_FALSE(bound);
  EXPECT_NE(bound.error().reason.find("192.0.2.1:9"), std::string::npos) << bound.error().reason;
}

}  // namespace
}  // namespace rtclab::conformance
