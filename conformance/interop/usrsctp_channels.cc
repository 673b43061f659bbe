// Data channels: usrsctp with DCEP by hand, as raw bytes.
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "conformance/interop/usrsctp_program.h"

namespace rtclab::conformance {
namespace {

constexpr uint32_t kDcepPpid = 50;
constexpr uint32_t kStringPpid = 51;

void AddOurChannel(ChannelCase& c) {
  c.Then(
      "our DATA_CHANNEL_OPEN and a message at usrsctp",
      [&c](Timestamp now) {
        const auto id = c.ours.Create(now, {.label = "ours", .protocol = "p"});
        while (c.ours.PollEvent()) continue;
        if (!id || !c.ours.Send(now, *id, false, AsBytes("hello"))) {
          c.peer().errors.emplace_back("could not open or send");
        }
      },
      [&c] {
        const Bytes open = {3, 0, 1, 0, 0, 0, 0, 0, 0, 4, 0, 1, 'o', 'u', 'r', 's', 'p'};
        const auto& got = c.peer().received;
        return got.size() == 2 && got[0].ppid == kDcepPpid && got[0].stream == 0 &&
               got[0].payload == open && got[1].ppid == kStringPpid &&
               AsString(got[1].payload) == "hello";
      });
  c.Then(
      "their answers at our channel",
      [&c](Timestamp) {
        c.peer().Send({.stream = 0, .ppid = kDcepPpid, .payload = {2}});
        c.peer().Send({.stream = 0, .ppid = kStringPpid, .payload = {'y', 'e', 's'}});
      },
      [&c] { return c.Count<datachannel::MessageReceived>() == 1; });
  c.Then(
      "our channel's stream reset at usrsctp",
      [&c](Timestamp now) { c.ours.Close(now, datachannel::ChannelId{0}); },
      [&c] { return c.peer().incoming_resets == std::vector<uint16_t>{0}; });
  c.Then(
      "our channel closed",
      [&c](Timestamp) {
        const uint16_t stream = 0;
        if (!c.peer().ResetStreams({&stream, 1})) c.peer().errors.emplace_back("reset refused");
      },
      [&c] {
        return c.ours.state(datachannel::ChannelId{0}) == datachannel::ChannelState::kClosed;
      });
}

void AddTheirChannel(ChannelCase& c) {
  c.Then(
      "their channel announced",
      [&c](Timestamp) {
        c.peer().Send({.stream = 1,
                       .ppid = kDcepPpid,
                       .payload = {3, 0x80, 0, 128, 0, 0, 0, 0, 0, 2, 0, 0, 'h', 'i'}});
        c.peer().Send({.stream = 1, .ppid = 57, .payload = {0}});
      },
      [&c] {
        const auto* announced = c.First<datachannel::ChannelAnnounced>();
        return announced != nullptr && announced->init.label == "hi" && !announced->init.ordered &&
               c.Count<datachannel::MessageReceived>() == 2;
      });
  c.Then("our ACK at usrsctp", nullptr, [&c] {
    const auto& last = c.peer().received.back();
    return last.stream == 1 && last.ppid == kDcepPpid && last.payload == Bytes{2};
  });
  c.Then(
      "their channel closed at both ends",
      [&c](Timestamp) {
        const uint16_t stream = 1;
        if (!c.peer().ResetStreams({&stream, 1})) c.peer().errors.emplace_back("reset refused");
      },
      [&c] {
        return c.ours.state(datachannel::ChannelId{1}) == datachannel::ChannelState::kClosed &&
               c.peer().incoming_resets == std::vector<uint16_t>{0, 1};
      });
  c.Then(
      "our channel on the same stream again",
      [&c](Timestamp now) {
        const auto id = c.ours.Create(now, {.label = "again"});
        if (!id || c.ours.stream_id(*id) != 0) c.peer().errors.emplace_back("not stream 0");
      },
      [&c] { return c.peer().received.back().ppid == kDcepPpid && c.peer().received.size() == 4; });
}

}  // namespace

void Program::AddDataChannels() {
  for (const int loss : {0, 20}) {
    CaseOptions options;
    options.name = "DataChannelsLoss" + std::to_string(loss);
    options.loss_percent = loss;
    options.reorder_percent = loss / 2;
    options.seed = cases_.size() + 1;
    options.usrsctp.interleaving = true;
    datachannel::ManagerConfig config;
    config.sctp = OurConfig(true);
    auto added = std::make_unique<ChannelCase>(options, config);
    ChannelCase& c = *added;
    cases_.push_back(std::move(added));
    c.Then(
        "association up at both ends",
        [&c](Timestamp now) {
          c.peer().Connect();
          c.ours.Start(now, true);
        },
        [&c] { return c.peer().up && c.Count<datachannel::TransportConnected>() == 1; });
    AddOurChannel(c);
    AddTheirChannel(c);
  }
}

}  // namespace rtclab::conformance
