// Who gets an allocation.
#include <array>
#include <string>
#include <utility>

#include "conformance/cases/safety/safety_steps.h"
#include "conformance/cases/sections.h"

namespace rtclab::conformance {
namespace {

void SecAnonymous(Test& t) {
  t.SpendProbe(2);
  Client client = t.Connect();
  t.Expect(!client.Once(AllocateRequest().Unsigned()).success(),
           "401 to Allocate without credentials", "an allocation for everybody");
  Signing empty;
  empty.credentials = Credentials{"", ""};
  if (!client.realm().empty()) {
    t.Expect(!client.Once(AllocateRequest().Sign(empty)).success(),
             "401 to Allocate with an empty name and password", "an allocation");
  }
}

void SecDefaultCredentials(Test& t) {
  // From the manuals and examples of TURN servers and their clients.
  constexpr std::array<std::pair<std::string_view, std::string_view>, 10> kGuesses = {
      {{"user", "password"},
       {"username", "password"},
       {"test", "test"},
       {"turn", "turn"},
       {"admin", "admin"},
       {"guest", "somepassword"},
       {"username1", "password1"},
       {"user", "root"},
       {"webrtc", "webrtc"},
       {"youruser", "yourpassword"}}};
  std::vector<std::string> accepted;
  for (const auto& [name, password] : kGuesses) {
    t.SpendProbe(2);
    const Credentials guess{std::string(name), std::string(password)};
    const auto& own = t.target().user;
    if (own && own->username == guess.username && own->password == guess.password) continue;
    Client client = t.ConnectAs(guess);
    client.Challenge();
    if (client.Once(AllocateRequest().Sign({})).success()) accepted.push_back(guess.username);
  }
  t.Expect(accepted.empty(), "401 to the names and passwords of manuals",
           "accepted: " + SafetyJoin(accepted));
}

void SecNoPassword(Test& t) {
  t.SpendProbe(2);
  Client client = t.ConnectAs({t.target().user->username, ""});
  client.Challenge();
  const Response response = client.Once(AllocateRequest().Sign({}));
  t.Expect(!response.success(), "401 to a user's name with an empty password", response.Describe());
}

void SecExpiredRest(Test& t) {
  if (t.target().rest_secret.empty()) t.Skip("the target's profile has no REST secret");
  t.SpendProbe(4);
  Client good = t.ConnectAs(t.RestUser(TimeDelta::Seconds(3'600)));
  const Response current = good.Call(AllocateRequest());
  if (!current.success()) t.Block("Allocate with a current name: " + current.Describe());
  Client late = t.ConnectAs(t.RestUser(TimeDelta::Seconds(-3'600)));
  t.ExpectError(late.Call(AllocateRequest()), 401, "a name that expired an hour ago");
}

void SecRestForged(Test& t) {
  if (t.target().rest_secret.empty()) t.Skip("the target's profile has no REST secret");
  t.SpendProbe(2);
  Credentials user = t.RestUser(TimeDelta::Seconds(3'600));
  user.username = std::to_string(t.UnixTime() + 360'000) + ":rtclab";
  Client client = t.ConnectAs(user);
  t.ExpectError(client.Call(AllocateRequest()), 401,
                "a name with a later time and the password of another");
}

}  // namespace

void AddSafetyAccess(CaseList& cases) {
  Needs user = SafetyNeeds({Feature::kTurn});
  user.credentials = true;
  cases.push_back({.id = "sec.auth.anonymous",
                   .title = "No allocation without credentials",
                   .clauses = {SafetyRule("RFC 8656 section 21.1.1",
                                          "A relay for everybody hides whoever wants to hide.")},
                   .needs = SafetyNeeds({}),
                   .safety = true,
                   .run = SecAnonymous});
  cases.push_back({.id = "sec.auth.default-credentials",
                   .title = "No allocation with the credentials of manuals",
                   .clauses = {SafetyRule("RFC 8656 section 21.1.1",
                                          "A password that everybody knows is none.")},
                   .needs = user,
                   .safety = true,
                   .run = SecDefaultCredentials});
  cases.push_back({.id = "sec.auth.no-password",
                   .title = "No allocation with an empty password",
                   .clauses = {SafetyRule("RFC 8656 section 21.1.1", "A name is not enough.")},
                   .needs = user,
                   .safety = true,
                   .run = SecNoPassword});
  const Needs rest = SafetyNeeds({Feature::kRestCredentials});
  constexpr std::string_view kRestDraft = "draft-uberti-behave-turn-rest";
  cases.push_back(
      {.id = "sec.auth.expired-rest",
       .title = "A time-limited name that has expired gives 401",
       .clauses = {SafetyRule(kRestDraft, "The server rejects names whose time has passed.")},
       .needs = rest,
       .safety = true,
       .run = SecExpiredRest});
  cases.push_back(
      {.id = "sec.auth.forged-rest",
       .title = "A time-limited name whose time was changed gives 401",
       .clauses = {SafetyRule(kRestDraft, "The password belongs to the name with its time.")},
       .needs = rest,
       .safety = true,
       .run = SecRestForged});
}

}  // namespace rtclab::conformance
