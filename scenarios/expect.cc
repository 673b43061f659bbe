#include "scenarios/expect.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <map>

#include "scenarios/actual.h"
#include "scenarios/expect_media.h"
#include "scenarios/language.h"

namespace rtclab::scenarios {
namespace {

using results::Run;
using results::Session;

Actual OfPair(const Session& session, std::string (*read)(const results::SelectedPair&)) {
  if (!session.selected_pair) return Missing("no selected pair");
  return Text(read(*session.selected_pair));
}

Actual Data(const Session& session, const char* key) {
  const Json* data = Extra(session, "data");
  if (data == nullptr || !data->contains("sent") || !data->contains("received"))
    return Missing("no data was sent");
  const auto sent = (*data)["sent"].get<int64_t>(), received = (*data)["received"].get<int64_t>();
  return Count(key == std::string_view("sent")       ? sent
               : key == std::string_view("received") ? received
                                                     : sent - received);
}

Actual Restarts(const Session& session) {
  int64_t count = 0;
  if (const Json* restarts = Extra(session, "restarts")) {
    for (const Json& restart : *restarts)
      count += restart.contains("connected_ms") && restart["connected_ms"].is_number();
  }
  return Count(count);
}

Actual RestartTime(const Session& session) {
  std::optional<double> longest;
  if (const Json* restarts = Extra(session, "restarts")) {
    for (const Json& restart : *restarts) {
      if (!restart.contains("connected_ms") || !restart["connected_ms"].is_number())
        return Time(std::nullopt);
      longest = std::max(longest.value_or(0),
                         restart["connected_ms"].get<double>() - restart.value("at_ms", 0.0));
    }
  }
  return Time(longest);
}

Actual Relays(const Session& session, const std::string& host) {
  const Json* candidates = Extra(session, "candidates");
  if (candidates == nullptr || !candidates->contains(host))
    return Missing("no candidates are reported");
  return Count((*candidates)[host].value("relay", int64_t{0}));
}

Actual Causes(const Session& session) {
  Json rules = Json::array();
  for (const results::Cause& cause : session.why.causes) {
    if (std::find(rules.begin(), rules.end(), Json(cause.rule)) == rules.end())
      rules.push_back(cause.rule);
  }
  if (rules.empty()) return Missing("nothing was dropped");
  return {.value = std::move(rules), .missing = {}, .any_of = true};
}

using SessionReader = std::function<Actual(const Session&, const SessionSpec&)>;

const std::map<std::string, SessionReader, std::less<>>& SessionReaders() {
  using Pair = results::SelectedPair;
  static const std::map<std::string, SessionReader, std::less<>> readers = {
      {"state", [](auto& s, auto&) { return Text(s.state); }},
      {"final_state",
       [](auto& s, auto&) {
         const Json* state = Extra(s, "final_state");
         return state != nullptr && state->is_string() ? Text(state->template get<std::string>())
                                                       : Missing("no final state is reported");
       }},
      {"path",
       [](auto& s, auto&) {
         return OfPair(s, [](const Pair& p) -> std::string {
           return p.local.type == "relay" || p.remote.type == "relay" ? "relayed" : "direct";
         });
       }},
      {"local",
       [](auto& s, auto&) { return OfPair(s, [](const Pair& p) { return p.local.type; }); }},
      {"remote",
       [](auto& s, auto&) { return OfPair(s, [](const Pair& p) { return p.remote.type; }); }},
      {"local_family",
       [](auto& s, auto&) { return OfPair(s, [](const Pair& p) { return p.local.family; }); }},
      {"remote_family",
       [](auto& s, auto&) { return OfPair(s, [](const Pair& p) { return p.remote.family; }); }},
      {"protocol",
       [](auto& s, auto&) { return OfPair(s, [](const Pair& p) { return p.local.protocol; }); }},
      {"gathering", [](auto& s, auto&) { return Time(s.timing_ms.gathering); }},
      {"first_valid_pair", [](auto& s, auto&) { return Time(s.timing_ms.first_valid_pair); }},
      {"ice_connected", [](auto& s, auto&) { return Time(s.timing_ms.ice_connected); }},
      {"checks_sent", [](auto& s, auto&) { return Count(s.checks.sent); }},
      {"checks_received", [](auto& s, auto&) { return Count(s.checks.received); }},
      {"checks_succeeded", [](auto& s, auto&) { return Count(s.checks.succeeded); }},
      {"checks_failed", [](auto& s, auto&) { return Count(s.checks.failed); }},
      {"retransmissions", [](auto& s, auto&) { return Count(s.checks.retransmissions); }},
      {"role_conflicts", [](auto& s, auto&) { return Count(s.checks.role_conflicts); }},
      {"local_relays", [](auto& s, auto& spec) { return Relays(s, spec.a.host); }},
      {"remote_relays", [](auto& s, auto& spec) { return Relays(s, spec.b.host); }},
      {"restarts", [](auto& s, auto&) { return Restarts(s); }},
      {"restart_time", [](auto& s, auto&) { return RestartTime(s); }},
      {"data_sent", [](auto& s, auto&) { return Data(s, "sent"); }},
      {"data_received", [](auto& s, auto&) { return Data(s, "received"); }},
      {"data_lost", [](auto& s, auto&) { return Data(s, "lost"); }},
      {"consent_expired",
       [](auto& s, auto&) {
         const Json* expired = Extra(s, "consent_expired");
         return Actual{
             .value = expired != nullptr && expired->is_boolean() && expired->template get<bool>(),
             .missing = {}};
       }},
      {"cause", [](auto& s, auto&) { return Causes(s); }},
  };
  return readers;
}

Actual OfProbe(const results::Probe& probe, std::string_view key) {
  if (key == "state") return Text(probe.state);
  if (probe.state != "done") return Missing("the probe failed");
  const auto boolean = [](const std::optional<bool>& value) {
    return value ? Actual{.value = *value, .missing = {}} : Missing("not found out");
  };
  const auto text = [](const std::string& value) {
    return value.empty() ? Missing("not found out") : Text(value);
  };
  if (key == "mapping") return text(probe.mapping);
  if (key == "filtering") return text(probe.filtering);
  if (key == "hairpinning") return boolean(probe.hairpinning);
  if (key == "port_preserved") return boolean(probe.port_preserved);
  return Time(probe.lifetime_ms);
}

std::string Number(double value) { return fmt::format("{:.6g}", value); }

std::string Words(const Json& value, Measure measure) {
  if (value.is_number()) {
    switch (measure) {
      case Measure::kPlain:
        return Number(value.get<double>());
      case Measure::kTime:
        return Number(value.get<double>()) + " ms";
      case Measure::kRate:
        return Number(value.get<double>() / 1000) + " kbit/s";
      case Measure::kShare:
        return Number(value.get<double>() * 100) + " %";
    }
  }
  if (value.is_string()) return value.get<std::string>();
  return value.dump();
}

std::string ActualWords(const Actual& actual) {
  if (actual.value.is_null()) return actual.missing;
  if (!actual.value.is_array()) return Words(actual.value, actual.measure);
  std::string out;
  for (const Json& item : actual.value)
    out += (out.empty() ? "" : ", ") + Words(item, actual.measure);
  return out;
}

std::string ExpectedWords(const Json& expected, Measure measure) {
  if (expected.is_array()) {
    std::string out;
    for (const Json& item : expected) out += (out.empty() ? "" : " or ") + Words(item, measure);
    return out;
  }
  if (!expected.is_object()) return Words(expected, measure);
  if (expected.contains("equals")) {
    return fmt::format("{} +- {}", Words(expected["equals"], measure),
                       Words(expected["tolerance"], measure));
  }
  std::string out;
  if (expected.contains("min")) out = "at least " + Words(expected["min"], measure);
  if (expected.contains("max"))
    out += (out.empty() ? "" : " and ") + ("at most " + Words(expected["max"], measure));
  return out;
}

// Times come from sums of doubles in milliseconds: a nanosecond of slack is not a difference.
constexpr double kTimeSlackMs = 1e-6;

bool Equal(const Json& expected, const Json& actual, Measure measure) {
  if (expected.is_number() && actual.is_number()) {
    const double difference = std::abs(expected.get<double>() - actual.get<double>());
    return difference <= (measure == Measure::kTime ? kTimeSlackMs : 0);
  }
  return expected == actual;
}

bool InRange(const Json& range, const Json& actual, Measure measure) {
  if (!actual.is_number()) return false;
  const double value = actual.get<double>(), slack = measure == Measure::kTime ? kTimeSlackMs : 0;
  if (range.contains("equals")) {
    return std::abs(value - range["equals"].get<double>()) <=
           range["tolerance"].get<double>() + slack;
  }
  return (!range.contains("min") || value >= range["min"].get<double>() - slack) &&
         (!range.contains("max") || value <= range["max"].get<double>() + slack);
}

bool Holds(const Json& expected, const Actual& actual) {
  if (actual.value.is_null()) return false;
  if (actual.any_of) {
    return std::any_of(actual.value.begin(), actual.value.end(), [&](const Json& item) {
      return Holds(
          expected,
          Actual{.value = item, .missing = {}, .any_of = false, .measure = actual.measure});
    });
  }
  if (expected.is_array()) {
    return std::any_of(expected.begin(), expected.end(),
                       [&](const Json& item) { return Equal(item, actual.value, actual.measure); });
  }
  if (expected.is_object()) return InRange(expected, actual.value, actual.measure);
  return Equal(expected, actual.value, actual.measure);
}

std::string KeyWords(const Expectation& expectation) {
  if (!expectation.window) return expectation.key;
  const WindowSpec& window = *expectation.window;
  return fmt::format("{} of {} from {} s to {} s", expectation.key, window.sender,
                     Number(window.from.millis_f() / 1000), Number(window.to.millis_f() / 1000));
}

// Background traffic reports in the network's part of a run.
Actual OfFlow(const Run& run, const std::string& name, std::string_view key) {
  const auto flows = run.network.find("flows");
  if (flows == run.network.end()) return Missing("the flow is not in the result");
  for (const Json& flow : *flows) {
    if (flow.value("name", "") != name) continue;
    if (key == "files") {
      return flow.contains("files") ? Count(flow["files"].get<int64_t>())
                                    : Missing("it does not send files");
    }
    return Measured(flow.value("throughput_bps", 0.0), Measure::kRate);
  }
  return Missing("the flow is not in the result");
}

template <typename List>
auto FindNamed(List& list, const std::string& name) -> decltype(&*list.begin()) {
  const auto found =
      std::find_if(list.begin(), list.end(), [&](const auto& item) { return item.name == name; });
  return found == list.end() ? nullptr : &*found;
}

Actual ActualOf(const RunSpec& spec, const Run& run, const Series& series,
                const Expectation& expectation) {
  if (const SessionSpec* session_spec = FindNamed(spec.sessions, expectation.subject)) {
    const Session* session = FindNamed(run.sessions, expectation.subject);
    if (session == nullptr) return Missing("the session is not in the result");
    if (expectation.window) {
      if (IsOfAllSessions(expectation.key)) {
        return OfAllSessions(spec, *session_spec, *expectation.window, expectation.key, series);
      }
      return OfWindow(*session, *expectation.window, expectation.key, series);
    }
    if (IsPeerExpectation(expectation.key)) return OfPeer(*session, expectation.key);
    const auto reader = SessionReaders().find(expectation.key);
    if (reader == SessionReaders().end()) return Missing("unknown expectation");
    return reader->second(*session, *session_spec);
  }
  if (FindNamed(spec.flows, expectation.subject) != nullptr) {
    return OfFlow(run, expectation.subject, expectation.key);
  }
  const results::Probe* probe = FindNamed(run.probes, expectation.subject);
  if (probe == nullptr) return Missing("the probe is not in the result");
  return OfProbe(*probe, expectation.key);
}

}  // namespace

void Evaluate(const RunSpec& spec, const Series& series, Run& run) {
  if (run.verdict == results::Verdict::kError) return;
  run.misses = spec.misses;
  for (const Expectation& expectation : spec.expectations) {
    const Actual actual = ActualOf(spec, run, series, expectation);
    if (Holds(expectation.value, actual)) continue;
    results::Failure failure;
    failure.expectation = expectation.pointer;
    failure.expected = ExpectedWords(expectation.value, actual.measure);
    failure.actual = ActualWords(actual);
    failure.message = fmt::format("{}: expected {} to be {}, it is {}", expectation.subject,
                                  KeyWords(expectation), failure.expected, failure.actual);
    if (!expectation.because.empty())
      failure.message += fmt::format(" (expected because: {})", expectation.because);
    if (const Session* session = FindNamed(run.sessions, expectation.subject); session != nullptr) {
      if (!session->why.text.empty()) failure.message += "; " + session->why.text;
    }
    run.failures.push_back(std::move(failure));
    run.verdict = results::Verdict::kFail;
  }
}

}  // namespace rtclab::scenarios
