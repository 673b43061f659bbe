#include "scenarios/execution/story.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "scenarios/execution/packet_names.h"

namespace rtclab::scenarios {
namespace {

constexpr double kLeastStretchMs = 1'000;

// "host/alice" -> "alice".
std::string NameOf(const std::string& where) { return where.substr(where.find('/') + 1); }

std::string AddressText(const TransportAddress& address) {
  return address.port == 0 ? address.ip.ToString() : address.ToString();
}

// Who is reached at an address: a host, or the LAN whose gateway has it.
std::string OwnerIn(const sim::Network& network, const IpAddress& ip) {
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

bool IsEarlier(const StoryEvent& x, const StoryEvent& y) { return x.time_ms < y.time_ms; }

}  // namespace

void StoryTeller::OnPacketEvent(const sim::PacketEvent& event) {
  if (event.kind == sim::PacketEventKind::kSent) {
    PacketName name = NamePacket(event);
    on_the_way_[event.packet] = messages_.size();
    messages_.push_back({.sent = event.time,
                         .from = NameOf(event.where),
                         .destination = event.tuple.destination,
                         .text = std::move(name.text),
                         .size = event.payload.size(),
                         .bulk = name.bulk});
    return;
  }
  const auto it = on_the_way_.find(event.packet);
  if (it == on_the_way_.end()) return;
  Message& message = messages_[it->second];
  if (event.kind == sim::PacketEventKind::kReceived) {
    message.to = NameOf(event.where);
    message.over = true;
  } else if (event.kind == sim::PacketEventKind::kDropped) {
    message.dropped_at = fmt::format("{}: {}", event.where, event.rule);
    message.dropped_why = event.detail;
    message.over = true;
  }
  if (message.over) on_the_way_.erase(it);
}

// Takes the messages of media and data in order of time, and makes few events of them.
class StoryTeller::BulkTeller {
 public:
  // `marks`: when the story has something else to tell, sorted.
  BulkTeller(std::vector<double> marks, const OwnerOf& owner_of, std::vector<StoryEvent>& story)
      : marks_(std::move(marks)), owner_of_(owner_of), story_(story) {}

  void Add(const Message& message) {
    Way& way = ways_[{message.from, message.destination}];
    // Packets that did not arrive went the same way as those that did.
    if (way.to.empty()) way.to = message.to;
    const double now = message.sent.millis_f();
    if (way.packets > 0) {
      const auto mark =
          std::lower_bound(marks_.begin(), marks_.end(), way.start_ms + kLeastStretchMs);
      if (mark != marks_.end() && *mark <= now) Flush(message.from, message.destination, way);
    }
    const bool first = way.told.insert(message.text + message.dropped_at).second;
    if (first) {
      told_.push_back({&way, story_.size()});
      story_.push_back(
          {.time_ms = now,
           .from = message.from,
           .to = "",
           .text = fmt::format("{} ({} bytes) to {}", message.text, message.size,
                               AddressText(message.destination)),
           .dropped = message.dropped_at.empty()
                          ? ""
                          : fmt::format("{}: {}", message.dropped_at, message.dropped_why)});
      return;
    }
    if (way.packets++ == 0) way.start_ms = now;
    way.end_ms = now;
    way.bytes += message.size;
    way.kinds.Add(message.text);
    if (!message.dropped_at.empty()) way.drops.Add(message.dropped_at);
  }

  void Finish() {
    for (auto& [key, way] : ways_) {
      if (way.packets > 0) Flush(key.first, key.second, way);
    }
    // Who is at the other end is known only now: the first packets of a way may all have been lost.
    for (auto& [key, way] : ways_) {
      if (way.to.empty()) way.to = owner_of_(key.second.ip);
      if (way.to.empty()) way.to = key.second.ToString();
    }
    for (const auto& [way, at] : told_) story_[at].to = way->to;
  }

 private:
  // Counts by name, in order of first appearance.
  class Tally {
   public:
    void Add(const std::string& name) {
      for (auto& [known, count] : counts_) {
        if (known != name) continue;
        ++count;
        return;
      }
      counts_.emplace_back(name, 1);
    }
    bool empty() const { return counts_.empty(); }
    // "214 x SRTP VP8, 50 x SRTP opus".
    std::string Text() const {
      std::string text;
      for (const auto& [name, count] : counts_) {
        text += fmt::format("{}{} x {}", text.empty() ? "" : ", ", count, name);
      }
      return text;
    }

   private:
    std::vector<std::pair<std::string, int>> counts_;
  };

  struct Way {
    std::string to;
    std::set<std::string> told;  // kinds of which the first was told, and where one ended
    double start_ms = 0, end_ms = 0;
    int packets = 0;
    std::size_t bytes = 0;
    Tally kinds, drops;
  };

  void Flush(const std::string& from, const TransportAddress& destination, Way& way) {
    std::string text = fmt::format("{}, {} bytes", way.kinds.Text(), way.bytes);
    if (way.end_ms > way.start_ms) text += fmt::format(", until {:.3f} ms", way.end_ms);
    text += " to " + AddressText(destination);
    if (!way.drops.empty()) text += "; lost: " + way.drops.Text();
    told_.push_back({&way, story_.size()});
    story_.push_back({.time_ms = way.start_ms, .from = from, .to = "", .text = std::move(text)});
    way.packets = 0;
    way.bytes = 0;
    way.kinds = way.drops = Tally();
  }

  std::vector<double> marks_;
  const OwnerOf& owner_of_;
  std::vector<StoryEvent>& story_;
  std::map<std::pair<std::string, TransportAddress>, Way> ways_;
  std::vector<std::pair<const Way*, std::size_t>> told_;  // events, by index
};

std::vector<StoryEvent> StoryTeller::Tell(const std::vector<StoryEvent>& others,
                                          const OwnerOf& owner_of) const {
  std::vector<StoryEvent> story;
  for (const Message& message : messages_) {
    if (!message.over || message.bulk) continue;
    std::string to = message.to.empty() ? owner_of(message.destination.ip) : message.to;
    if (to.empty()) to = message.destination.ToString();
    story.push_back(
        {.time_ms = message.sent.millis_f(),
         .from = message.from,
         .to = to,
         .text = fmt::format("{} to {}", message.text, AddressText(message.destination)),
         .dropped = message.dropped_at.empty()
                        ? ""
                        : fmt::format("{}: {}", message.dropped_at, message.dropped_why)});
  }
  story.insert(story.end(), others.begin(), others.end());
  std::vector<double> marks;
  marks.reserve(story.size());
  for (const StoryEvent& event : story) marks.push_back(event.time_ms);
  std::sort(marks.begin(), marks.end());
  BulkTeller bulk(std::move(marks), owner_of, story);
  for (const Message& message : messages_) {
    if (message.over && message.bulk) bulk.Add(message);
  }
  bulk.Finish();
  std::stable_sort(story.begin(), story.end(), IsEarlier);
  return story;
}

std::vector<StoryEvent> StoryTeller::Tell(
    const std::vector<std::unique_ptr<SessionDriver>>& sessions,
    const sim::Network& network) const {
  std::vector<StoryEvent> notes;
  for (const auto& session : sessions) {
    for (const EndpointRecord* endpoint : {&session->a(), &session->b()}) {
      for (const EndpointRecord::Note& note : endpoint->notes()) {
        notes.push_back({.time_ms = note.time.millis_f(),
                         .from = endpoint->host(),
                         .text = note.text,
                         .session = session->spec().name});
      }
    }
  }
  return Tell(notes, [&](const IpAddress& ip) { return OwnerIn(network, ip); });
}

}  // namespace rtclab::scenarios
