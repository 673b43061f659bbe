// The controllers in closed loop against RFC 8867's test cases 5.1 to 5.8, simplified: one direction
// per bottleneck, no jitter unless said, RFC 8867's rates, delays and queues, 150 to 1,500 kbit/s of
// media, feedback every 50 ms. What is asserted is the "expected behavior" of each case with room for
// each algorithm's way; the README has the figures.
#include <gtest/gtest.h>

#include <string>

#include "stack/congestion/test_util.h"

namespace rtclab::congestion {
namespace {

using test::Kbps;
using test::LinkConfig;
using test::MediaConfig;
using test::MediaFlow;
using test::Ms;
using test::Network;
using test::TcpConfig;
using test::TcpFlow;

MediaConfig Media(ControllerKind kind, double start = 0) {
  MediaConfig config;
  config.kind = kind;
  config.controller.limits = {.min = Kbps(150), .start = Kbps(150), .max = Kbps(1500)};
  config.start = start;
  return config;
}
MediaFlow& AddMedia(Network& network, const MediaConfig& config, std::vector<int> route,
                    double delay_ms = 50) {
  MediaFlow& flow = network.AddFlow(std::make_unique<MediaFlow>(config, network.rng()));
  flow.route = std::move(route);
  flow.delay = Ms(delay_ms);
  return flow;
}
TcpFlow& AddTcp(Network& network, const TcpConfig& config, int link) {
  TcpFlow& flow = network.AddFlow(std::make_unique<TcpFlow>(config, network.rng()));
  flow.route = {link};
  return flow;
}
LinkConfig Constant(double kbps) { return {.capacity = {{0, Kbps(kbps)}}}; }
LinkConfig VaryingFor51() {
  return {.capacity = {{0, Kbps(1000)}, {40, Kbps(2500)}, {60, Kbps(600)}, {80, Kbps(1000)}}};
}
double Sum(const std::vector<double>& rates) {
  double sum = 0;
  for (const double r : rates) sum += r;
  return sum;
}
// Jain's index: 1 for equal shares, 1/n if one has all.
double Fairness(const std::vector<double>& rates) {
  double squares = 0;
  for (const double r : rates) squares += r * r;
  return Sum(rates) * Sum(rates) / (static_cast<double>(rates.size()) * squares);
}

class RmcatTest : public testing::TestWithParam<ControllerKind> {
 protected:
  ControllerKind kind() const { return GetParam(); }
  // SCReAM fills the queue up to its target, which competing-flow compensation may raise to 400 ms,
  // more than the bottleneck of 300 ms holds (RFC 8298 section 4.1.2.3). The others keep it short.
  double DelayBoundMs() const { return kind() == ControllerKind::kScream ? 295 : 100; }
};
std::string NameOf(const testing::TestParamInfo<ControllerKind>& info) {
  return std::string(ControllerKindName(info.param));
}
INSTANTIATE_TEST_SUITE_P(All, RmcatTest,
                         testing::Values(ControllerKind::kGcc, ControllerKind::kNada,
                                         ControllerKind::kScream),
                         NameOf);

// 5.1: detects the constraint, converges to the capacity, follows its changes.
TEST_P(RmcatTest, Case51VariableCapacityOneFlow) {
  for (const double delay_ms : {50.0, 100.0}) {
    SCOPED_TRACE(delay_ms);
    Network network;
    MediaFlow& flow = AddMedia(network, Media(kind()), {network.AddLink(VaryingFor51())}, delay_ms);
    network.Run(100);
    const auto& r = flow.record;
    EXPECT_GT(r.Kbps(20, 40), 850);
    EXPECT_LT(r.DelayMs(20, 40, 0.95), DelayBoundMs());
    EXPECT_GT(r.Kbps(50, 60), 1100);  // the maximum is 1,500
    EXPECT_LT(r.DelayMs(50, 60, 0.95), 50);
    EXPECT_LT(r.TimeToDrain(60, 200, 20), 6);
    EXPECT_GT(r.Kbps(65, 80), 0.7 * 600);
    EXPECT_GT(r.Kbps(90, 100), 800);
    EXPECT_LT(r.Loss(0, 100), 0.03);
  }
}

// The same without control: what the model shows when a sender does not adapt.
TEST(RmcatReferenceTest, WithoutControlQueueAndLossPersist) {
  Network network;
  MediaFlow& flow =
      AddMedia(network, Media(ControllerKind::kNone), {network.AddLink(VaryingFor51())});
  network.Run(80);
  EXPECT_GT(flow.record.DelayMs(20, 40, 0.5), 290);
  EXPECT_GT(flow.record.Loss(20, 40), 0.3);
  EXPECT_GT(flow.record.Loss(60, 80), 0.5);
}

// 5.2: two flows adapt to a varying capacity.
TEST_P(RmcatTest, Case52VariableCapacityTwoFlows) {
  Network network;
  const int link = network.AddLink({.capacity = {{0, Kbps(4000)},
                                                 {25, Kbps(2000)},
                                                 {50, Kbps(3500)},
                                                 {75, Kbps(1000)},
                                                 {100, Kbps(2000)}}});
  MediaFlow& a = AddMedia(network, Media(kind()), {link});
  MediaFlow& b = AddMedia(network, Media(kind()), {link});
  network.Run(125);
  const double phases[][3] = {
      {10, 25, 3000}, {35, 50, 2000}, {60, 75, 3000}, {85, 100, 1000}, {110, 125, 2000}};
  for (const auto& [from, to, possible] : phases) {
    const std::vector<double> rates = {a.record.Kbps(from, to), b.record.Kbps(from, to)};
    EXPECT_GT(Sum(rates), 0.8 * possible) << from;
    EXPECT_GT(Fairness(rates), 0.8) << from;
  }
  EXPECT_LT(a.record.Loss(0, 125), 0.02);
}

// 5.3: media both ways, so that feedback waits behind media in a congested queue.
TEST_P(RmcatTest, Case53CongestedFeedbackPath) {
  Network network;
  const int there = network.AddLink(
      {.capacity = {{0, Kbps(2000)}, {20, Kbps(1000)}, {40, Kbps(500)}, {60, Kbps(2000)}}});
  const int back =
      network.AddLink({.capacity = {{0, Kbps(2000)}, {35, Kbps(800)}, {70, Kbps(2000)}}});
  MediaFlow& forward = AddMedia(network, Media(kind()), {there});
  forward.back = {back};
  MediaFlow& backward = AddMedia(network, Media(kind()), {back});
  backward.back = {there};
  network.Run(100);
  EXPECT_GT(forward.record.Kbps(25, 40), 800);
  EXPECT_GT(forward.record.Kbps(45, 60), 0.75 * 500);
  EXPECT_GT(forward.record.Kbps(80, 100), 1200);
  EXPECT_GT(backward.record.Kbps(45, 70), 0.8 * 800);
  EXPECT_LT(forward.record.Loss(0, 100), 0.05);
}

// 5.4: three flows of the same kind, joining one after the other, share the bottleneck.
TEST_P(RmcatTest, Case54CompetingFlows) {
  Network network;
  const int link = network.AddLink(Constant(3500));
  std::vector<MediaFlow*> flows;
  for (const double start : {0, 20, 40}) {
    flows.push_back(&AddMedia(network, Media(kind(), start), {link}));
  }
  network.Run(120);
  EXPECT_GT(flows[0]->record.Kbps(10, 20), 1300);  // alone it gets its maximum
  std::vector<double> rates;
  for (const MediaFlow* f : flows) rates.push_back(f->record.Kbps(80, 120));
  EXPECT_GT(Sum(rates), 0.85 * 3500);
  EXPECT_GT(Fairness(rates), 0.9);
  EXPECT_LT(flows[0]->record.DelayMs(80, 120, 0.95), DelayBoundMs());
  EXPECT_LT(flows[0]->record.Loss(80, 120), 0.01);
}

// 5.5: five flows with round trips from 20 to 300 ms.
TEST_P(RmcatTest, Case55RoundTripFairness) {
  Network network;
  const int link = network.AddLink(Constant(4000));
  std::vector<MediaFlow*> flows;
  for (const double delay_ms : {10.0, 25.0, 50.0, 100.0, 150.0}) {
    flows.push_back(&AddMedia(network, Media(kind(), 10.0 * static_cast<double>(flows.size())),
                              {link}, delay_ms));
  }
  network.Run(120);
  std::vector<double> rates;
  for (const MediaFlow* f : flows) {
    rates.push_back(f->record.Kbps(80, 120));
    EXPECT_GT(rates.back(), 200);  // a quarter of a fair share
  }
  EXPECT_GT(Sum(rates), 0.85 * 4000);
  EXPECT_GT(Fairness(rates), 0.7);
}

// 5.6: a long TCP flow. "In the worst case, the media stream will fall to the minimum media bit
// rate."
TEST_P(RmcatTest, Case56LongTcpFlow) {
  Network network;
  const int link = network.AddLink(Constant(2000));
  MediaFlow& media = AddMedia(network, Media(kind(), 5), {link});
  TcpFlow& tcp = AddTcp(network, {}, link);
  network.Run(120);
  // GCC's trendline is held at its minimum; NADA and SCReAM hold their ground (RFC 8698 section 4.2,
  // RFC 8298 section 4.1.2.3).
  EXPECT_GT(media.record.Kbps(30, 120), kind() == ControllerKind::kGcc ? 140 : 250);
  for (double t = 10; t < 110; t += 5) EXPECT_GT(media.record.Kbps(t, t + 10), 135) << t;
  EXPECT_GT(tcp.record.Kbps(30, 120), 500);
}

// With a bottleneck queue of a second only the minimum is left to GCC and NADA. SCReAM goes below
// it: its window shrinks to two packets while the queue exceeds QDELAY_TARGET_HI.
TEST_P(RmcatTest, Case56LongTcpFlowDeepQueue) {
  Network network;
  LinkConfig deep = Constant(2000);
  deep.queue_limit = Ms(1000);
  const int link = network.AddLink(deep);
  MediaFlow& media = AddMedia(network, Media(kind(), 5), {link});
  AddTcp(network, {}, link);
  network.Run(120);
  EXPECT_GT(media.record.Kbps(30, 120), kind() == ControllerKind::kScream ? 20 : 140);
}

// 5.7: two media flows among ten short TCP flows; after them the earlier rates come back.
TEST_P(RmcatTest, Case57ShortTcpFlows) {
  Network network;
  const int link = network.AddLink(Constant(2000));
  MediaFlow& a = AddMedia(network, Media(kind(), 5), {link});
  MediaFlow& b = AddMedia(network, Media(kind(), 5), {link});
  for (int i = 0; i < 10; ++i) {
    AddTcp(network, {.stop = 120, .mean_idle = 10, .starts_idle = i >= 2}, link);
  }
  network.Run(160);
  EXPECT_GT(a.record.Kbps(20, 120), 140);
  EXPECT_GT(b.record.Kbps(20, 120), 140);
  EXPECT_GT(a.record.Kbps(145, 160) + b.record.Kbps(145, 160), 1500);
}

// 5.8: while one of three flows pauses, the others reach their maximum; after it resumes, all come
// back to fair shares.
TEST_P(RmcatTest, Case58PauseAndResume) {
  Network network;
  const int link = network.AddLink(Constant(3500));
  MediaConfig pausing = Media(kind());
  pausing.pause = 40;
  pausing.resume = 60;
  MediaFlow& a = AddMedia(network, Media(kind()), {link});
  MediaFlow& b = AddMedia(network, pausing, {link});
  MediaFlow& c = AddMedia(network, Media(kind()), {link});
  network.Run(120);
  EXPECT_GT(a.record.Kbps(52, 60), 1350);
  EXPECT_GT(c.record.Kbps(52, 60), 1350);
  EXPECT_LT(b.record.Kbps(42, 60), 50);
  const std::vector<double> rates = {a.record.Kbps(90, 120), b.record.Kbps(90, 120),
                                     c.record.Kbps(90, 120)};
  EXPECT_GT(Sum(rates), 0.85 * 3500);
  EXPECT_GT(Fairness(rates), 0.9);
}

// A flow through two bottlenecks is not starved by flows through one.
TEST_P(RmcatTest, TwoBottlenecks) {
  Network network;
  const int first = network.AddLink(Constant(2000));
  const int second = network.AddLink(Constant(2000));
  MediaFlow& both = AddMedia(network, Media(kind()), {first, second});
  MediaFlow& one = AddMedia(network, Media(kind()), {first});
  AddMedia(network, Media(kind()), {second});
  network.Run(100);
  EXPECT_GT(both.record.Kbps(50, 100), 250);
  EXPECT_GT(both.record.Kbps(50, 100) + one.record.Kbps(50, 100), 0.85 * 2000);
}

// Random loss beside a bottleneck of 1 Mbit/s: a percent costs little; a lot never stops the flow.
TEST_P(RmcatTest, RandomLoss) {
  for (const auto& [loss, least] : {std::pair{0.01, 800.0}, {0.1, 110.0}, {0.3, 90.0}}) {
    Network network;
    LinkConfig lossy = Constant(1000);
    lossy.loss = loss;
    MediaFlow& flow = AddMedia(network, Media(kind()), {network.AddLink(lossy)});
    network.Run(50);
    EXPECT_GT(flow.record.Kbps(25, 50), least) << loss;
  }
}

// 30 ms of jitter, as RFC 8867 section 4.2 allows, is no congestion.
TEST_P(RmcatTest, Jitter) {
  Network network;
  MediaFlow& flow = AddMedia(network, Media(kind()), {network.AddLink(Constant(1000))});
  flow.jitter = Ms(30);
  network.Run(60);
  EXPECT_GT(flow.record.Kbps(30, 60), 800);
  EXPECT_LT(flow.record.DelayMs(30, 60, 0.95), DelayBoundMs());
}

// Five seconds without feedback, in which the capacity drops (RFC 8867 section 5.3: "cope with the
// lack of feedback information"): the sender slows down, and comes back afterwards.
TEST_P(RmcatTest, LostFeedback) {
  MediaConfig config = Media(kind());
  config.feedback_lost_from = 30;
  config.feedback_lost_to = 35;
  Network network;
  const int link =
      network.AddLink({.capacity = {{0, Kbps(1000)}, {30, Kbps(300)}, {35, Kbps(1000)}}});
  MediaFlow& flow = AddMedia(network, config, {link});
  network.Run(60);
  EXPECT_LT(flow.max_in_flight().bytes(), 250'000);  // without control more than a million
  EXPECT_LT(flow.record.DelayMs(33, 35, 0.95), 250);
  EXPECT_GT(flow.record.Kbps(45, 60), 800);
}

TEST_P(RmcatTest, SameSeedSameSeries) {
  std::vector<double> first;
  for (int run = 0; run < 2; ++run) {
    Network network(7);
    LinkConfig link = VaryingFor51();
    link.loss = 0.02;
    MediaFlow& flow = AddMedia(network, Media(kind()), {network.AddLink(link)});
    flow.jitter = Ms(10);
    std::vector<double> series;
    for (double t = 1; t < 70; t += 1) {
      network.Run(t);
      series.push_back(Bps(flow.controller().output().target));
    }
    if (run == 0) first = series;
    EXPECT_EQ(series, first);
  }
}

// Marks instead of losses: NADA and SCReAM react to them; GCC's draft leaves ECN to further work.
TEST(RmcatEcnTest, MarksKeepTheQueueShort) {
  for (const ControllerKind kind : {ControllerKind::kNada, ControllerKind::kScream}) {
    SCOPED_TRACE(ControllerKindName(kind));
    LinkConfig marking = Constant(1000);
    marking.ecn_threshold = Ms(30);
    Network network;
    MediaFlow& flow = AddMedia(network, Media(kind), {network.AddLink(marking)});
    network.Run(60);
    EXPECT_LT(flow.record.DelayMs(30, 60, 0.95), 80);
    EXPECT_EQ(flow.record.Loss(30, 60), 0);
    EXPECT_GT(flow.record.Kbps(30, 60), 500);
  }
}

TEST(RmcatScreamTest, TheWindowHoldsAndLimitsTheFlight) {
  Network network;
  MediaFlow& flow =
      AddMedia(network, Media(ControllerKind::kScream), {network.AddLink(VaryingFor51())});
  network.Run(100);
  EXPECT_EQ(flow.beyond_window(), 0);
}

TEST(RmcatScreamTest, WithoutCompensationTheQueueStaysAtItsTarget) {
  MediaConfig config = Media(ControllerKind::kScream);
  config.controller.scream_competing_flows = false;
  Network network;
  MediaFlow& flow = AddMedia(network, config, {network.AddLink(VaryingFor51())});
  network.Run(32);  // before fast increase resumes and looks for more
  EXPECT_LT(flow.record.DelayMs(12, 32, 0.5), 120);  // QDELAY_TARGET_LO is 100 ms
  EXPECT_LT(flow.record.DelayMs(12, 32, 0.95), 150);
  EXPECT_GT(flow.record.Kbps(12, 32), 950);
}

// What the draft promises of its adaptive threshold (section 5.4): no starvation beside TCP.
TEST(RmcatGccTest, TheDraftsFilterHoldsItsGroundAgainstTcp) {
  MediaConfig config = Media(ControllerKind::kGcc, 5);
  config.controller.gcc_filter = GccFilter::kKalman;
  Network network;
  const int link = network.AddLink(Constant(2000));
  MediaFlow& media = AddMedia(network, config, {link});
  AddTcp(network, {}, link);
  network.Run(120);
  EXPECT_GT(media.record.Kbps(30, 120), 300);
}

TEST(RmcatGccTest, TheDraftsFilterFollowsTheCapacity) {
  MediaConfig config = Media(ControllerKind::kGcc);
  config.controller.gcc_filter = GccFilter::kKalman;
  Network network;
  MediaFlow& flow = AddMedia(network, config, {network.AddLink(VaryingFor51())});
  network.Run(100);
  EXPECT_GT(flow.record.Kbps(20, 40), 850);
  EXPECT_LT(flow.record.DelayMs(20, 40, 0.95), 100);
  EXPECT_GT(flow.record.Kbps(65, 80), 0.8 * 600);
}

TEST(RmcatGccTest, InitialProbesFindTheCapacityInASecond) {
  for (const bool probing : {true, false}) {
    MediaConfig config = Media(ControllerKind::kGcc);
    config.controller.gcc_probing = probing;
    Network network;
    MediaFlow& flow = AddMedia(network, config, {network.AddLink(Constant(1000))});
    network.Run(10);
    EXPECT_EQ(flow.record.TimeToReach(0, 800, 10) < 1.0, probing);
  }
}

TEST(RmcatGccTest, ProbingRaisesTheEstimateOfALimitedApplication) {
  MediaConfig config = Media(ControllerKind::kGcc);
  config.controller.limits.max = Kbps(3000);
  config.application_kbps = 400;
  Network network;
  MediaFlow& flow = AddMedia(network, config, {network.AddLink(Constant(3000))});
  network.Run(40);
  EXPECT_GT(flow.controller().output().target, Kbps(1500));
  EXPECT_GE(flow.probes_sent(), 4);
  EXPECT_EQ(flow.record.Loss(0, 40), 0);
  EXPECT_LT(flow.record.Kbps(10, 40), 600);  // padding costs little
}

}  // namespace
}  // namespace rtclab::congestion
