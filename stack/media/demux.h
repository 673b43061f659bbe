// Which m-section, and which stream of it, an RTP packet belongs to (RFC 8843 section 9.2, with the
// RTP stream identifiers of RFC 8852 below it).
#ifndef RTCLAB_STACK_MEDIA_DEMUX_H_
#define RTCLAB_STACK_MEDIA_DEMUX_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "stack/media/config.h"
#include "stack/media/engine_events.h"
#include "stack/rtp/rtp_packet.h"

namespace rtclab::media {

enum class StreamRole : uint8_t { kMedia, kRtx, kFlexfec };

struct Route {
  uint32_t ssrc = 0;
  std::size_t section = 0;  // index into the streams that SetStreams() was given
  StreamRole role = StreamRole::kMedia;
  uint32_t media_ssrc =
      0;  // for kRtx and kFlexfec: what it repairs, 0 if not known yet; else `ssrc`
  std::string rid;
  RemoteSsrcMapped::By by = RemoteSsrcMapped::By::kSignalled;
};

// The tables of RFC 8843 section 9.2. An SSRC that was associated stays so until the m-section
// goes, or a MID says otherwise.
class Demux {
 public:
  // New m-sections; associations of those with the same mid stay, with their new index.
  void SetStreams(const std::vector<ReceiveStreamConfig>& streams);

  struct Result {
    const Route* route = nullptr;  // nullptr: no m-section wants it; valid until the next call
    bool is_new = false;           // the association was made or changed by this packet
  };
  Result Find(const rtp::PacketView& packet);
  // An SDES item named the m-section of a stream (RFC 8843 section 9.2, RFC 8852 section 3).
  void OnSdes(uint32_t ssrc, std::string_view mid, std::string_view rid);
  void Remove(uint32_t ssrc);

  const std::vector<Route>& routes() const { return routes_; }

 private:
  struct PayloadType {
    bool known = false;
    bool ambiguous = false;
    std::size_t section = 0;
    StreamRole role = StreamRole::kMedia;
  };
  struct Section {
    std::string mid;
    std::vector<std::pair<uint8_t, StreamRole>> payload_types;
    ExtensionIds extensions;
  };

  Route* FindRoute(uint32_t ssrc);
  const Section* FindMid(std::string_view mid, std::size_t& index) const;
  std::optional<StreamRole> RoleOf(std::size_t section, uint8_t payload_type) const;
  std::string_view Text(const rtp::PacketView& packet, uint8_t ExtensionIds::*id) const;
  void Pair(Route& route);
  Route& Add(uint32_t ssrc, std::size_t section, StreamRole role, RemoteSsrcMapped::By by);

  std::vector<Section> sections_;
  std::vector<Route> routes_;  // a handful
  std::vector<PayloadType> payload_types_ = std::vector<PayloadType>(128);
  std::vector<std::pair<uint32_t, std::string>> sdes_mids_;
  std::size_t last_ = 0;  // where the last packet's route was
};

}  // namespace rtclab::media

#endif  // RTCLAB_STACK_MEDIA_DEMUX_H_
