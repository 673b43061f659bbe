#include "scenarios/runner/sequence_chart.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>

namespace rtclab::scenarios {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

RunSpec Spec() {
  RunSpec spec;
  sim::LanSpec home;
  home.name = "home";
  home.nat = sim::NatBehaviour();
  home.parent = "isp";
  sim::LanSpec isp;
  isp.name = "isp";
  isp.nat = sim::NatBehaviour();
  sim::LanSpec office;
  office.name = "office";
  office.firewall = sim::FirewallBehaviour();
  spec.network.lans = {home, isp, office};
  for (const auto& [host, lan] :
       {std::pair("alice", "home"), std::pair("bob", "office"), std::pair("relay", "")}) {
    sim::HostSpec& h = spec.network.hosts.emplace_back();
    h.name = host;
    h.attachments.resize(1);
    h.attachments[0].lan = lan;
  }
  ServerSpec turn;
  turn.name = "turn";
  turn.host = "relay";
  spec.servers = {turn};
  SessionSpec call;
  call.name = "call";
  call.a.host = "alice";
  call.b.host = "bob";
  spec.sessions = {call};
  return spec;
}

StoryEvent Event(double ms, const char* from, const char* to, const char* text,
                 const char* dropped = "") {
  StoryEvent e;
  e.time_ms = ms;
  e.from = from;
  e.to = to;
  e.text = text;
  e.dropped = dropped;
  return e;
}

TEST(SequenceChartTest, ColumnsGoFromOneHostToTheOther) {
  std::vector<std::string> titles;
  for (const ChartColumn& c : ColumnsFor(Spec())) titles.push_back(c.title);
  EXPECT_THAT(titles,
              ElementsAre("alice", "NAT home", "NAT isp", "turn", "firewall office", "bob"));
}

TEST(SequenceChartTest, ArrowsEndWherePacketsEnd) {
  const std::vector<StoryEvent> story = {
      Event(0, "alice", "", "gathered host 10.0.0.2:4000"),
      Event(50, "alice", "turn", "Allocate request"),
      Event(90.5, "turn", "alice", "Allocate success"),
      Event(100, "alice", "bob", "Binding request (check host -> host)",
            "firewall/office: firewall.default-deny: nothing inside has sent to it"),
      Event(101, "relay", "bob", "Data"),
  };
  const std::string chart = SequenceChart(story, ColumnsFor(Spec()), {.width = 100});
  // "home" and "isp" take no part in this story.
  EXPECT_EQ("\n" + chart, R"(
                                       firewall
        ms     alice        turn        office         bob
     0.000       *            |            |            |  gathered host 10.0.0.2:4000
    50.000       +----------->|            |            |  Allocate request
    90.500       |<-----------+            |            |  Allocate success
   100.000       +-------------------------X            |  Binding request (check host -> host)
                 |            |            |            |  X firewall/office: firewall.default-deny:
                 |            |            |            |    nothing inside has sent to it
   101.000       |            +------------------------>|  Data
)");
}

TEST(SequenceChartTest, IsAListWhereArrowsHaveNoRoom) {
  const std::vector<StoryEvent> story = {
      Event(0, "alice", "", "gathered host 10.0.0.2:4000"),
      Event(50, "alice", "turn", "Allocate request"),
      Event(100, "alice", "bob", "Binding request",
            "firewall/office: firewall.default-deny: nothing"),
  };
  EXPECT_EQ("\n" + SequenceChart(story, ColumnsFor(Spec()), {.width = 40}), R"(
as a list: the chart needs 65 columns,
there are 40
        ms
     0.000 alice: gathered host
           10.0.0.2:4000
    50.000 alice -> turn: Allocate
           request
   100.000 alice -> bob: Binding request
           X firewall/office:
             firewall.default-deny:
             nothing
)");
  const std::string chart = SequenceChart(story, ColumnsFor(Spec()), {.width = 65});
  EXPECT_THAT(chart, HasSubstr("+--"));
  std::istringstream in(chart);
  for (std::string line; std::getline(in, line);) EXPECT_LE(results::Columns(line), 65U) << chart;
}

TEST(SequenceChartTest, UnknownNamesGetAColumn) {
  const std::vector<StoryEvent> story = {Event(1, "alice", "carol", "hello")};
  EXPECT_THAT(SequenceChart(story, ColumnsFor(Spec()), {.width = 100}), HasSubstr("carol"));
}

TEST(SequenceChartTest, LongStoriesAreCutWithANote) {
  std::vector<StoryEvent> story;
  for (int i = 0; i < 30; ++i) story.push_back(Event(i, "alice", "bob", "ping"));
  const std::string chart = SequenceChart(story, ColumnsFor(Spec()), {.width = 100}, 10);
  EXPECT_EQ(std::count(chart.begin(), chart.end(), '\n'), 12);
  EXPECT_THAT(chart, HasSubstr("... 20 more events\n"));
}

TEST(SequenceChartTest, NoEscapeCodesUnlessAskedForAndNoneFromText) {
  const std::vector<StoryEvent> story = {Event(1, "alice", "bob", "\x1b[2J", "x: \x1b[2J")};
  EXPECT_THAT(SequenceChart(story, ColumnsFor(Spec()), {.width = 100}), Not(HasSubstr("\x1b")));
  EXPECT_THAT(SequenceChart(story, ColumnsFor(Spec()), {.width = 100, .tty = true, .color = true}),
              HasSubstr("\x1b[31m"));
}

TEST(SequenceChartTest, EmptyStoryIsOnlyAHead) {
  EXPECT_EQ(SequenceChart({}, ColumnsFor(Spec()), {.width = 100}), "        ms\n");
}

}  // namespace
}  // namespace rtclab::scenarios
