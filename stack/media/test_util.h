// Two engines over a pipe in virtual time, and configurations of calls, for this room's tests and
// benchmark.
#ifndef RTCLAB_STACK_MEDIA_TEST_UTIL_H_
#define RTCLAB_STACK_MEDIA_TEST_UTIL_H_

#include <algorithm>
#include <functional>
#include <memory>
#include <queue>
#include <string>
#include <vector>

#include "stack/base/rng.h"
#include "stack/media/engine.h"

namespace rtclab::media::testing {

inline DataRate Kbps(int64_t kbps) { return DataRate::KilobitsPerSec(kbps); }
inline TimeDelta Ms(int64_t ms) { return TimeDelta::Millis(ms); }

struct PipeConfig {
  TimeDelta delay = TimeDelta::Millis(25);
  TimeDelta jitter;  // uniform, in addition; packets may overtake each other with `reorder`
  bool reorder = false;
  double loss = 0;  // of RTP and RTCP alike
  DataRate rate = DataRate::PlusInfinity();
  TimeDelta queue = TimeDelta::Millis(300);  // longest wait for the link; then packets are dropped
  bool digest = false;                       // whether Pipe::digest is kept
  std::function<bool(const MediaPacket&)> drop;  // true: this packet is lost
};

// One direction.
class Pipe {
 public:
  Pipe(PipeConfig settings, Rng& rng) : config(std::move(settings)), rng_(rng) {}

  void Send(Timestamp now, MediaPacket packet) {
    ++packets;
    bytes += static_cast<int64_t>(packet.bytes.size());
    if (config.digest) {
      digest = (digest ^ packet.bytes.size()) * 0x100000001b3u;
      for (const uint8_t byte : packet.bytes) digest = (digest ^ byte) * 0x100000001b3u;
    }
    if (config.drop && config.drop(packet)) return;
    if (rng_.Bernoulli(config.loss)) return;
    free_ = std::max(free_, now);
    if (!config.rate.IsInfinite()) {
      if (free_ - now > config.queue) return;
      free_ += config.rate.TransmissionTime(
          DataSize::Bytes(static_cast<int64_t>(packet.bytes.size()) + 44));
    }
    Timestamp arrival = free_ + config.delay;
    if (config.jitter > TimeDelta::Zero()) {
      arrival += TimeDelta::Nanos(
          static_cast<int64_t>(rng_.Uniform(0, static_cast<uint64_t>(config.jitter.nanos()))));
    }
    if (!config.reorder) arrival = std::max(arrival, last_arrival_);
    last_arrival_ = std::max(last_arrival_, arrival);
    queue_.push({arrival, next_++, std::make_shared<MediaPacket>(std::move(packet))});
  }
  Timestamp NextArrival() const {
    return queue_.empty() ? Timestamp::PlusInfinity() : queue_.top().arrival;
  }
  std::shared_ptr<MediaPacket> Pop() {
    auto packet = queue_.top().packet;
    queue_.pop();
    return packet;
  }

  PipeConfig config;
  int64_t packets = 0;
  int64_t bytes = 0;
  uint64_t digest = 0xcbf29ce484222325u;  // FNV-1a of all that was sent

 private:
  struct Item {
    Timestamp arrival;
    uint64_t order;
    std::shared_ptr<MediaPacket> packet;
    bool operator<(const Item& o) const {
      return arrival != o.arrival ? arrival > o.arrival : order > o.order;
    }
  };
  Rng& rng_;
  Timestamp free_;
  Timestamp last_arrival_;
  uint64_t next_ = 0;
  std::priority_queue<Item> queue_;
};

// Engines "a" and "b" and the pipes between them.
class Pair {
 public:
  Pair(EngineConfig a_config, EngineConfig b_config, PipeConfig to_b, PipeConfig to_a,
       uint64_t seed = 1)
      : rng_a_(seed, "a"),
        rng_b_(seed, "b"),
        rng_ab_(seed, "a to b"),
        rng_ba_(seed, "b to a"),
        a(std::move(a_config), rng_a_),
        b(std::move(b_config), rng_b_),
        ab(std::move(to_b), rng_ab_),
        ba(std::move(to_a), rng_ba_) {}

  void Connect() {
    a.SetNetworkAvailable(now, true);
    b.SetNetworkAvailable(now, true);
    Drain();
  }
  void RunFor(TimeDelta time) {
    const Timestamp end = now + time;
    while (true) {
      const Timestamp next =
          std::min({a.NextTimeout(), b.NextTimeout(), ab.NextArrival(), ba.NextArrival()});
      if (next > end) break;
      now = std::max(now, next);
      ++steps;
      while (ab.NextArrival() <= now) Deliver(*ab.Pop(), b);
      while (ba.NextArrival() <= now) Deliver(*ba.Pop(), a);
      if (a.NextTimeout() <= now) a.HandleTimeout(now);
      if (b.NextTimeout() <= now) b.HandleTimeout(now);
      Drain();
    }
    now = end;
  }
  void Drain() {
    while (auto packet = a.PollTransmit()) ab.Send(now, std::move(*packet));
    while (auto packet = b.PollTransmit()) ba.Send(now, std::move(*packet));
    while (auto event = a.PollEvent()) a_events.push_back(std::move(*event));
    while (auto event = b.PollEvent()) b_events.push_back(std::move(*event));
  }

 private:
  void Deliver(const MediaPacket& packet, Engine& engine) {
    if (packet.rtcp) {
      engine.HandleRtcp(now, packet.bytes);
    } else {
      engine.HandleRtp(now, packet.bytes, ecn);
    }
  }
  Rng rng_a_;
  Rng rng_b_;
  Rng rng_ab_;
  Rng rng_ba_;

 public:
  Engine a;
  Engine b;
  Pipe ab;
  Pipe ba;
  Timestamp now = Timestamp::Seconds(1);
  uint8_t ecn = 0;
  int64_t steps = 0;
  std::vector<Event> a_events;
  std::vector<Event> b_events;
};

template <typename T>
std::vector<T> EventsOf(const std::vector<Event>& events) {
  std::vector<T> found;
  for (const Event& event : events) {
    if (const T* wanted = std::get_if<T>(&event)) found.push_back(*wanted);
  }
  return found;
}

enum class Feedback { kTransportWide, kCongestionControl, kRemb, kNone };

inline CodecConfig OpusCodec(Feedback feedback = Feedback::kTransportWide) {
  CodecConfig codec;
  codec.name = "opus";
  codec.payload_type = 111;
  codec.clock_rate = 48'000;
  codec.channels = 2;
  codec.transport_cc = feedback == Feedback::kTransportWide;
  codec.ccfb = feedback == Feedback::kCongestionControl;
  return codec;
}

inline CodecConfig Vp8Codec(Feedback feedback = Feedback::kTransportWide) {
  CodecConfig codec;
  codec.rtx_payload_type = 97;
  codec.nack = codec.pli = codec.fir = true;
  codec.transport_cc = feedback == Feedback::kTransportWide;
  codec.ccfb = feedback == Feedback::kCongestionControl;
  codec.remb = feedback == Feedback::kRemb;
  return codec;
}

inline ExtensionIds AllExtensions(Kind kind) {
  ExtensionIds ids;
  ids.mid = 4;
  ids.rid = 10;
  ids.repaired_rid = 11;
  ids.abs_send_time = 2;
  ids.transport_cc = 3;
  ids.audio_level = kind == Kind::kAudio ? 1 : 0;
  return ids;
}

inline SendStreamConfig AudioStream(uint32_t ssrc, Feedback feedback = Feedback::kTransportWide) {
  SendStreamConfig stream;
  stream.mid = "0";
  stream.kind = Kind::kAudio;
  stream.codec = OpusCodec(feedback);
  stream.encodings = {Encoding{ssrc}};
  stream.extensions = AllExtensions(Kind::kAudio);
  stream.track_id = "microphone";
  stream.source = AudioModelConfig{};
  return stream;
}

inline SendStreamConfig VideoStream(uint32_t ssrc, Feedback feedback = Feedback::kTransportWide) {
  SendStreamConfig stream;
  stream.mid = "1";
  stream.kind = Kind::kVideo;
  stream.codec = Vp8Codec(feedback);
  stream.encodings = {Encoding{ssrc, ssrc + 1}};
  stream.extensions = AllExtensions(Kind::kVideo);
  stream.track_id = "camera";
  stream.source = VideoModelConfig{};
  return stream;
}

// What the far end of `stream` is told, without its SSRCs: those come by extensions.
inline ReceiveStreamConfig ReceiverOf(const SendStreamConfig& stream, bool signal_ssrcs = false) {
  ReceiveStreamConfig receiver;
  receiver.mid = stream.mid;
  receiver.kind = stream.kind;
  receiver.codecs = {stream.codec};
  receiver.extensions = stream.extensions;
  receiver.fec = stream.fec;
  receiver.track_id = stream.track_id;
  if (signal_ssrcs) {
    for (const Encoding& encoding : stream.encodings) {
      receiver.ssrcs.push_back({encoding.ssrc, encoding.rtx_ssrc, stream.fec.ssrc, encoding.rid});
    }
  }
  return receiver;
}

inline EngineConfig CallEngine(congestion::ControllerKind kind = congestion::ControllerKind::kGcc) {
  EngineConfig config;
  config.controller = kind;
  config.congestion.limits = {Kbps(100), Kbps(600), Kbps(3000)};
  return config;
}

// a sends `streams` to b, b sends nothing.
inline void SendOneWay(Pair& pair, std::vector<SendStreamConfig> streams) {
  std::vector<ReceiveStreamConfig> receivers;
  for (const auto& stream : streams) receivers.push_back(ReceiverOf(stream));
  pair.b.SetReceiveStreams(pair.now, std::move(receivers));
  pair.a.SetSendStreams(pair.now, std::move(streams));
  pair.Connect();
}

}  // namespace rtclab::media::testing

#endif  // RTCLAB_STACK_MEDIA_TEST_UTIL_H_
