// ToJson() of report.h.
#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "conformance/report/exchange_describer.h"
#include "conformance/report/report.h"
#include "conformance/report/sections.h"
#include "results/json.h"
#include "results/version.h"

namespace rtclab::conformance {
namespace {

using Json = nlohmann::ordered_json;

// Of one case: a flood is not for a report. The first and the last half of them are kept.
constexpr std::size_t kMostPackets = 200;

Json AddressJson(const TransportAddress& address) {
  return address.IsNone() ? Json(nullptr) : Json(address.ToString());
}

std::string_view FamilyText(AddressFamily family) {
  if (family == AddressFamily::kIpv4) return "ipv4";
  return family == AddressFamily::kIpv6 ? "ipv6" : "none";
}

Json MillisJson(double ms) { return results::Millis(ms).get<double>(); }

Json NotTestedJson(const RunReport& report) {
  Json list = Json::array();
  for (const NotTested& one : report.not_tested) {
    list.push_back({{"part", one.part}, {"cases", one.cases}, {"why", one.why}, {"how", one.how}});
  }
  return list;
}

Json CountsJson(const RunReport& report) {
  const Counts counts = Count(report);
  return {{"cases", report.results.size()},
          {"pass", counts.pass},
          {"fail", counts.fail},
          {"weak", counts.weak},
          {"info", counts.info},
          {"unsupported", counts.unsupported},
          {"skipped", counts.skipped},
          {"blocked", counts.blocked},
          {"error", counts.error},
          {"expected_fail", counts.expected_fail},
          {"unexpected_pass", counts.unexpected_pass},
          {"flaky", counts.flaky},
          {"not_tested", NotTestedJson(report)},
          {"exit_code", ExitCode(report)}};
}

// Names and addresses only: users, secrets and keys are not read.
Json TargetJson(const RunReport& report) {
  const Target& target = report.target;
  Json endpoints = Json::array();
  for (const auto& [key, address] : target.endpoints) {
    endpoints.push_back({{"transport", ToString(key.first)},
                         {"family", FamilyText(key.second)},
                         {"address", address.ToString()}});
  }
  Json destinations = Json::array();
  for (const IpAddress& address : target.safety.destinations) {
    destinations.push_back(address.ToString());
  }
  return {
      {"uri", report.uri},
      {"name", target.name},
      {"version", target.version},
      {"host", target.host},
      {"software", report.software},
      {"transport", ToString(target.transport)},
      {"family", FamilyText(target.family)},
      {"edition", target.edition == Edition::kClassic ? "rfc5389" : "rfc8489"},
      {"certificate_verified", !target.insecure},
      {"overlay", target.overlay},
      {"endpoints", std::move(endpoints)},
      {"safety", {{"enabled", target.safety.enabled}, {"destinations", std::move(destinations)}}}};
}

Json PacketJson(const Packet& packet, ExchangeDescriber& describer) {
  Json json{{"at_ms", MillisJson(packet.at.millis_f())}, {"who", packet.who}};
  if (!packet.note.empty()) json["note"] = packet.note;
  const Lines lines = describer.Body(packet);
  if (packet.bytes.empty() && !packet.note.empty()) return json;
  json["sent"] = packet.sent;
  json["transport"] = ToString(packet.transport);
  json["local"] = AddressJson(packet.local);
  json["remote"] = AddressJson(packet.remote);
  json["size_bytes"] = packet.bytes.size();
  json["bytes_hex"] = ToHex(packet.bytes);
  json["decoded"] = lines;
  return json;
}

void AddExchange(Json& json, const Exchange& exchange) {
  const std::size_t size = exchange.size();
  ExchangeDescriber describer;
  Json packets = Json::array();
  for (std::size_t i = 0; i < size; ++i) {
    const bool kept = size <= kMostPackets || i < kMostPackets / 2 || i >= size - kMostPackets / 2;
    if (kept) packets.push_back(PacketJson(exchange[i], describer));
  }
  json["exchange"] = std::move(packets);
  if (size > kMostPackets) json["exchange_left_out_packets"] = size - kMostPackets;
}

Json ClausesJson(const Case& test_case) {
  Json clauses = Json::array();
  for (const Clause& clause : test_case.clauses) {
    Json json = IsRfc(clause.rfc) ? Json{{"rfc", clause.rfc}, {"section", clause.section}}
                                  : Json{{"source", clause.rfc}};
    json["level"] = ToString(clause.level);
    json["quote"] = clause.quote;
    clauses.push_back(std::move(json));
  }
  return clauses;
}

Json ResultJson(const CaseResult& result) {
  const Case& test_case = *result.test_case;
  Json json{{"id", test_case.id},
            {"title", test_case.title},
            {"outcome", ToString(result.verdict.outcome)},
            {"clauses", ClausesJson(test_case)}};
  const auto add = [&json](const char* name, const std::string& text) {
    if (!text.empty()) json[name] = text;
  };
  const bool observed = result.verdict.outcome == Outcome::kInfo;
  add("expected", result.verdict.expected);
  add(observed ? "observed" : "actual", result.verdict.actual);
  add("reason", result.verdict.reason);
  add("expectation", std::string(ToString(result.expectation)));
  add("known", result.known);
  if (result.flaky) {
    json["flaky"] = true;
    json["first_failure"] = result.first_failure;
  }
  json["transport"] = ToString(result.transport);
  json["family"] = FamilyText(result.family);
  json["elapsed_ms"] = MillisJson(result.elapsed.millis_f());
  if (HasEvidence(result)) AddExchange(json, result.exchange);
  return json;
}

Json FeaturesJson(const RunReport& report) {
  Json features = Json::object();
  for (const auto& [feature, state] : report.features) {
    features[std::string(ToString(feature))] = {{"present", state.present}, {"how", state.how}};
  }
  return features;
}

}  // namespace

std::string ToJson(const RunReport& report) {
  const auto text = [](const Json& json, int indent) {
    return json.dump(indent, ' ', false, Json::error_handler_t::replace);
  };
  Json head{{"schema_version", 1}, {"build", results::Build()}, {"complete", report.complete}};
  if (!report.complete) head["incomplete_why"] = report.incomplete_why;
  head["target"] = TargetJson(report);
  head["warnings"] = report.warnings;
  head["seed"] = report.seed;
  head["shuffled"] = report.shuffled;
  head["elapsed_ms"] = MillisJson(report.elapsed.millis_f());
  head["summary"] = CountsJson(report);
  head["features"] = FeaturesJson(report);
  // One line a case, for diff and grep.
  std::string out = "{\n";
  for (const auto& [name, value] : head.items()) {
    out += fmt::format("\"{}\":{},\n", name, text(value, -1));
  }
  out += "\"results\":[";
  std::string_view separator = "\n";
  for (const CaseResult& result : report.results) {
    out += separator;
    out += text(ResultJson(result), -1);
    separator = ",\n";
  }
  return out + "\n]\n}\n";
}

}  // namespace rtclab::conformance
