// A session of two peer connections: signalling, media, data transfers, and the time series of what flowed.
#ifndef RTCLAB_SCENARIOS_EXECUTION_CALL_SESSION_H_
#define RTCLAB_SCENARIOS_EXECUTION_CALL_SESSION_H_

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "scenarios/execution/peer_endpoint.h"
#include "scenarios/execution/session_driver.h"

namespace rtclab::scenarios {

class CallSession final : public SessionDriver, private PeerEndpointObserver {
 public:
  // Done when media has flowed for its time, transfers are over and actions too; or when the connection failed.
  CallSession(const SessionSpec& spec, sim::Network& network,
              const std::vector<ServerAccess>& servers, std::function<void()> on_done);

  const EndpointRecord& a() const override { return a_; }
  const EndpointRecord& b() const override { return b_; }
  const std::vector<results::SeriesPoint>& series() const override { return series_; }

 private:
  void Start() override;
  void RestartIce(const std::string& host) override { Named(host).RestartIce(); }
  bool RunEndpointAction(const ActionSpec& action) override;
  bool Settled() const override;
  bool Ended() const override { return a_.closed() || b_.closed(); }
  void Finish() override;
  void AddResult(results::Session& session) const override;

  void OnDescription(PeerEndpoint& from, const peer::SessionDescriptionInit& description) override;
  void OnCandidate(PeerEndpoint& from, const peer::IceCandidateInit& candidate) override;
  void OnProgress(PeerEndpoint& endpoint) override;

  PeerEndpoint& Other(const PeerEndpoint& endpoint) { return &endpoint == &a_ ? b_ : a_; }
  PeerEndpoint& Named(const std::string& host) { return host == a_.host() ? a_ : b_; }
  const PeerSpec& peer() const { return *spec().peer; }
  void SampleBoth();
  void AddPoint(const PeerEndpoint& from, const PeerEndpoint& to, const media::Sample& sent,
                const media::Sample& received, uint64_t data_sent, uint64_t data_received);
  bool TransfersOver() const;
  // What is known at the end of the session, before its connections are let go.
  struct Snapshot {
    peer::StatsReport a, b;
    results::Json failure;  // null: none
  };
  Snapshot TakeSnapshot() const;
  void AddMedia(const Snapshot& snapshot, results::Session& session) const;
  std::optional<double> SinceStartOrNever(const std::optional<Timestamp>& t) const;

  PeerEndpoint a_, b_;
  std::vector<results::SeriesPoint> series_;
  Timestamp last_sample_;
  // Bytes of data channels at the last sample: sent and received by a, then by b.
  uint64_t data_marks_[4] = {};
  bool both_connected_ = false;
  bool media_over_ = false;
  bool transfers_settling_ = false, transfers_over_ = false;
  std::optional<Snapshot> snapshot_;
};

}  // namespace rtclab::scenarios

#endif  // RTCLAB_SCENARIOS_EXECUTION_CALL_SESSION_H_
