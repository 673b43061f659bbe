// What a call's result says of its media and data, from the statistics of both ends.
#ifndef RTCLAB_SCENARIOS_EXECUTION_CALL_RESULTS_H_
#define RTCLAB_SCENARIOS_EXECUTION_CALL_RESULTS_H_

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "results/model.h"
#include "results/series.h"
#include "scenarios/execution/peer_endpoint.h"

namespace rtclab::scenarios {

// Why the session failed, of both ends' reasons the one that the other may be a consequence of; null: it did not fail.
results::Json FailureOf(const PeerEndpoint& a, const PeerEndpoint& b);
// The first transport's DTLS, as `first` has it.
void AddTransport(const PeerEndpoint& first, results::Session& session);
// The phases of the set-up of one end: gathering, checks, dtls, then sctp and data_channels if it has channels and first_frame
// if it receives media, each from what it waited for; those that never began are left out. Times count from `started`.
void AddPhases(const PeerEndpoint& endpoint, Timestamp started, results::Json& phases);
// An element for each RTP stream that `from` sent: its outbound-rtp joined with the other end's inbound-rtp.
void AddStreams(const std::string& from, const std::string& to, const peer::StatsReport& sender,
                const peer::StatsReport& receiver,
                const std::function<std::optional<double>(std::string_view mid)>& first_frame_ms,
                results::Json& media);
// All media of one direction, from the time series.
void AddPath(const std::string& from, const std::string& to, const std::string& controller,
             const std::vector<results::SeriesPoint>& series, results::Json& paths);
// What `from` sent through channel `index`; nothing if it does not send there.
void AddTransfer(const ChannelSpec& spec, const PeerEndpoint& from, const PeerEndpoint& to,
                 std::size_t index, results::Json& channels);

}  // namespace rtclab::scenarios

#endif  // RTCLAB_SCENARIOS_EXECUTION_CALL_RESULTS_H_
