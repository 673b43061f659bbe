#include "scenarios/expect_media.h"

#include <algorithm>
#include <cmath>

namespace rtclab::scenarios {
namespace {

using results::SeriesPoint;

// The values of `key` in the elements of a list in Session::extra; elements without one are left out.
std::vector<double> Members(const results::Session& session, const char* list, const char* key) {
  std::vector<double> out;
  if (const Json* items = Extra(session, list)) {
    for (const Json& item : *items) {
      if (item.contains(key) && item[key].is_number()) out.push_back(item[key].get<double>());
    }
  }
  return out;
}

Actual Least(const std::vector<double>& values, Measure measure, const char* missing) {
  if (values.empty()) return Missing(missing);
  return Measured(*std::min_element(values.begin(), values.end()), measure);
}

Actual Greatest(const std::vector<double>& values, Measure measure, const char* missing) {
  if (values.empty()) return Missing(missing);
  return Measured(*std::max_element(values.begin(), values.end()), measure);
}

// Of transfers: one that did not end has null, and is slower than all others.
std::optional<Actual> Unended(const results::Session& session, const char* key) {
  const Json* channels = Extra(session, "data_channels");
  if (channels == nullptr || channels->empty()) return Missing("no data was sent");
  for (const Json& channel : *channels) {
    if (!channel.contains(key) || !channel[key].is_number()) {
      return Missing("a transfer did not end");
    }
  }
  return std::nullopt;
}

Actual QueueDelay(const results::Session& session, const std::string& percentile) {
  std::vector<double> values;
  if (const Json* paths = Extra(session, "paths")) {
    for (const Json& path : *paths) {
      if (path.contains("queue_delay_ms") && path["queue_delay_ms"].contains(percentile))
        values.push_back(path["queue_delay_ms"][percentile].get<double>());
    }
  }
  return Greatest(values, Measure::kTime, "no media arrived");
}

// part / whole of each element of a list, the worst.
Actual WorstShare(const results::Session& session, const char* list, const char* part,
                  const char* whole, const char* missing) {
  std::vector<double> shares;
  if (const Json* items = Extra(session, list)) {
    for (const Json& item : *items) {
      const double all = item.value(whole, 0.0);
      if (all > 0) shares.push_back(item.value(part, 0.0) / all);
    }
  }
  return Least(shares, Measure::kShare, missing);
}

Actual Text(const results::Session& session, const char* object, const char* key,
            const char* missing) {
  const Json* found = Extra(session, object);
  if (found == nullptr || !found->contains(key) || !(*found)[key].is_string())
    return Missing(missing);
  return scenarios::Text((*found)[key].get<std::string>());
}

Actual Intact(const results::Session& session) {
  const Json* channels = Extra(session, "data_channels");
  if (channels == nullptr || channels->empty()) return Missing("no data was sent");
  const bool intact = std::all_of(channels->begin(), channels->end(),
                                  [](const Json& c) { return c.value("intact", false); });
  return {.value = intact, .missing = {}};
}

double Sum(const std::vector<double>& values) {
  double sum = 0;
  for (const double v : values) sum += v;
  return sum;
}

// Means over a window weigh each interval by its length.
struct Totals {
  double ms = 0, received_bits = 0, sent_bits = 0, capacity_bits = 0, freeze_ms = 0;
  double expected_bits = 0;  // what would have arrived without loss
  int64_t frames = 0;
  bool capacity_known = true;
  std::vector<double> queue_delays, rtts;
};

Totals Add(const std::vector<const SeriesPoint*>& points) {
  Totals t;
  for (const SeriesPoint* p : points) {
    t.ms += p->interval_ms;
    t.received_bits += p->receive_bps * p->interval_ms / 1000;
    t.sent_bits += p->send_bps * p->interval_ms / 1000;
    t.capacity_known &= p->capacity_bps.has_value();
    t.capacity_bits += p->capacity_bps.value_or(0) * p->interval_ms / 1000;
    t.freeze_ms += p->freeze_ms;
    t.frames += p->frames;
    const double arrived = p->receive_bps * p->interval_ms / 1000;
    t.expected_bits += p->loss < 1 ? arrived / (1 - p->loss) : p->send_bps * p->interval_ms / 1000;
    if (p->queue_delay_ms) t.queue_delays.push_back(*p->queue_delay_ms);
    if (p->rtt_ms) t.rtts.push_back(*p->rtt_ms);
  }
  return t;
}

// Since the window's start, until what arrived in the second before reaches the share of the capacity.
Actual Recovery(const WindowSpec& window, const std::vector<const SeriesPoint*>& points) {
  constexpr double kSecond = 999.5;  // ms; sums of intervals are not exact
  const double start = window.from.millis_f();
  std::size_t oldest = 0;
  double received = 0, capacity = 0, ms = 0;
  for (const SeriesPoint* p : points) {
    if (!p->capacity_bps) return Missing("no link on the way has a rate");
    received += p->receive_bps * p->interval_ms;
    capacity += *p->capacity_bps * p->interval_ms;
    ms += p->interval_ms;
    // At least a second stays, however long the intervals are.
    while (ms - points[oldest]->interval_ms >= kSecond) {
      const SeriesPoint& first = *points[oldest++];
      received -= first.receive_bps * first.interval_ms;
      capacity -= *first.capacity_bps * first.interval_ms;
      ms -= first.interval_ms;
    }
    if (ms >= kSecond && received >= window.recovery_to * capacity) {
      return Time(p->time_ms - start);
    }
  }
  return Time(std::nullopt);
}

}  // namespace

double Percentile(std::vector<double> values, double p) {
  const auto rank = static_cast<std::size_t>(std::ceil(p * static_cast<double>(values.size())));
  const std::size_t index = std::clamp<std::size_t>(rank, 1, values.size()) - 1;
  std::nth_element(values.begin(), values.begin() + static_cast<std::ptrdiff_t>(index),
                   values.end());
  return values[index];
}

Actual OfPeer(const results::Session& session, std::string_view key) {
  if (key == "failure") return Text(session, "failure", "reason", "it did not fail");
  if (key == "srtp_profile")
    return Text(session, "transport", "srtp_profile", "no SRTP was agreed on");
  if (key == "dtls_connected") return Time(session.timing_ms.dtls_connected);
  if (key == "data_channel_open") return Time(session.timing_ms.data_channel_open);
  if (key == "first_media") return Time(session.timing_ms.first_media);
  if (key == "media_throughput") {
    const std::vector<double> rates = Members(session, "paths", "throughput_bps");
    return rates.empty() ? Missing("no media arrived") : Measured(Sum(rates), Measure::kRate);
  }
  if (key.starts_with("queue_delay_")) return QueueDelay(session, std::string(key.substr(12)));
  if (key == "freeze_time") {
    return Greatest(Members(session, "media", "freeze_ms"), Measure::kTime, "no video arrived");
  }
  if (key == "frames_delivered") {
    return WorstShare(session, "media", "frames_rendered", "frames_sent", "no frame was sent");
  }
  if (key == "frames_corrupt") {
    return Count(std::llround(Sum(Members(session, "media", "frames_corrupt"))));
  }
  if (key == "messages_intact") return Intact(session);
  if (key == "data_throughput") {
    const auto unended = Unended(session, "throughput_bps");
    return unended ? *unended
                   : Least(Members(session, "data_channels", "throughput_bps"), Measure::kRate, "");
  }
  if (key == "transfer_time") {
    const auto unended = Unended(session, "transfer_ms");
    return unended ? *unended
                   : Greatest(Members(session, "data_channels", "transfer_ms"), Measure::kTime, "");
  }
  return WorstShare(session, "data_channels", "messages_received", "messages_sent",
                    "no message was sent");
}

bool IsOfAllSessions(std::string_view key) {
  return key == "total_throughput" || key == "total_utilisation" || key == "fairness";
}

Actual OfAllSessions(const RunSpec& spec, const SessionSpec& subject, const WindowSpec& window,
                     std::string_view key, const Series& series) {
  const bool forward = window.sender == subject.a.host;
  std::vector<double> bits(spec.sessions.size());
  std::vector<bool> seen(spec.sessions.size());
  double capacity_bits = 0, ms = 0;
  bool capacity_known = true;
  for (const SeriesPoint& p : series) {
    for (std::size_t i = 0; i < spec.sessions.size(); ++i) {
      const SessionSpec& s = spec.sessions[i];
      if (p.session != s.name || p.from != (forward ? s.a : s.b).host) continue;
      // Times of a series count from its own session's start.
      const double at = p.time_ms + (s.start - subject.start).millis_f();
      if (at <= window.from.millis_f() || at > window.to.millis_f()) continue;
      bits[i] += p.receive_bps * p.interval_ms / 1000;
      seen[i] = true;
      if (s.name != subject.name) continue;
      ms += p.interval_ms;
      capacity_known &= p.capacity_bps.has_value();
      capacity_bits += p.capacity_bps.value_or(0) * p.interval_ms / 1000;
    }
  }
  if (ms == 0) return Missing("the time series has nothing there");
  double sum = 0, squares = 0;
  int count = 0;
  for (std::size_t i = 0; i < bits.size(); ++i) {
    sum += bits[i];
    squares += bits[i] * bits[i];
    count += seen[i] ? 1 : 0;
  }
  if (key == "total_throughput") return Measured(sum / ms * 1000, Measure::kRate);
  if (key == "fairness") {
    if (squares == 0) return Missing("nothing arrived");
    return Measured(sum * sum / (count * squares), Measure::kShare);
  }
  if (!capacity_known) return Missing("no link on the way has a rate");
  return Measured(sum / capacity_bits, Measure::kShare);
}

Actual OfWindow(const results::Session& session, const WindowSpec& window, std::string_view key,
                const Series& series) {
  std::vector<const SeriesPoint*> points;
  for (const SeriesPoint& p : series) {
    if (p.session == session.name && p.from == window.sender &&
        p.time_ms > window.from.millis_f() && p.time_ms <= window.to.millis_f()) {
      points.push_back(&p);
    }
  }
  const Totals t = Add(points);
  if (points.empty()) return Missing("the time series has nothing there");
  if (key == "throughput") return Measured(t.received_bits / t.ms * 1000, Measure::kRate);
  if (key == "send_rate") return Measured(t.sent_bits / t.ms * 1000, Measure::kRate);
  if (key == "utilisation") {
    if (!t.capacity_known) return Missing("no link on the way has a rate");
    return Measured(t.received_bits / t.capacity_bits, Measure::kShare);
  }
  if (key == "loss") {
    if (t.expected_bits <= 0) return Missing("nothing arrived");
    return Measured(std::max(0.0, 1 - t.received_bits / t.expected_bits), Measure::kShare);
  }
  if (key == "freeze_time") return Time(t.freeze_ms);
  if (key == "frames") return Count(t.frames);
  if (key == "recovery_time") return Recovery(window, points);
  const std::vector<double>& values = key == "rtt_p95" ? t.rtts : t.queue_delays;
  if (values.empty()) return Missing("nothing arrived");
  const double p = key.ends_with("p50") ? 0.5 : key.ends_with("p95") ? 0.95 : 0.99;
  return Time(Percentile(values, p));
}

}  // namespace rtclab::scenarios
