#include "conformance/report/exchange_describer.h"

#include <fmt/format.h>

#include "results/report/terminal.h"
#include "stack/stun/message.h"

namespace rtclab::conformance {

std::string ExchangeDescriber::Head(const Packet& packet) {
  const std::string who = results::Printable(packet.who);
  std::string text = fmt::format("{:>10.3f} ms  ", packet.at.millis_f());
  if (packet.bytes.empty() && !packet.note.empty()) {
    return text + (who.empty() ? "" : who + ": ") + results::Printable(packet.note);
  }
  text += fmt::format("{} {} {} {}  {}  {}", who, packet.local.ToString(),
                      packet.sent ? "->" : "<-", packet.remote.ToString(),
                      ToString(packet.transport), BytesText(packet.bytes.size()));
  if (!packet.note.empty()) text += "  (" + results::Printable(packet.note) + ")";
  return text;
}

Lines ExchangeDescriber::StreamPiece(const Packet& packet) {
  Stream& stream = streams_[{packet.who, packet.local, packet.remote}];
  const std::size_t way = packet.sent ? 1 : 0;
  if (stream.data || packet.who.starts_with("peer")) {
    return DescribeData(packet.bytes, "data of the connection");
  }
  if (stream.lost[way]) return DescribeData(packet.bytes, "more bytes behind the fault");
  Bytes& pending = stream.pending[way];
  const std::size_t before = pending.size();
  pending.insert(pending.end(), packet.bytes.begin(), packet.bytes.end());
  StreamPieces pieces = DescribePieces(pending);
  stream.lost[way] = pieces.lost;
  Lines lines = std::move(pieces.lines);
  if (before > 0 && !lines.empty())
    lines[0] += fmt::format(" (with {} from before)", BytesText(before));
  if (pieces.bound) {
    stream.data = true;
    if (!pieces.rest.empty()) Append(lines, DescribeData(pieces.rest, "data of the connection"));
  } else if (!pieces.rest.empty()) {
    lines.push_back(DescribeIncomplete(pieces.rest));
  }
  pending.erase(pending.begin(), pending.end() - static_cast<std::ptrdiff_t>(pieces.rest.size()));
  return lines;
}

Lines ExchangeDescriber::Body(const Packet& packet) {
  if (packet.bytes.empty() && !packet.note.empty()) return {};
  if (packet.transport == Transport::kTcp || packet.transport == Transport::kTls) {
    return StreamPiece(packet);
  }
  // What peers exchange is data, unless it is STUN through and through.
  if (packet.who.starts_with("peer") && !stun::MessageView::Parse(packet.bytes)) {
    return DescribeData(packet.bytes, "data");
  }
  return DescribeDatagram(packet.bytes);
}

Lines DescribeExchange(const Exchange& exchange) {
  ExchangeDescriber describer;
  Lines lines;
  for (const Packet& packet : exchange) {
    lines.push_back(ExchangeDescriber::Head(packet));
    Append(lines, describer.Body(packet), "              ");
  }
  return lines;
}

}  // namespace rtclab::conformance
