// One session of a run: two ICE agents on their hosts, the signalling between them, and what happens over time.
#ifndef RTCLAB_SCENARIOS_EXECUTION_SESSION_DRIVER_H_
#define RTCLAB_SCENARIOS_EXECUTION_SESSION_DRIVER_H_

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "results/model.h"
#include "scenarios/execution/endpoint.h"
#include "scenarios/execution/server_program.h"
#include "scenarios/run_spec.h"
#include "sim/topology/network.h"

namespace rtclab::scenarios {

class SessionDriver final : public EndpointObserver {
 public:
  // Schedules the session's start. `on_done()` is called once, when nothing is left to wait for: both agents have a
  // selected pair or have failed, and every action is over. Spec, network and servers must outlive the driver.
  SessionDriver(const SessionSpec& spec, sim::Network& network,
                const std::vector<ServerAccess>& servers, std::function<void()> on_done);
  ~SessionDriver() override;

  bool done() const { return done_; }
  const SessionSpec& spec() const { return spec_; }
  const Endpoint& a() const { return *a_; }
  const Endpoint& b() const { return *b_; }
  Timestamp started() const { return started_; }

  // Everything but Session::why.
  results::Session Result() const;

 private:
  struct Restart {
    std::string host;
    Timestamp at;
    std::optional<Timestamp> connected;
    bool over = false;
  };

  void Start();
  void OnDescription(Endpoint& from, const Description& description) override;
  void OnCandidate(Endpoint& from, const ice::Candidate& candidate) override;
  void OnEndOfCandidates(Endpoint& from, const std::string& ufrag) override;
  void OnProgress(Endpoint& endpoint) override;

  Endpoint& Other(const Endpoint& endpoint) { return &endpoint == a_.get() ? *b_ : *a_; }
  void Run(const ActionSpec& action);
  void SendData(const ActionSpec& action, int sent);
  void FinishAction();
  void UpdateRestarts();
  void CheckDone();
  void AddChecks(const Endpoint& endpoint, results::Session& session) const;
  void AddExtras(results::Session& session) const;

  const SessionSpec& spec_;
  sim::Network& network_;
  std::function<void()> on_done_;
  std::unique_ptr<Endpoint> a_, b_;
  Timestamp started_;
  std::optional<Timestamp> connected_;
  std::vector<Restart> restarts_;
  std::size_t actions_left_ = 0;
  int data_tried_ = 0;
  bool done_ = false;
};

}  // namespace rtclab::scenarios

#endif  // RTCLAB_SCENARIOS_EXECUTION_SESSION_DRIVER_H_
