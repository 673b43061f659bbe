// Random sessions over paths that lose, reorder and duplicate: whatever two applications do with their channels,
// every byte that arrives is right, reliable channels lose nothing and every closed channel closes.
#include <gtest/gtest.h>

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "stack/datachannel/channel_manager.h"
#include "stack/datachannel/test_util.h"

namespace rtclab::datachannel {
namespace {

struct RandomChannel {
  bool reliable = false;
  bool ordered = false;
  bool closed = false;            // by either application
  std::vector<uint32_t> sent[2];  // numbers of messages, by who receives them
  std::vector<uint32_t> got[2];
};

Bytes NumberedMessage(uint32_t number, std::size_t size) {
  Bytes message = Pattern(size, number);
  StoreU32(message.data(), number);
  return message;
}

class RandomSession {
 public:
  explicit RandomSession(uint64_t seed)
      : rng_(seed, "session"),
        net_(seed, "network"),
        a_rng_(seed, "a"),
        b_rng_(seed, "b"),
        loss_(static_cast<double>(rng_.Uniform(0, 3)) * 0.1),
        late_(static_cast<double>(rng_.Uniform(0, 3)) * 0.1),
        doubled_(static_cast<double>(rng_.Uniform(0, 2)) * 0.02),
        a_(RandomConfig(), a_rng_),
        b_(RandomConfig(), b_rng_) {
    a_.Start(now_, true);
    b_.Start(now_, false);
  }

  void Run() {
    for (int step = 0; step < 150; ++step) {
      RunUntil(now_ + TimeDelta::Millis(static_cast<int64_t>(rng_.Uniform(0, 40))));
      Act(static_cast<int>(rng_.Uniform(0, 1)));
    }
    loss_ /= 2;
    RunUntil(now_ + TimeDelta::Seconds(600));
  }

  void Check() {
    EXPECT_EQ(trouble_, "");
    for (auto& [label, channel] : channels_) {
      for (int end = 0; end < 2; ++end) CheckReceived(label, channel, end);
    }
    for (int end = 0; end < 2; ++end) {
      for (const ChannelId id : manager(end).channels()) {
        const bool closed = channels_.at(labels_.at({end, id})).closed;
        EXPECT_EQ(manager(end).state(id) == ChannelState::kClosed, closed);
        if (!closed) {
          EXPECT_EQ(manager(end).buffered_amount(id), 0u);
        }
      }
    }
  }

 private:
  ManagerConfig RandomConfig() {
    ManagerConfig config;
    config.max_message_size = 0;
    config.sctp.interleaving = rng_.Bernoulli(0.7);
    config.sctp.zero_checksum = rng_.Bernoulli(0.3);
    config.sctp.mtu = rng_.Uniform(400, 1400);
    config.sctp.receive_window =
        DataSize::Bytes(static_cast<int64_t>(rng_.Bernoulli(0.3) ? 20'000 : 5'000'000));
    config.sctp.max_association_retransmits = 1000;
    return config;
  }
  ChannelManager& manager(int end) { return end == 0 ? a_ : b_; }

  void Act(int end) {
    ChannelManager& m = manager(end);
    const auto ids = m.channels();
    const uint64_t what = rng_.Uniform(0, 9);
    if (what == 0 || ids.empty()) {
      Create(end);
      return;
    }
    const ChannelId id = ids[rng_.Uniform(0, ids.size() - 1)];
    RandomChannel& channel = channels_[labels_.at({end, id})];
    if (what == 1) {
      channel.closed = true;
      m.Close(now_, id);
      return;
    }
    const std::size_t size = rng_.Uniform(4, rng_.Bernoulli(0.1) ? 60'000 : 3'000);
    if (m.Send(now_, id, true, NumberedMessage(++number_, size))) {
      channel.sent[1 - end].push_back(number_);
    }
  }

  void Create(int end) {
    ChannelInit init;
    init.label = "c" + std::to_string(channels_.size());
    init.ordered = rng_.Bernoulli(0.5);
    const uint64_t kind = rng_.Uniform(0, 3);
    if (kind == 0) init.max_retransmits = static_cast<uint16_t>(rng_.Uniform(0, 2));
    if (kind == 1) init.max_packet_life_time_ms = static_cast<uint16_t>(rng_.Uniform(1, 200));
    init.priority = static_cast<uint16_t>(128 << rng_.Uniform(0, 3));
    const auto id = manager(end).Create(now_, init);
    ASSERT_TRUE(id);
    labels_[{end, *id}] = init.label;
    channels_[init.label] = {.reliable = kind > 1, .ordered = init.ordered};
  }

  void RunUntil(Timestamp end) {
    while (true) {
      Exchange();
      Timestamp next = std::min(a_.NextTimeout(), b_.NextTimeout());
      if (!wire_.empty()) next = std::min(next, wire_.begin()->first);
      if (next > end) break;
      now_ = std::max(now_, next);
      while (!wire_.empty() && wire_.begin()->first <= now_) {
        const auto arrived = wire_.extract(wire_.begin());
        manager(arrived.mapped().first).HandlePacket(now_, arrived.mapped().second);
      }
      for (int i = 0; i < 2; ++i) {
        if (manager(i).NextTimeout() <= now_) manager(i).HandleTimeout(now_);
      }
    }
    now_ = end;
  }

  void Exchange() {
    for (int end = 0; end < 2; ++end) {
      Drain(
          manager(end), [&](Bytes&& packet) { Carry(1 - end, packet); },
          [&](Event&& event) { Handle(end, event); });
    }
  }

  void Carry(int to, const Bytes& packet) {
    const bool lost = net_.Bernoulli(loss_);
    const bool late = net_.Bernoulli(late_);
    const bool doubled = net_.Bernoulli(doubled_);
    const auto extra_ms = static_cast<int64_t>(net_.Uniform(1, 30));
    if (lost) return;
    const Timestamp arrival = now_ + TimeDelta::Millis(late ? 5 + extra_ms : 5);
    wire_.emplace(arrival, std::make_pair(to, packet));
    if (doubled) wire_.emplace(arrival + TimeDelta::Millis(20), std::make_pair(to, packet));
  }

  void Handle(int end, const Event& event) {
    if (const auto* announced = std::get_if<ChannelAnnounced>(&event)) {
      labels_[{end, announced->id}] = announced->init.label;
    } else if (const auto* message = std::get_if<MessageReceived>(&event)) {
      const uint32_t number = LoadU32(message->payload.data());
      EXPECT_EQ(message->payload, NumberedMessage(number, message->payload.size()));
      channels_[labels_.at({end, message->id})].got[end].push_back(number);
    } else if (const auto* violation = std::get_if<ProtocolViolation>(&event)) {
      trouble_ += violation->reason + "; ";
    } else if (const auto* ended = std::get_if<TransportClosed>(&event)) {
      trouble_ += ended->reason + "; ";
    } else if (const auto* closed = std::get_if<ChannelClosed>(&event); closed && closed->failure) {
      trouble_ += closed->failure->reason + "; ";
    }
  }

  static void CheckReceived(const std::string& label, RandomChannel& channel, int end) {
    std::vector<uint32_t>& got = channel.got[end];
    EXPECT_TRUE(!channel.ordered || std::is_sorted(got.begin(), got.end())) << label;
    std::sort(got.begin(), got.end());
    EXPECT_TRUE(std::adjacent_find(got.begin(), got.end()) == got.end()) << label << ": twice";
    const bool complete = channel.reliable && !channel.closed;
    EXPECT_TRUE(!complete || got == channel.sent[end]) << label << ": something is missing";
  }

  Rng rng_, net_, a_rng_, b_rng_;
  double loss_, late_, doubled_;
  ChannelManager a_, b_;
  Timestamp now_ = Timestamp::Seconds(1);
  std::multimap<Timestamp, std::pair<int, Bytes>> wire_;
  std::map<std::string, RandomChannel> channels_;
  std::map<std::pair<int, ChannelId>, std::string> labels_;
  uint32_t number_ = 0;
  std::string trouble_;
};

TEST(RandomSessionTest, KeepsItsPromises) {
  for (uint64_t seed = 1; seed <= 40; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    RandomSession session(seed);
    session.Run();
    session.Check();
  }
}

}  // namespace
}  // namespace rtclab::datachannel
