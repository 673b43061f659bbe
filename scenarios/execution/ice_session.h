// A session of two ICE agents and the signalling between them.
#ifndef RTCLAB_SCENARIOS_EXECUTION_ICE_SESSION_H_
#define RTCLAB_SCENARIOS_EXECUTION_ICE_SESSION_H_

#include <functional>
#include <string>
#include <vector>

#include "scenarios/execution/ice_endpoint.h"
#include "scenarios/execution/session_driver.h"

namespace rtclab::scenarios {

class IceSession final : public SessionDriver, private IceEndpointObserver {
 public:
  // Done when both agents have a selected pair or have failed, and every action is over.
  IceSession(const SessionSpec& spec, sim::Network& network,
             const std::vector<ServerAccess>& servers, std::function<void()> on_done);

  const EndpointRecord& a() const override { return a_; }
  const EndpointRecord& b() const override { return b_; }

 private:
  void Start() override { a_.Start(); }
  void RestartIce(const std::string& host) override;
  bool RunEndpointAction(const ActionSpec& action) override;
  bool Settled() const override { return a_.settled() && b_.settled(); }
  void AddResult(results::Session& session) const override;

  void OnDescription(IceEndpoint& from, const Description& description) override;
  void OnCandidate(IceEndpoint& from, const ice::Candidate& candidate) override;
  void OnEndOfCandidates(IceEndpoint& from, const std::string& ufrag) override;
  void OnProgress(IceEndpoint& endpoint) override;

  IceEndpoint& Other(const IceEndpoint& endpoint) { return &endpoint == &a_ ? b_ : a_; }
  IceEndpoint& Named(const std::string& host) { return host == a_.host() ? a_ : b_; }
  void SendData(const ActionSpec& action, int sent);

  IceEndpoint a_, b_;
  int data_tried_ = 0;
};

}  // namespace rtclab::scenarios

#endif  // RTCLAB_SCENARIOS_EXECUTION_ICE_SESSION_H_
