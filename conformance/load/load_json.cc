#include "conformance/load/load_json.h"

#include <fmt/format.h>

#include <cmath>
#include <nlohmann/json.hpp>

namespace rtclab::conformance {
namespace {

using LoadJsonValue = nlohmann::ordered_json;

// Three digits after the point are enough of anything here.
double Rounded(double value) { return std::round(value * 1'000) / 1'000; }

LoadJsonValue LatencyObject(const LatencyHistogram& latency) {
  if (latency.count() == 0) return nullptr;
  return {{"p50", Rounded(latency.Percentile(0.5).millis_f())},
          {"p90", Rounded(latency.Percentile(0.9).millis_f())},
          {"p99", Rounded(latency.Percentile(0.99).millis_f())},
          {"p99.9", Rounded(latency.Percentile(0.999).millis_f())},
          {"max", Rounded(latency.max().millis_f())}};
}

LoadJsonValue StepObject(const LoadStep& step) {
  const std::optional<double> cpu = step.cpu_us_per_packet();
  return {{"wanted_packets_per_s", Rounded(step.wanted_packets_per_s)},
          {"sent", step.sent},
          {"received", step.received},
          {"damaged", step.foreign},
          {"duration_ms", Rounded(step.elapsed.millis_f())},
          {"sent_packets_per_s", Rounded(step.sent_per_s())},
          {"received_packets_per_s", Rounded(step.received_per_s())},
          {"received_mbit_per_s", Rounded(step.mbit_per_s())},
          {"loss", Rounded(step.loss() * 1'000) / 1'000},
          {"latency_ms", LatencyObject(step.latency)},
          {"sender_behind", step.behind},
          {"server_cpu_us_per_packet", cpu ? LoadJsonValue(Rounded(*cpu)) : LoadJsonValue()}};
}

LoadJsonValue AllocationsObject(const AllocationPhase& phase) {
  LoadJsonValue failures = LoadJsonValue::object();
  for (const auto& [reason, count] : phase.failures) failures[reason] = count;
  return {{"wanted", phase.wanted},
          {"made", phase.made},
          {"failed", phase.failed},
          {"duration_ms", Rounded(phase.elapsed.millis_f())},
          {"per_s", Rounded(phase.per_s())},
          {"latency_ms", LatencyObject(phase.latency)},
          {"failures", failures}};
}

LoadJsonValue NoKneeObject(const LoadReport& report) {
  const auto none = report.no_knee();
  if (!none) return nullptr;
  return {{"up_to_packets_per_s", Rounded(none->up_to_packets_per_s)}, {"why", none->why}};
}

std::string_view Direction(const LoadPlan& plan) {
  if (plan.peers == LoadPeers::kRelay) return "both";
  return plan.to_peer ? plan.to_client ? "both" : "to-peer" : "to-client";
}

}  // namespace

std::string LoadJson(const LoadReport& report, const std::string& uri, const std::string& build) {
  const LoadPlan& plan = report.plan;
  LoadJsonValue steps = LoadJsonValue::array();
  for (const LoadStep& step : report.steps) steps.push_back(StepObject(step));
  LoadJsonValue json = {
      {"schema_version", 1},
      {"build", build},
      {"uri", uri},
      {"transport", ToString(plan.client.transport)},
      {"clients", plan.clients},
      {"peers", plan.peers == LoadPeers::kLocal ? "local" : "relay"},
      {"direction", Direction(plan)},
      {"payload_bytes", plan.payload_bytes},
      {"ramp", plan.ramp},
      {"limits",
       {{"loss", plan.max_loss},
        {"p99_ms", Rounded(plan.max_p99.millis_f())},
        {"packets_per_s", plan.max_packets_per_s},
        {"time_ms", Rounded(plan.max_time.millis_f())},
        {"packets", plan.max_packets}}},
      {"complete", report.complete},
      {"ended", report.ended},
      {"allocations", AllocationsObject(report.allocations)},
      {"steps", steps},
      {"knee", report.knee() ? LoadJsonValue(*report.knee()) : LoadJsonValue(nullptr)},
      {"no_knee", NoKneeObject(report)},
      {"released", report.released}};
  // What a server says may be any bytes: replaced where they are no UTF-8.
  return json.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

std::string LoadText(const LoadReport& report, const std::string& uri) {
  const AllocationPhase& phase = report.allocations;
  std::string text = fmt::format("{}: {} of {} allocations", uri, phase.made, phase.wanted);
  if (phase.made > 0) {
    text += fmt::format(", {:.0f}/s, each {:.2f} ms (p50), {:.2f} ms (p99)", phase.per_s(),
                        phase.latency.Percentile(0.5).millis_f(),
                        phase.latency.Percentile(0.99).millis_f());
  }
  text += "\n";
  for (const auto& [reason, count] : phase.failures) {
    text += fmt::format("  {} failed: {}\n", count, reason);
  }
  if (!report.steps.empty()) {
    text += fmt::format("\n{:>10} {:>10} {:>10} {:>9} {:>8} {:>9} {:>9} {:>9}\n", "wanted/s",
                        "sent/s", "received/s", "Mbit/s", "loss", "p50 ms", "p99 ms", "max ms");
  }
  for (std::size_t i = 0; i < report.steps.size(); ++i) {
    const LoadStep& step = report.steps[i];
    text +=
        fmt::format("{:>10.0f} {:>10.0f} {:>10.0f} {:>9.1f} {:>7.2f}% {:>9.3f} {:>9.3f} {:>9.3f}",
                    step.wanted_packets_per_s, step.sent_per_s(), step.received_per_s(),
                    step.mbit_per_s(), step.loss() * 100, step.latency.Percentile(0.5).millis_f(),
                    step.latency.Percentile(0.99).millis_f(), step.latency.max().millis_f());
    if (const auto cpu = step.cpu_us_per_packet()) {
      text += fmt::format("  {:.2f} us CPU a packet", *cpu);
    }
    if (report.knee() == i) text += "  <- knee";
    if (step.behind) text += "  this machine could not send faster";
    if (step.foreign > 0) text += fmt::format("  {} damaged", step.foreign);
    text += "\n";
  }
  if (const auto none = report.no_knee(); none && none->up_to_packets_per_s > 0) {
    text += fmt::format("no knee was found up to {:.0f} packets/s: {}\n", none->up_to_packets_per_s,
                        none->why);
  } else if (none) {
    text += fmt::format("no knee was found, and no rate within the limits: {}\n", none->why);
  }
  text += fmt::format("{}; {} allocations released\n", report.ended, report.released);
  return text;
}

}  // namespace rtclab::conformance
