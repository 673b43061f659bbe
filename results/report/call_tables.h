// What a call carried, as tables: its RTP streams, each direction as a whole, its data channels.
#ifndef RTCLAB_RESULTS_REPORT_CALL_TABLES_H_
#define RTCLAB_RESULTS_REPORT_CALL_TABLES_H_

#include <string>

#include "results/model.h"
#include "results/report/terminal.h"

namespace rtclab::results {

// From the session's members `media`, `paths` and `data_channels`; a table with its title for each that has elements.
std::string CallTables(const Session& session, const Terminal& terminal);

// "2.134", megabits a second; "-" for nothing.
std::string MegabitText(const std::optional<double>& bps);

}  // namespace rtclab::results

#endif  // RTCLAB_RESULTS_REPORT_CALL_TABLES_H_
