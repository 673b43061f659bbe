// The writing half of results/json.h.
#include <cmath>

#include "results/json.h"
#include "stack/base/check.h"

namespace rtclab::results {
namespace {

constexpr auto kReplaceInvalid = Json::error_handler_t::replace;

Json MillisOrNull(const std::optional<double>& value) {
  return value ? Millis(*value) : Json(nullptr);
}

Json CandidateToJson(const SelectedCandidate& c) {
  return Json{{"type", c.type},
              {"protocol", c.protocol},
              {"family", c.family},
              {"address", c.address},
              {"port", c.port}};
}

Json CheckToJson(const CheckRecord& c) {
  return Json{{"agent", c.agent},
              {"local", c.local},
              {"remote", c.remote},
              {"local_type", c.local_type},
              {"remote_type", c.remote_type},
              {"sent_ms", Millis(c.sent_ms)},
              {"transmissions", c.transmissions},
              {"answered_ms", MillisOrNull(c.answered_ms)},
              {"outcome", c.outcome},
              {"nominating", c.nominating}};
}

Json WhyToJson(const Why& why) {
  Json causes = Json::array();
  for (const Cause& c : why.causes) {
    causes.push_back(Json{{"where", c.where},
                          {"rule", c.rule},
                          {"text", c.text},
                          {"agent", c.agent},
                          {"pair", c.pair},
                          {"count", c.count},
                          {"first_ms", Millis(c.first_ms)}});
  }
  return Json{{"text", why.text}, {"causes", std::move(causes)}};
}

Json SessionToJson(const Session& s) {
  Json pair = nullptr;
  if (s.selected_pair) {
    pair = Json{{"local", CandidateToJson(s.selected_pair->local)},
                {"remote", CandidateToJson(s.selected_pair->remote)}};
  }
  Json json{{"name", s.name},
            {"state", s.state},
            {"selected_pair", std::move(pair)},
            {"timing_ms",
             {{"gathering", MillisOrNull(s.timing_ms.gathering)},
              {"first_valid_pair", MillisOrNull(s.timing_ms.first_valid_pair)},
              {"ice_connected", MillisOrNull(s.timing_ms.ice_connected)},
              {"dtls_connected", MillisOrNull(s.timing_ms.dtls_connected)},
              {"data_channel_open", MillisOrNull(s.timing_ms.data_channel_open)},
              {"first_media", MillisOrNull(s.timing_ms.first_media)}}},
            {"checks",
             {{"sent", s.checks.sent},
              {"received", s.checks.received},
              {"succeeded", s.checks.succeeded},
              {"failed", s.checks.failed},
              {"retransmissions", s.checks.retransmissions},
              {"role_conflicts", s.checks.role_conflicts}}}};
  for (const auto& [key, value] : s.extra.items()) {
    CHECK(!json.contains(key) && key != "why" && key != "check_log");
    json[key] = value;
  }
  json["why"] = WhyToJson(s.why);
  json["check_log"] = Json::array();
  for (const CheckRecord& c : s.check_log) json["check_log"].push_back(CheckToJson(c));
  return json;
}

Json ProbeToJson(const Probe& p) {
  const auto bool_or_null = [](std::optional<bool> v) { return v ? Json(*v) : Json(nullptr); };
  return Json{{"name", p.name},
              {"host", p.host},
              {"server", p.server},
              {"state", p.state},
              {"mapping", p.mapping},
              {"filtering", p.filtering},
              {"hairpinning", bool_or_null(p.hairpinning)},
              {"port_preserved", bool_or_null(p.port_preserved)},
              {"lifetime_ms", MillisOrNull(p.lifetime_ms)}};
}

}  // namespace

std::string_view ToString(Verdict verdict) {
  switch (verdict) {
    case Verdict::kPass:
      return "pass";
    case Verdict::kFail:
      return "fail";
    case Verdict::kError:
      return "error";
  }
  CHECK(false);
}

void Counts::Add(Verdict verdict) {
  ++runs;
  ++(verdict == Verdict::kPass ? passed : verdict == Verdict::kFail ? failed : errors);
}

Counts Count(const Suite& suite) {
  Counts counts;
  for (const Run& run : suite.runs) counts.Add(run.verdict);
  return counts;
}

Json Millis(double value) {
  if (!std::isfinite(value)) return nullptr;
  const double rounded = std::round(value * 1000.0) / 1000.0;
  return rounded == 0 ? 0.0 : rounded;
}

Json ToJson(const Run& run) {
  Json json{{"id", run.id},
            {"scenario", run.scenario},
            {"parameters", run.parameters},
            {"seed", run.seed},
            {"verdict", ToString(run.verdict)}};
  if (run.verdict == Verdict::kError) json["error"] = run.error;
  json["failures"] = Json::array();
  for (const Failure& f : run.failures) {
    json["failures"].push_back(Json{{"expectation", f.expectation},
                                    {"expected", f.expected},
                                    {"actual", f.actual},
                                    {"message", f.message}});
  }
  if (!run.misses.empty()) json["misses"] = run.misses;
  json["sessions"] = Json::array();
  for (const Session& s : run.sessions) json["sessions"].push_back(SessionToJson(s));
  json["probes"] = Json::array();
  for (const Probe& p : run.probes) json["probes"].push_back(ProbeToJson(p));
  json["network"] = run.network;
  return json;
}

std::string ToLine(const Run& run) { return ToJson(run).dump(-1, ' ', false, kReplaceInvalid); }

std::string Head(const Suite& suite, const Counts& counts) {
  const auto text = [](const std::string& s) {
    return Json(s).dump(-1, ' ', false, kReplaceInvalid);
  };
  const Json summary{{"runs", counts.runs},
                     {"passed", counts.passed},
                     {"failed", counts.failed},
                     {"errors", counts.errors}};
  std::string head = "{\n\"schema_version\":" + std::to_string(kSchemaVersion);
  head += ",\n\"suite\":" + text(suite.suite);
  head += ",\n\"build\":" + text(suite.build);
  head += ",\n\"scenario_digest\":" + text(suite.scenario_digest);
  head += std::string(",\n\"complete\":") + (suite.complete ? "true" : "false");
  head += ",\n\"summary\":" + summary.dump();
  head += ",\n\"runs\":[\n";
  return head;
}

std::string_view LineSeparator() { return ",\n"; }
std::string_view Tail() { return "\n]\n}\n"; }

std::string ToText(const Suite& suite) {
  std::string text = Head(suite, Count(suite));
  for (std::size_t i = 0; i < suite.runs.size(); ++i) {
    if (i > 0) text += LineSeparator();
    text += ToLine(suite.runs[i]);
  }
  text += Tail();
  return text;
}

}  // namespace rtclab::results
