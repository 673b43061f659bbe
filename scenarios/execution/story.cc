#include "scenarios/execution/story.h"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>

#include "stack/stun/attribute.h"
#include "stack/stun/demux.h"
#include "stack/stun/message.h"

namespace rtclab::scenarios {
namespace {

// "host/alice" -> "alice".
std::string NameOf(const std::string& where) { return where.substr(where.find('/') + 1); }

std::string DescribeStun(const stun::MessageView& message) {
  std::string text = fmt::format("{} {}", stun::ToString(message.method()),
                                 stun::ToString(message.message_class()));
  if (const auto error = message.GetErrorCode()) text += fmt::format(" {}", error->code);
  if (message.Has(stun::AttributeType::kUseCandidate)) text += " (nominates)";
  return text;
}

// What a UDP payload is, in a few words; what a TURN message carries is described too.
std::string DescribePayload(ByteView payload) {
  constexpr std::size_t kChannelHeader = 4;  // RFC 8656 section 12.4
  switch (stun::Classify(payload)) {
    case stun::PacketKind::kStun: {
      const auto message = stun::MessageView::Parse(payload);
      if (!message) return "malformed STUN";
      std::string text = DescribeStun(*message);
      if (const auto data = message->Find(stun::AttributeType::kData))
        text += fmt::format(" [{}]", DescribePayload(*data));
      return text;
    }
    case stun::PacketKind::kChannelData:
      return payload.size() < kChannelHeader
                 ? "malformed ChannelData"
                 : fmt::format("ChannelData [{}]",
                               DescribePayload(payload.subspan(kChannelHeader)));
    default:
      return fmt::format("{} bytes of data", payload.size());
  }
}

std::string DescribePacket(const sim::PacketEvent& event) {
  switch (event.tuple.protocol) {
    case sim::IpProtocol::kUdp:
      return DescribePayload(event.payload);
    case sim::IpProtocol::kTcp:
      return "TCP segment";
    case sim::IpProtocol::kIcmp:
    case sim::IpProtocol::kIcmpv6:
      return event.stun_transaction ? "ICMP error about a STUN message" : "ICMP message";
  }
  return "packet";
}

// Who is reached at an address: a host, or the LAN whose gateway has it.
std::string OwnerOf(const sim::Network& network, const IpAddress& ip) {
  for (const sim::HostSpec& host : network.spec().hosts) {
    const auto& own = network.addresses(host.name);
    if (std::find(own.begin(), own.end(), ip) != own.end()) return host.name;
  }
  for (const sim::LanSpec& lan : network.spec().lans) {
    const auto& own = network.external_addresses(lan.name);
    if (std::find(own.begin(), own.end(), ip) != own.end()) return lan.name;
  }
  return "";
}

}  // namespace

void StoryTeller::OnPacketEvent(const sim::PacketEvent& event) {
  if (event.kind == sim::PacketEventKind::kSent) {
    by_packet_[event.packet] = messages_.size();
    messages_.push_back({.sent = event.time,
                         .from = NameOf(event.where),
                         .destination = event.tuple.destination,
                         .text = DescribePacket(event)});
    return;
  }
  const auto it = by_packet_.find(event.packet);
  if (it == by_packet_.end()) return;
  Message& message = messages_[it->second];
  switch (event.kind) {
    case sim::PacketEventKind::kTranslated:
      message.translated +=
          fmt::format("{}{}: {} -> {}", message.translated.empty() ? "" : ", ", event.where,
                      event.tuple.source.ToString(),
                      event.translated ? event.translated->source.ToString() : "");
      break;
    case sim::PacketEventKind::kReceived:
      message.to = NameOf(event.where);
      message.over = true;
      break;
    case sim::PacketEventKind::kDropped:
      message.dropped = fmt::format("{}: {}: {}", event.where, event.rule, event.detail);
      message.over = true;
      break;
    case sim::PacketEventKind::kSent:
      break;
  }
}

std::vector<StoryEvent> StoryTeller::Tell(
    const std::vector<std::unique_ptr<SessionDriver>>& sessions,
    const sim::Network& network) const {
  std::vector<StoryEvent> story;
  for (const Message& message : messages_) {
    if (!message.over) continue;
    std::string to = message.to.empty() ? OwnerOf(network, message.destination.ip) : message.to;
    if (to.empty()) to = message.destination.ToString();
    story.push_back(
        {.time_ms = message.sent.millis_f(),
         .from = message.from,
         .to = to,
         .text = fmt::format("{} to {}", message.text,
                             message.destination.port == 0 ? message.destination.ip.ToString()
                                                           : message.destination.ToString()),
         .dropped = message.dropped});
  }
  for (const auto& session : sessions) {
    for (const EndpointRecord* endpoint : {&session->a(), &session->b()}) {
      for (const EndpointRecord::Note& note : endpoint->notes()) {
        story.push_back({.time_ms = note.time.millis_f(),
                         .from = endpoint->host(),
                         .text = note.text,
                         .session = session->spec().name});
      }
    }
  }
  std::stable_sort(story.begin(), story.end(),
                   [](const StoryEvent& x, const StoryEvent& y) { return x.time_ms < y.time_ms; });
  return story;
}

}  // namespace rtclab::scenarios
