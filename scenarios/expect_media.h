// What a session's peer connections show for an expectation: media, data channels, and stretches of the time series.
#ifndef RTCLAB_SCENARIOS_EXPECT_MEDIA_H_
#define RTCLAB_SCENARIOS_EXPECT_MEDIA_H_

#include <string_view>

#include "scenarios/actual.h"
#include "scenarios/expect.h"

namespace rtclab::scenarios {

// `key` is one for which IsPeerExpectation() holds.
Actual OfPeer(const results::Session& session, std::string_view key);
// Points belong to the window when their interval ends in (from, to].
Actual OfWindow(const results::Session& session, const WindowSpec& window, std::string_view key,
                const Series& series);

// What is said of all sessions of a run together: the media that goes the same way, from the sessions' first hosts or to
// them. The stretch is the subject's; sessions that have nothing in it do not count.
bool IsOfAllSessions(std::string_view key);
Actual OfAllSessions(const RunSpec& spec, const SessionSpec& subject, const WindowSpec& window,
                     std::string_view key, const Series& series);

// The value below which the share `p` of the values lies: the nearest rank, so always one of them. `values` not empty.
double Percentile(std::vector<double> values, double p);

}  // namespace rtclab::scenarios

#endif  // RTCLAB_SCENARIOS_EXPECT_MEDIA_H_
