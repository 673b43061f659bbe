#include "sim/ip/reassembly.h"

#include <algorithm>

namespace rtclab::sim {

void Reassembler::Expire(Timestamp now) {
  std::erase_if(datagrams_,
                [now](const auto& entry) { return now - entry.second.started >= kTimeout; });
  if (datagrams_.size() < kMaxDatagrams) return;
  datagrams_.erase(std::min_element(
      datagrams_.begin(), datagrams_.end(),
      [](const auto& a, const auto& b) { return a.second.started < b.second.started; }));
}

Bytes Reassembler::Join(const Datagram& datagram) {
  Bytes out = datagram.header;
  for (const auto& [offset, part] : datagram.parts) out.insert(out.end(), part.begin(), part.end());
  if (out[0] >> 4 == 4) {
    StoreU16(out.data() + 2, static_cast<uint16_t>(out.size()));
    StoreU16(out.data() + 6, 0);
    StoreU16(out.data() + 10, 0);
    const ByteView header = ByteView(out).first(datagram.header.size());
    StoreU16(out.data() + 10, InternetChecksum().Add(header).Value());
  } else {
    StoreU16(out.data() + 4, static_cast<uint16_t>(out.size() - kIpv6HeaderSize));
  }
  return out;
}

std::optional<Bytes> Reassembler::Add(Timestamp now, ByteView packet, const IpView& view) {
  const Key key{view.tuple.source.ip, view.tuple.destination.ip, view.protocol,
                view.identification};
  auto it = datagrams_.find(key);
  if (it == datagrams_.end() || now - it->second.started >= kTimeout) {
    Expire(now);
    it = datagrams_.insert_or_assign(key, Datagram{now, {}, {}, {}, 0}).first;
  }
  Datagram& datagram = it->second;
  const ByteView payload = packet.first(view.total_length).subspan(view.l4_offset);
  const uint32_t begin = view.fragment_offset;
  const uint32_t end = begin + static_cast<uint32_t>(payload.size());
  const auto next = datagram.parts.lower_bound(begin);
  const bool repeats =
      next != datagram.parts.end() && next->first == begin && next->second.size() == payload.size();
  if (repeats) return std::nullopt;  // a duplicate by the network
  bool broken = payload.empty() || end > 65535 || (view.more_fragments && payload.size() % 8 != 0);
  if (next != datagram.parts.end() && next->first < end) broken = true;
  if (next != datagram.parts.begin()) {
    const auto& [offset, part] = *std::prev(next);
    if (offset + part.size() > begin) broken = true;
  }
  if (datagram.size && (end > *datagram.size || !view.more_fragments)) broken = true;
  if (broken) {
    datagrams_.erase(it);
    return std::nullopt;
  }
  if (begin == 0) {
    datagram.header.assign(packet.begin(), packet.begin() + view.l4_offset);
    if (view.version == 6) {
      datagram.header.resize(kIpv6HeaderSize);
      datagram.header[6] = view.protocol;
    }
  }
  if (!view.more_fragments) datagram.size = end;
  datagram.received += static_cast<uint32_t>(payload.size());
  datagram.parts.emplace_hint(next, begin, Bytes(payload.begin(), payload.end()));
  if (!datagram.size || datagram.received < *datagram.size) return std::nullopt;
  std::optional<Bytes> whole;
  if (datagram.header.size() + *datagram.size <= 65535) whole = Join(datagram);
  datagrams_.erase(it);
  return whole;
}

}  // namespace rtclab::sim
