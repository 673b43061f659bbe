#include "scenarios/resolve_media.h"

#include <fmt/format.h>

#include <algorithm>

#include "scenarios/language.h"
#include "scenarios/structure.h"
#include "stack/media/frame_trace.h"

namespace rtclab::scenarios {
namespace {

// A message is checked by its number and its bytes, so that it has a few; and it is made in one piece.
constexpr int64_t kSmallestMessage = 16;
constexpr int64_t kLargestMessage = 16 << 20;

// A sample takes memory, so that there is a limit to how many a second has.
constexpr TimeDelta kShortestSample = TimeDelta::Millis(1);
constexpr TimeDelta kLongestSample = TimeDelta::Seconds(60);

class PeerResolver {
 public:
  PeerResolver(const SessionSpec& session, Report& report) : session_(session), report_(report) {}

  std::optional<PeerSpec> Peer(const Node& node) {
    With(node, "media", [&](const Node& v) { Media(v); });
    With(node, "data", [&](const Node& v) { Data(v); });
    if (!peer_.media && peer_.channels.empty()) {
      for (const char* key : {"controller", "dtls", "sample_interval"}) {
        if (const Node* value = node.Find(key)) {
          report_.Add(value->origin,
                      fmt::format("\"{}\" is for a session with \"media\" or \"data\"", key), true);
        }
      }
      return std::nullopt;
    }
    With(node, "controller", [&](const Node& v) { Controllers(v); });
    With(node, "dtls", [&](const Node& v) {
      With(v, "srtp_profiles", [&](const Node& list) {
        for (const Node& item : list.items) peer_.srtp_profiles.push_back(item.text);
      });
      Read(v, "wrong_fingerprint", peer_.wrong_fingerprint);
    });
    With(node, "sample_interval", [&](const Node& v) {
      peer_.sample_interval = DurationOf(v);
      if (peer_.sample_interval < kShortestSample || peer_.sample_interval > kLongestSample) {
        report_.Add(v.origin,
                    fmt::format("{} is out of range; expected 1 ms to 60 s", Quoted(v.text)));
      }
    });
    return std::move(peer_);
  }

 private:
  // Which of the two hosts a list names.
  void Senders(const Node& object, bool& a, bool& b) {
    With(object, "from", [&](const Node& list) {
      a = b = false;
      const std::vector<std::string> hosts = {session_.a.host, session_.b.host};
      for (const Node& item : list.items) {
        a |= item.text == hosts[0];
        b |= item.text == hosts[1];
        if (item.text == hosts[0] || item.text == hosts[1]) continue;
        report_.Add(item.origin, fmt::format("the host {} is not in this session{}",
                                             Quoted(item.text), Suggestion(item.text, hosts)));
      }
      if (list.items.empty()) report_.Add(list.origin, "nobody sends; expected a host or two");
    });
  }

  void Media(const Node& node) {
    if (node.IsBool() && !node.boolean) return;
    MediaSpec& media = peer_.media.emplace();
    if (!node.IsObject()) return;
    Senders(node, media.from_a, media.from_b);
    With(node, "audio", [&](const Node& v) {
      if (v.IsBool()) media.audio = v.boolean;
      if (!v.IsObject()) return;
      Read(v, "rate", media.audio_rate);
      Read(v, "dtx", media.dtx);
    });
    With(node, "video", [&](const Node& v) {
      if (v.IsBool()) media.video = v.boolean;
      if (!v.IsObject()) return;
      Read(v, "streams", media.video_streams);
      Read(v, "layers", media.layers);
      Read(v, "fps", media.fps);
      Read(v, "source", media.source);
      Trace(v, media);
      ReadEnum(v, "content", kVideoContentNames, media.content);
    });
    if (!media.audio && !media.video) {
      report_.Add(node.origin, "neither audio nor video; expected one of them to be true");
    }
    Read(node, "min_rate", media.min_rate);
    Read(node, "max_rate", media.max_rate);
    media.start_rate =
        std::clamp(media.start_rate, media.min_rate, std::max(media.min_rate, media.max_rate));
    Read(node, "start_rate", media.start_rate);
    if (media.min_rate > media.max_rate || media.start_rate < media.min_rate ||
        media.start_rate > media.max_rate) {
      report_.Add(node.origin, "expected min_rate <= start_rate <= max_rate");
    }
    Read(node, "fec", media.fec);
    Read(node, "nack", media.nack);
    Read(node, "encrypted_extensions", media.encrypted_extensions);
    Read(node, "feedback", media.feedback);
    Read(node, "duration", media.duration);
  }

  void Trace(const Node& video, MediaSpec& media) {
    const Node* trace = video.Find("trace");
    const bool needed = media.source == "trace" || media.source == "hybrid";
    if (needed != (trace != nullptr)) {
      report_.Add(trace == nullptr ? video.origin : trace->origin,
                  needed ? fmt::format("the source {} needs a \"trace\"", Quoted(media.source))
                         : "\"trace\" is for the sources trace and hybrid");
      return;
    }
    if (trace == nullptr) return;
    for (const Node& line : trace->items) media.trace += line.text + "\n";
    if (const auto parsed = media::FrameTrace::Parse(media.trace); !parsed) {
      // The list's item whose text begins where the error's line does.
      std::size_t begins = 0, item = 0;
      while (item + 1 < trace->items.size() &&
             begins + trace->items[item].text.size() + 1 <= parsed.error().offset) {
        begins += trace->items[item++].text.size() + 1;
      }
      report_.Add(trace->items[item].origin, parsed.error().reason);
    }
  }

  void Data(const Node& node) {
    if (node.IsBool()) {
      if (node.boolean) peer_.channels.push_back({.label = "data"});
      return;
    }
    if (node.IsObject()) return Channel(node, "data");
    for (std::size_t i = 0; i < node.items.size(); ++i) {
      Channel(node.items[i], fmt::format("data-{}", i + 1));
    }
  }

  void Channel(const Node& node, std::string default_label) {
    ChannelSpec channel;
    channel.label = std::move(default_label);
    Read(node, "label", channel.label);
    Senders(node, channel.from_a, channel.from_b);
    With(node, "amount", [&](const Node& v) { channel.amount = SizeOf(v); });
    With(node, "message_size", [&](const Node& v) {
      channel.message_size = SizeOf(v);
      if (channel.message_size < kSmallestMessage || channel.message_size > kLargestMessage) {
        report_.Add(v.origin, fmt::format("{} is out of range; expected {} B to {} MiB",
                                          Quoted(v.text), kSmallestMessage, kLargestMessage >> 20));
      }
    });
    With(node, "rate", [&](const Node& v) { channel.rate = RateOf(v); });
    Read(node, "start", channel.start);
    Read(node, "ordered", channel.ordered);
    With(node, "max_retransmits",
         [&](const Node& v) { channel.max_retransmits = static_cast<int>(v.integer); });
    With(node, "max_lifetime", [&](const Node& v) { channel.max_lifetime = DurationOf(v); });
    if (channel.max_retransmits && channel.max_lifetime) {
      report_.Add(
          node.origin,
          "\"max_retransmits\" and \"max_lifetime\" exclude each other (RFC 8832 section 5.1)");
    }
    Read(node, "priority", channel.priority);
    const auto same = [&](const ChannelSpec& c) { return c.label == channel.label; };
    if (std::any_of(peer_.channels.begin(), peer_.channels.end(), same)) {
      report_.Add(node.origin,
                  fmt::format("a second data channel called {}", Quoted(channel.label)));
    }
    peer_.channels.push_back(std::move(channel));
  }

  void Controllers(const Node& node) {
    if (!node.IsObject()) {
      peer_.controller_a = peer_.controller_b = node.text;
      return;
    }
    const std::vector<std::string> hosts = {session_.a.host, session_.b.host};
    for (const Member& member : node.members) {
      if (member.key == hosts[0]) peer_.controller_a = member.value.text;
      if (member.key == hosts[1]) peer_.controller_b = member.value.text;
      if (member.key == hosts[0] || member.key == hosts[1]) continue;
      report_.Add(member.value.origin,
                  fmt::format("the host {} is not in this session{}", Quoted(member.key),
                              Suggestion(member.key, hosts)),
                  true);
    }
  }

  const SessionSpec& session_;
  Report& report_;
  PeerSpec peer_;
};

class FlowResolver {
 public:
  FlowResolver(const Node& node, NetworkResolver& network, Report& report)
      : node_(node), network_(network), report_(report) {}

  FlowSpec Flow(std::string name, TimeDelta run_end) {
    flow_.name = std::move(name);
    ReadEnum(node_, "type", kFlowNames, flow_.kind);
    Read(node_, "start", flow_.start);
    Read(node_, "stop", flow_.stop);
    Read(node_, "rate", flow_.rate);
    With(node_, "amount", [&](const Node& v) { flow_.amount = SizeOf(v); });
    With(node_, "files", [&](const Node& v) {
      flow_.file_min = SizeOf(v.items[0]);
      flow_.file_max = SizeOf(v.items[1]);
      if (flow_.file_min > flow_.file_max) {
        report_.Add(v.origin, "the least size is more than the greatest");
      }
    });
    Read(node_, "idle", flow_.idle_mean);
    Read(node_, "starts_idle", flow_.starts_idle);
    Keys();
    Times(run_end);
    Hosts();
    return std::move(flow_);
  }

 private:
  bool tcp() const { return flow_.kind == FlowSpec::Kind::kTcp; }
  bool Has(const char* key) const { return node_.Find(key) != nullptr; }
  void OnKey(const char* key, const std::string& message) {
    report_.Add(node_.Find(key)->origin, message, true);
  }

  // Which keys go with which kind and with each other.
  void Keys() {
    if (!tcp()) {
      for (const char* key : {"amount", "files", "idle", "starts_idle"}) {
        if (Has(key)) OnKey(key, fmt::format("\"{}\" is for tcp", key));
      }
      if (!Has("rate")) report_.Add(node_.origin, "udp needs a \"rate\"");
      return;
    }
    if (Has("rate")) OnKey("rate", "\"rate\" is for udp; TCP finds its own");
    for (const char* key : {"idle", "starts_idle"}) {
      if (Has(key) && !Has("files")) OnKey(key, fmt::format("\"{}\" needs \"files\"", key));
    }
    if (Has("amount") && Has("files")) {
      OnKey("amount", "\"amount\" and \"files\" exclude each other");
    }
  }

  void Times(TimeDelta run_end) {
    if (flow_.stop <= flow_.start) return report_.Add(node_.origin, "stops before it starts");
    if (flow_.start < run_end) return;
    report_.Add(node_.Find("start")->origin,
                fmt::format("would start after the run's end, {} s", run_end.seconds()));
  }

  void Hosts() {
    Read(node_, "from", flow_.from);
    Read(node_, "to", flow_.to);
    const sim::HostSpec* from = Host(*node_.Find("from"));
    const sim::HostSpec* to = Host(*node_.Find("to"));
    if (from == nullptr || to == nullptr) return;
    if (from == to) return report_.Add(node_.origin, "a flow from a host to itself");
    if (!(from->ipv4 && to->ipv4) && !(from->ipv6 && to->ipv6)) {
      report_.Add(node_.origin, fmt::format("{} and {} have no address family in common",
                                            Quoted(flow_.from), Quoted(flow_.to)));
    }
  }

  const sim::HostSpec* Host(const Node& name) {
    sim::HostSpec* host = network_.FindHost(name.text);
    if (host == nullptr) {
      report_.Add(name.origin, fmt::format("unknown host {}{}", Quoted(name.text),
                                           Suggestion(name.text, network_.HostNames())));
    } else if (tcp()) {
      host->ns3_stack = true;
    }
    return host;
  }

  const Node& node_;
  NetworkResolver& network_;
  Report& report_;
  FlowSpec flow_;
};

}  // namespace

void ResolvePeer(const Node& session_node, SessionSpec& session, Report& report) {
  session.peer = PeerResolver(session, report).Peer(session_node);
}

std::vector<FlowSpec> ResolveFlows(const Node& flows, NetworkResolver& network, TimeDelta run_end,
                                   Report& report) {
  std::vector<FlowSpec> out;
  for (const Member& member : flows.members) {
    out.push_back(FlowResolver(member.value, network, report).Flow(member.key, run_end));
  }
  return out;
}

}  // namespace rtclab::scenarios
