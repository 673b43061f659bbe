// One session of a run: two endpoints on their hosts, and what happens to the network over time. What kind of session it is
// (ICE alone, or full peer connections) is the derived classes' business.
#ifndef RTCLAB_SCENARIOS_EXECUTION_SESSION_DRIVER_H_
#define RTCLAB_SCENARIOS_EXECUTION_SESSION_DRIVER_H_

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "results/model.h"
#include "results/series.h"
#include "scenarios/execution/endpoint_record.h"
#include "scenarios/execution/server_program.h"
#include "scenarios/run_spec.h"
#include "sim/topology/network.h"

namespace rtclab::scenarios {

class SessionDriver {
 public:
  virtual ~SessionDriver() = default;
  SessionDriver(const SessionDriver&) = delete;
  SessionDriver& operator=(const SessionDriver&) = delete;

  bool done() const { return done_; }
  const SessionSpec& spec() const { return spec_; }
  virtual const EndpointRecord& a() const = 0;
  virtual const EndpointRecord& b() const = 0;
  Timestamp started() const { return started_; }

  // Everything but Session::why.
  results::Session Result() const;
  // Of sessions with peer connections, in order of time.
  virtual const std::vector<results::SeriesPoint>& series() const;

 protected:
  // Schedules the session's start and actions. `on_done()` is called once, when nothing is left to wait for.
  SessionDriver(const SessionSpec& spec, sim::Network& network, std::function<void()> on_done);

  // --- What a kind of session does. ---
  virtual void Start() = 0;
  virtual void RestartIce(const std::string& host) = 0;
  // An action of an endpoint other than a restart; true: it is over.
  virtual bool RunEndpointAction(const ActionSpec& action) = 0;
  // Whether it waits for nothing but actions and restarts.
  virtual bool Settled() const = 0;
  // Whether nothing more can come of it, whatever actions are left.
  virtual bool Ended() const { return false; }
  // Everything is over; once, before on_done().
  virtual void Finish() {}
  virtual void AddResult(results::Session& session) const = 0;

  sim::Network& network() const { return network_; }
  // Something changed: looks at restarts and whether all is over.
  void OnProgress();
  void FinishAction();
  double SinceStart(Timestamp t) const { return (t - started_).millis_f(); }

 private:
  struct Restart {
    std::string host;
    Timestamp at;
    std::optional<Timestamp> connected;
    bool over = false;
  };

  void Run(const ActionSpec& action);
  void UpdateRestarts();
  void CheckDone();
  void AddChecks(const EndpointRecord& endpoint, results::Session& session) const;
  void AddExtras(results::Session& session) const;

  const SessionSpec& spec_;
  sim::Network& network_;
  std::function<void()> on_done_;
  Timestamp started_;
  std::optional<Timestamp> connected_;
  std::vector<Restart> restarts_;
  std::size_t actions_left_ = 0;
  bool done_ = false;
};

// The driver for what the spec asks. Spec, network and servers must outlive it.
std::unique_ptr<SessionDriver> MakeSession(const SessionSpec& spec, sim::Network& network,
                                           const std::vector<ServerAccess>& servers,
                                           std::function<void()> on_done);

}  // namespace rtclab::scenarios

#endif  // RTCLAB_SCENARIOS_EXECUTION_SESSION_DRIVER_H_
