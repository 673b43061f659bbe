#include "results/report/call_tables.h"

#include <fmt/format.h>

#include <vector>

#include "results/report/extra.h"
#include "results/report/table.h"

namespace rtclab::results {
namespace {

std::string Way(const Json& json) {
  return Printable(TextOf(json, "from")) + " -> " + Printable(TextOf(json, "to"));
}

std::string CountText(const Json& json, std::string_view name) {
  const std::optional<double> value = NumberOf(json, name);
  return value ? fmt::format("{:.0f}", *value) : "-";
}

std::string MsText(const std::optional<double>& ms) {
  return ms ? fmt::format("{:.1f}", *ms) : "-";
}

std::string MediaTable(const Json& media, const Terminal& t) {
  std::vector<TableRow> rows;
  for (const Json& stream : media) {
    std::string name = TextOf(stream, "kind") + " " + TextOf(stream, "mid");
    if (const std::string rid = TextOf(stream, "rid"); !rid.empty()) name += " " + rid;
    rows.push_back({Way(stream), Printable(name), MsText(NumberOf(stream, "first_frame_ms")),
                    CountText(stream, "packets_sent"), CountText(stream, "packets_lost"),
                    CountText(stream, "packets_retransmitted"), CountText(stream, "nacks"),
                    CountText(stream, "plis"), CountText(stream, "frames_rendered"),
                    CountText(stream, "freeze_count"), CountText(stream, "freeze_ms")});
  }
  if (rows.empty()) return "";
  return "\n  Media\n" + Table({{"direction"},
                                {"stream"},
                                {"first ms", true},
                                {"packets", true},
                                {"lost", true},
                                {"resent", true},
                                {"NACKs", true},
                                {"PLIs", true},
                                {"shown", true},
                                {"freezes", true},
                                {"ms", true}},
                               rows, t);
}

std::string PathTable(const Json& paths, const Terminal& t) {
  std::vector<TableRow> rows;
  for (const Json& path : paths) {
    if (!NumberOf(path, "throughput_bps")) continue;  // nothing ever arrived
    const Json delay = path.is_object() ? path.value("queue_delay_ms", Json()) : Json();
    rows.push_back({Way(path), Printable(TextOf(path, "controller")),
                    MegabitText(NumberOf(path, "throughput_bps")), MsText(NumberOf(delay, "p50")),
                    MsText(NumberOf(delay, "p95")), MsText(NumberOf(delay, "p99"))});
  }
  if (rows.empty()) return "";
  return "\n  Paths\n" + Table({{"direction"},
                                {"controller"},
                                {"Mbit/s", true},
                                {"queue p50 ms", true},
                                {"p95", true},
                                {"p99", true}},
                               rows, t);
}

std::string ChannelTable(const Json& channels, const Terminal& t) {
  std::vector<TableRow> rows;
  for (const Json& channel : channels) {
    const auto intact = channel.is_object() ? channel.find("intact") : channel.end();
    const bool is_intact = channel.is_object() && intact != channel.end() && *intact == true;
    rows.push_back({Way(channel), Printable(TextOf(channel, "label")),
                    CountText(channel, "messages_sent"), CountText(channel, "messages_received"),
                    CountText(channel, "bytes_received"), MsText(NumberOf(channel, "transfer_ms")),
                    MegabitText(NumberOf(channel, "throughput_bps")), is_intact ? "yes" : "NO"});
  }
  if (rows.empty()) return "";
  return "\n  Data channels\n" + Table({{"direction"},
                                        {"label"},
                                        {"sent", true},
                                        {"received", true},
                                        {"bytes", true},
                                        {"took ms", true},
                                        {"Mbit/s", true},
                                        {"intact"}},
                                       rows, t);
}

}  // namespace

std::string MegabitText(const std::optional<double>& bps) {
  return bps ? fmt::format("{:.3f}", *bps / 1e6) : "-";
}

std::string CallTables(const Session& session, const Terminal& terminal) {
  return MediaTable(ElementsOf(session.extra, "media"), terminal) +
         PathTable(ElementsOf(session.extra, "paths"), terminal) +
         ChannelTable(ElementsOf(session.extra, "data_channels"), terminal);
}

}  // namespace rtclab::results
