#include "scenarios/resolve_media.h"

#include <fmt/format.h>

#include <algorithm>

#include "scenarios/language.h"
#include "scenarios/structure.h"
#include "stack/media/frame_trace.h"

namespace rtclab::scenarios {
namespace {

void ReadRate(const Node& object, std::string_view key, DataRate& out) {
  With(object, key, [&](const Node& v) {
    out = DataRate::BitsPerSec(static_cast<int64_t>(QuantityOf(v, QuantityKind::kRate)));
  });
}

int64_t SizeOf(const Node& node) {
  return static_cast<int64_t>(QuantityOf(node, QuantityKind::kSize));
}

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
    Read(node, "sample_interval", peer_.sample_interval);
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
      ReadRate(v, "rate", media.audio_rate);
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
    });
    if (!media.audio && !media.video) {
      report_.Add(node.origin, "neither audio nor video; expected one of them to be true");
    }
    ReadRate(node, "min_rate", media.min_rate);
    ReadRate(node, "max_rate", media.max_rate);
    media.start_rate =
        std::clamp(media.start_rate, media.min_rate, std::max(media.min_rate, media.max_rate));
    ReadRate(node, "start_rate", media.start_rate);
    if (media.min_rate > media.max_rate || media.start_rate < media.min_rate ||
        media.start_rate > media.max_rate) {
      report_.Add(node.origin, "expected min_rate <= start_rate <= max_rate");
    }
    Read(node, "fec", media.fec);
    Read(node, "nack", media.nack);
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
      // A number and a digest make a message one that can be checked.
      if (channel.message_size < kSmallestMessage) {
        report_.Add(v.origin, fmt::format("is less than {} B", kSmallestMessage));
      }
    });
    With(node, "rate", [&](const Node&) {
      DataRate rate;
      ReadRate(node, "rate", rate);
      channel.rate = rate;
    });
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

  static constexpr int64_t kSmallestMessage = 16;

  const SessionSpec& session_;
  Report& report_;
  PeerSpec peer_;
};

void CheckFlow(const Node& node, const FlowSpec& flow, Report& report) {
  const bool tcp = flow.kind == FlowSpec::Kind::kTcp;
  for (const char* key : {"amount", "files", "idle", "starts_idle"}) {
    const Node* value = node.Find(key);
    if (value != nullptr && !tcp) {
      report.Add(value->origin, fmt::format("\"{}\" is for tcp", key), true);
    }
  }
  if (const Node* rate = node.Find("rate"); rate != nullptr && tcp) {
    report.Add(rate->origin, "\"rate\" is for udp; TCP finds its own", true);
  } else if (rate == nullptr && !tcp) {
    report.Add(node.origin, "udp needs a \"rate\"");
  }
  for (const char* key : {"idle", "starts_idle"}) {
    if (const Node* value = node.Find(key); value != nullptr && node.Find("files") == nullptr) {
      report.Add(value->origin, fmt::format("\"{}\" needs \"files\"", key), true);
    }
  }
  if (flow.file_min > flow.file_max) {
    report.Add(node.Find("files")->origin, "the least size is more than the greatest");
  }
  if (flow.stop <= flow.start) report.Add(node.origin, "stops before it starts");
}

}  // namespace

void ResolvePeer(const Node& session_node, SessionSpec& session, Report& report) {
  session.peer = PeerResolver(session, report).Peer(session_node);
}

std::vector<FlowSpec> ResolveFlows(const Node& flows, NetworkResolver& network, Report& report) {
  std::vector<FlowSpec> out;
  for (const Member& member : flows.members) {
    const Node& node = member.value;
    FlowSpec& flow = out.emplace_back();
    flow.name = member.key;
    ReadEnum(node, "type", kFlowNames, flow.kind);
    Read(node, "from", flow.from);
    Read(node, "to", flow.to);
    Read(node, "start", flow.start);
    Read(node, "stop", flow.stop);
    ReadRate(node, "rate", flow.rate);
    With(node, "amount", [&](const Node& v) { flow.amount = SizeOf(v); });
    With(node, "files", [&](const Node& v) {
      flow.file_min = SizeOf(v.items[0]);
      flow.file_max = SizeOf(v.items[1]);
    });
    Read(node, "idle", flow.idle_mean);
    Read(node, "starts_idle", flow.starts_idle);
    CheckFlow(node, flow, report);
    for (const char* key : {"from", "to"}) {
      const Node& name = *node.Find(key);
      sim::HostSpec* host = network.FindHost(name.text);
      if (host == nullptr) {
        report.Add(name.origin, fmt::format("unknown host {}{}", Quoted(name.text),
                                            Suggestion(name.text, network.HostNames())));
      } else if (flow.kind == FlowSpec::Kind::kTcp) {
        host->ns3_stack = true;
      }
    }
    if (flow.from == flow.to) report.Add(node.origin, "a flow from a host to itself");
  }
  return out;
}

}  // namespace rtclab::scenarios
