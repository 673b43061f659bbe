// When the phases of a connection's set-up were over; times are the driver's.
#ifndef RTCLAB_STACK_PEER_TIMELINE_H_
#define RTCLAB_STACK_PEER_TIMELINE_H_

#include <optional>

#include "stack/base/units.h"

namespace rtclab::peer {

// Each is the first time it happened, over all transports; empty: not yet.
struct Timeline {
  std::optional<Timestamp> gathering_started;
  std::optional<Timestamp> gathering_complete;  // of all transports
  std::optional<Timestamp> first_valid_pair;
  std::optional<Timestamp> ice_connected;  // iceConnectionState connected or completed
  std::optional<Timestamp> pair_selected;
  std::optional<Timestamp> dtls_started;
  std::optional<Timestamp> dtls_connected;
  std::optional<Timestamp> connected;  // connectionState
  std::optional<Timestamp> sctp_connected;
  std::optional<Timestamp> data_channel_open;
  std::optional<Timestamp> first_media_sent;      // RTP
  std::optional<Timestamp> first_media_received;  // RTP, unprotected
  std::optional<Timestamp> first_frame;           // rendered or played
};

// Notes the first time only.
inline void NoteFirst(std::optional<Timestamp>& field, Timestamp now) {
  if (!field) field = now;
}

}  // namespace rtclab::peer

#endif  // RTCLAB_STACK_PEER_TIMELINE_H_
