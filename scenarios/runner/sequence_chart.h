// A run's story as a sequence chart in plain text: a column a host, NAT and server, an arrow a message, an X where one
// ended, and why.
#ifndef RTCLAB_SCENARIOS_RUNNER_SEQUENCE_CHART_H_
#define RTCLAB_SCENARIOS_RUNNER_SEQUENCE_CHART_H_

#include <span>
#include <string>
#include <vector>

#include "results/report/terminal.h"
#include "scenarios/executor.h"
#include "scenarios/run_spec.h"

namespace rtclab::scenarios {

struct ChartColumn {
  std::string title;
  std::vector<std::string> names;  // names in events that stand for this column
};

// Columns for a run: the first host of each session, the networks on its way out, the servers, the networks on the way
// in to the second host, that host.
std::vector<ChartColumn> ColumnsFor(const RunSpec& spec);

// The chart. Names in events that no column has get one of their own at the end; columns that no event names are left
// out. A terminal that is too narrow for the arrows gets a list of the same events. At most `max_events` events (0: all), with a line that says how many are missing.
std::string SequenceChart(std::span<const StoryEvent> events, std::vector<ChartColumn> columns,
                          const results::Terminal& terminal, std::size_t max_events = 0);

}  // namespace rtclab::scenarios

#endif  // RTCLAB_SCENARIOS_RUNNER_SEQUENCE_CHART_H_
