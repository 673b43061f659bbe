#include "scenarios/runner/sequence_chart.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <set>

namespace rtclab::scenarios {
namespace {

using results::Color;
using results::Paint;
using results::Terminal;

constexpr std::size_t kTimeWidth = 11;
constexpr std::size_t kMinSpacing = 9;
constexpr std::size_t kMaxSpacing = 20;
constexpr std::size_t kMinText = 34;
constexpr std::size_t kLeastText = 20;  // with fewer columns of text it is a list

const sim::LanSpec* FindLan(const RunSpec& spec, const std::string& name) {
  for (const sim::LanSpec& lan : spec.network.lans) {
    if (lan.name == name) return &lan;
  }
  return nullptr;
}

// The networks between a host and the core, the host's own first.
std::vector<const sim::LanSpec*> WayOut(const RunSpec& spec, const std::string& host_name) {
  std::vector<const sim::LanSpec*> way;
  for (const sim::HostSpec& host : spec.network.hosts) {
    if (host.name != host_name) continue;
    for (const sim::AttachmentSpec& attachment : host.attachments) {
      const sim::LanSpec* lan = FindLan(spec, attachment.lan);
      while (lan != nullptr && std::find(way.begin(), way.end(), lan) == way.end()) {
        way.push_back(lan);
        lan = FindLan(spec, lan->parent);
      }
    }
  }
  return way;
}

class ColumnList {
 public:
  void AddHost(const std::string& name) { Add({name, {name, "host/" + name}}); }
  void AddLan(const sim::LanSpec& lan) {
    const std::string kind = lan.nat ? "NAT " : lan.firewall ? "firewall " : "";
    Add({kind + lan.name,
         {lan.name, "nat/" + lan.name, "firewall/" + lan.name, "router/" + lan.name}});
  }
  void AddServer(const ServerSpec& server) {
    Add({server.name, {server.name, server.host, "host/" + server.host}});
  }
  std::vector<ChartColumn> Take() { return std::move(columns_); }

 private:
  void Add(ChartColumn column) {
    if (seen_.insert(column.names.front()).second) columns_.push_back(std::move(column));
  }
  std::vector<ChartColumn> columns_;
  std::set<std::string> seen_;
};

class Chart {
 public:
  Chart(std::span<const StoryEvent> events, std::vector<ChartColumn> columns,
        const Terminal& terminal)
      : columns_(std::move(columns)), terminal_(terminal) {
    std::set<std::string> named;
    std::set<std::string> sessions;
    for (const StoryEvent& e : events) {
      for (const std::string& name : {e.from, e.to}) {
        if (name.empty()) continue;
        named.insert(name);
        if (!IndexOf(name)) columns_.push_back({name, {name}});
      }
      named.insert(NodeOf(e.dropped));
      if (!e.session.empty()) sessions.insert(e.session);
    }
    std::erase_if(columns_, [&](const ChartColumn& c) {
      return std::none_of(c.names.begin(), c.names.end(),
                          [&](const std::string& n) { return named.contains(n); });
    });
    several_sessions_ = sessions.size() > 1;
    const auto width = static_cast<std::size_t>(terminal_.width);
    const std::size_t count = std::max<std::size_t>(columns_.size(), 1);
    const std::size_t room = width > kTimeWidth + kMinText ? width - kTimeWidth - kMinText : 0;
    spacing_ = std::clamp(room / count, kMinSpacing, kMaxSpacing);
    text_at_ = kTimeWidth + LanesWidth() + 1;
    is_list_ = !columns_.empty() && text_at_ + kLeastText > width;
    if (is_list_) {
      needed_ = text_at_ + kLeastText;
      text_at_ = kTimeWidth;
    }
    text_width_ = std::max(width, text_at_ + kLeastText) - text_at_;
  }

  std::string Head() const {
    if (is_list_) return ListHead();
    std::vector<std::vector<std::string>> titles;
    std::size_t height = 1;
    for (const ChartColumn& c : columns_) {
      titles.push_back(results::Wrap(results::Printable(c.title), spacing_ - 1));
      height = std::max(height, titles.back().size());
    }
    std::string out;
    for (std::size_t row = 0; row < height; ++row) {
      std::string line = results::PadLeft(row + 1 == height ? "ms " : "", kTimeWidth);
      for (const std::vector<std::string>& title : titles) {
        const std::size_t skip = height - title.size();
        const std::string text = row < skip ? "" : title[row - skip];
        const std::size_t left = (spacing_ - std::min(spacing_, results::Columns(text))) / 2;
        line += results::PadRight(std::string(left, ' ') + text, spacing_);
      }
      out += Paint(terminal_, Color::kBold, TrimRight(line)) + "\n";
    }
    return out;
  }

  std::string Event(const StoryEvent& e) const {
    const bool dropped = !e.dropped.empty();
    const Color color = dropped ? Color::kRed : Color::kNone;
    const std::string session =
        several_sessions_ && !e.session.empty() ? "[" + e.session + "] " : "";
    const std::string text = results::Printable(session + (is_list_ ? Way(e) : "") + e.text);
    std::vector<std::string> lines = results::Wrap(text, text_width_);
    const std::size_t plain = lines.size();
    if (dropped) {
      for (std::string& line : results::Wrap(results::Printable(e.dropped), text_width_ - 2)) {
        lines.push_back((lines.size() == plain ? "X " : "  ") + std::move(line));
      }
    }
    std::string out = fmt::format("{:>10.3f} ", e.time_ms);
    for (std::size_t i = 0; i < lines.size(); ++i) {
      if (i > 0) out += std::string(kTimeWidth, ' ');
      if (!is_list_) {
        const std::string lanes = i == 0 ? Arrow(e) : Lanes();
        out += Paint(terminal_, i == 0 ? color : Color::kNone, lanes) + " ";
      }
      out += Paint(terminal_, i < plain ? Color::kNone : Color::kRed, lines[i]) + "\n";
    }
    return out;
  }

 private:
  std::string ListHead() const {
    std::string out;
    const std::string text = fmt::format("as a list: the chart needs {} columns, there are {}",
                                         needed_, terminal_.width);
    for (const std::string& line :
         results::Wrap(text, static_cast<std::size_t>(std::max(terminal_.width, 1)))) {
      out += Paint(terminal_, Color::kDim, line) + "\n";
    }
    return out + Paint(terminal_, Color::kBold, results::PadLeft("ms", kTimeWidth - 1)) + "\n";
  }
  static std::string Way(const StoryEvent& e) {
    if (e.from.empty()) return "";
    return e.to.empty() ? e.from + ": " : e.from + " -> " + e.to + ": ";
  }

  static std::string TrimRight(const std::string& text) {
    return text.substr(0, text.find_last_not_of(' ') + 1);
  }

  std::optional<std::size_t> IndexOf(const std::string& name) const {
    for (std::size_t i = 0; i < columns_.size(); ++i) {
      const std::vector<std::string>& names = columns_[i].names;
      if (std::find(names.begin(), names.end(), name) != names.end()) return i;
    }
    return std::nullopt;
  }
  std::size_t LaneAt(std::size_t index) const { return index * spacing_ + spacing_ / 2; }
  std::size_t LanesWidth() const { return columns_.empty() ? 0 : LaneAt(columns_.size() - 1) + 2; }
  // "nat/home: rule: sentence" begins with the node where a packet ended.
  static std::string NodeOf(const std::string& dropped) {
    return dropped.substr(0, dropped.find(':'));
  }

  std::string Lanes() const {
    std::string row(LanesWidth(), ' ');
    for (std::size_t i = 0; i < columns_.size(); ++i) row[LaneAt(i)] = '|';
    return row;
  }

  // The column at which a dropped packet ended: what stands before the first colon of `dropped`, when that lies on the
  // packet's way.
  std::size_t EndOf(const StoryEvent& e, std::size_t from, std::size_t to) const {
    if (e.dropped.empty()) return to;
    const std::optional<std::size_t> end = IndexOf(NodeOf(e.dropped));
    if (!end || *end == from) return to;
    return *end >= std::min(from, to) && *end <= std::max(from, to) ? *end : to;
  }

  std::string Arrow(const StoryEvent& e) const {
    std::string row = Lanes();
    const std::optional<std::size_t> from = IndexOf(e.from);
    const std::optional<std::size_t> to = e.to.empty() ? from : IndexOf(e.to);
    if (!from || !to) return row;
    if (*from == *to) {
      row[LaneAt(*from)] = e.dropped.empty() ? '*' : 'X';
      return row;
    }
    const std::size_t start = LaneAt(*from);
    const std::size_t end = LaneAt(EndOf(e, *from, *to));
    for (std::size_t x = std::min(start, end) + 1; x < std::max(start, end); ++x) row[x] = '-';
    row[start] = '+';
    if (e.dropped.empty()) {
      row[end + (start < end ? -1 : 1)] = start < end ? '>' : '<';
    } else {
      row[end] = 'X';
    }
    return row;
  }

  std::vector<ChartColumn> columns_;
  Terminal terminal_;
  bool several_sessions_ = false;
  bool is_list_ = false;
  std::size_t needed_ = 0;  // columns of the terminal for a chart
  std::size_t spacing_ = kMinSpacing;
  std::size_t text_at_ = 0;
  std::size_t text_width_ = kMinText;
};

}  // namespace

std::vector<ChartColumn> ColumnsFor(const RunSpec& spec) {
  ColumnList list;
  for (const SessionSpec& s : spec.sessions) {
    list.AddHost(s.a.host);
    for (const sim::LanSpec* lan : WayOut(spec, s.a.host)) list.AddLan(*lan);
  }
  for (const ProbeSpec& p : spec.probes) {
    list.AddHost(p.host);
    for (const sim::LanSpec* lan : WayOut(spec, p.host)) list.AddLan(*lan);
  }
  for (const ServerSpec& server : spec.servers) list.AddServer(server);
  for (const SessionSpec& s : spec.sessions) {
    std::vector<const sim::LanSpec*> way = WayOut(spec, s.b.host);
    std::reverse(way.begin(), way.end());
    for (const sim::LanSpec* lan : way) list.AddLan(*lan);
    list.AddHost(s.b.host);
  }
  return list.Take();
}

std::string SequenceChart(std::span<const StoryEvent> events, std::vector<ChartColumn> columns,
                          const Terminal& terminal, std::size_t max_events) {
  const std::size_t shown = max_events == 0 ? events.size() : std::min(max_events, events.size());
  const Chart chart(events.first(shown), std::move(columns), terminal);
  std::string out = chart.Head();
  for (const StoryEvent& e : events.first(shown)) out += chart.Event(e);
  if (shown < events.size()) {
    const std::size_t more = events.size() - shown;
    out += fmt::format("... {} more event{}\n", more, more == 1 ? "" : "s");
  }
  return out;
}

}  // namespace rtclab::scenarios
