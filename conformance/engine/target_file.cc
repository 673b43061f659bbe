#include "conformance/engine/target_file.h"

#include <fmt/format.h>

#include <cstdlib>
#include <filesystem>

#include "conformance/engine/json_fields.h"
#include "conformance/engine/text_file.h"
#include "conformance/engine/uri.h"
#include "conformance/socket/resolve.h"

namespace rtclab::conformance {
namespace {

using Json = nlohmann::json;

// Reads one profile into a target; the first complaint is kept.
class TargetReader {
 public:
  explicit TargetReader(std::string folder) : folder_(std::move(folder)) {}

  Result<Target> Read(const Json& json) {
    JsonFields root(json, "", error_);
    target_.name = root.String("name").value_or("");
    target_.version = root.String("version").value_or("");
    root.String("$schema");
    ReadServer(root);
    target_.user = ReadUser(root, "user");
    target_.second_user = ReadUser(root, "second_user");
    target_.rest_secret = ReadSecret(root, "rest_secret").value_or("");
    ReadOauth(root);
    ReadFeatures(root);
    ReadPeers(root);
    ReadSafety(root);
    ReadKnown(root);
    ReadTimes(root);
    root.Finish();
    if (!error_.empty()) return Fail(error_);
    return std::move(target_);
  }

 private:
  std::string Beside(const std::string& path) const {
    const std::filesystem::path given(path);
    return given.is_absolute() || folder_.empty()
               ? path
               : (std::filesystem::path(folder_) / given).string();
  }

  // `name`, or `name`_env, or `name`_file.
  std::optional<std::string> ReadSecret(JsonFields& at, const std::string& name) {
    const std::string env_key = name + "_env", file_key = name + "_file";
    const auto plain = at.String(name.c_str());
    const auto env = at.String(env_key.c_str());
    const auto file = at.String(file_key.c_str());
    if ((plain ? 1 : 0) + (env ? 1 : 0) + (file ? 1 : 0) > 1) {
      at.Complain(name, fmt::format("give one of {}, {} and {}", name, env_key, file_key));
    }
    if (env) {
      const char* value = std::getenv(env->c_str());
      if (value == nullptr) {
        at.Complain(env_key, fmt::format("the environment has no {}", *env));
        return std::nullopt;
      }
      return std::string(value);
    }
    if (file) {
      auto secret = ReadSecretFile(Beside(*file));
      if (!secret) {
        at.Complain(file_key, secret.error().reason);
        return std::nullopt;
      }
      return *secret;
    }
    return plain;
  }

  void ReadServer(JsonFields& root) {
    std::size_t index = 0;
    const std::vector<std::string> uris = root.Strings("uris");
    for (const std::string& text : uris) {
      const auto uri = ParseServerUri(text);
      const auto added = uri ? AddServer(target_, *uri) : tl::unexpected(uri.error());
      if (!added && error_.empty()) {
        error_ = fmt::format("/uris/{}: {}", index, added.error().reason);
      }
      ++index;
    }
    if (uris.empty()) root.Complain("uris", "expected at least one turn: or stun: URI");
    if (auto host = root.String("host")) target_.host = *host;
    target_.addresses = ReadAddresses(root, "addresses");
    if (auto file = root.String("ca_file")) target_.ca_file = Beside(*file);
    target_.insecure = root.Bool("insecure").value_or(false);
  }

  std::vector<IpAddress> ReadAddresses(JsonFields& at, const char* key) {
    std::vector<IpAddress> out;
    for (const std::string& text : at.Strings(key)) {
      if (const auto ip = IpAddress::Parse(text)) {
        out.push_back(*ip);
      } else {
        at.Complain(key, fmt::format("\"{}\" is no IP address", text));
      }
    }
    return out;
  }

  std::optional<TransportAddress> ReadAddress(JsonFields& at, const char* key) {
    const auto text = at.String(key);
    if (!text) return std::nullopt;
    const auto address = TransportAddress::Parse(*text);
    if (!address) {
      at.Complain(key, fmt::format("\"{}\" is no address and port, such as 192.0.2.1:3478", *text));
    }
    return address;
  }

  std::optional<Credentials> ReadUser(JsonFields& root, const char* key) {
    const Json* json = root.Object(key);
    if (json == nullptr) return std::nullopt;
    JsonFields at(*json, root.Pointer(key), error_);
    const auto name = at.String("username");
    const auto password = ReadSecret(at, "password");
    if (!name) at.Complain("username", "expected a string");
    if (!password) at.Complain("password", "expected password, password_env or password_file");
    at.Finish();
    return Credentials{name.value_or(""), password.value_or("")};
  }

  void ReadOauth(JsonFields& root) {
    const Json* json = root.Object("oauth");
    if (json == nullptr) return;
    JsonFields at(*json, root.Pointer("oauth"), error_);
    OauthKey key;
    key.kid = at.String("kid").value_or("");
    key.key = ReadSecret(at, "key").value_or("");
    key.algorithm = at.String("algorithm").value_or("A256GCM");
    key.server_name = at.String("server_name").value_or("");
    if (key.kid.empty()) at.Complain("kid", "expected the key's id");
    if (key.key.empty()) at.Complain("key", "expected key, key_env or key_file");
    if (key.algorithm != "A256GCM" && key.algorithm != "A128GCM") {
      at.Complain("algorithm", "expected \"A256GCM\" or \"A128GCM\"");
    }
    at.Finish();
    target_.oauth = std::move(key);
  }

  void ReadFeatures(JsonFields& root) {
    const Json* json = root.Object("features");
    if (json == nullptr) return;
    std::vector<std::string> names;
    for (std::size_t i = 0; i < kFeatureCount; ++i) {
      names.emplace_back(ToString(static_cast<Feature>(i)));
    }
    JsonFields at(*json, root.Pointer("features"), error_);
    for (const auto& [name, value] : json->items()) {
      const auto feature = ParseFeature(name);
      if (!feature) {
        at.Complain(name, "unknown feature" + DidYouMean(name, names));
      } else if (const auto present = at.Bool(name.c_str())) {
        target_.declared[*feature] = *present;
      }
    }
  }

  void ReadPeers(JsonFields& root) {
    const Json* json = root.Object("peers");
    if (json == nullptr) return;
    JsonFields at(*json, root.Pointer("peers"), error_);
    PeerPlan& plan = target_.peers;
    const std::string kind = at.String("kind").value_or("auto");
    if (kind == "local") {
      plan.kind = PeerPlan::Kind::kLocal;
    } else if (kind == "relay") {
      plan.kind = PeerPlan::Kind::kRelay;
    } else if (kind == "remote") {
      plan.kind = PeerPlan::Kind::kRemote;
    } else if (kind != "auto") {
      at.Complain("kind", "expected \"auto\", \"local\", \"relay\" or \"remote\"");
    }
    plan.local = ReadAddresses(at, "local");
    if (const auto remote = ReadAddress(at, "remote")) plan.remote = *remote;
    plan.remote_token = ReadSecret(at, "token").value_or("");
    if (plan.kind == PeerPlan::Kind::kRemote && plan.remote.IsNone()) {
      at.Complain("remote", "expected the address of rtclab peer-echo");
    }
    at.Finish();
  }

  void ReadSafety(JsonFields& root) {
    const Json* json = root.Object("safety");
    if (json == nullptr) return;
    JsonFields at(*json, root.Pointer("safety"), error_);
    SafetyPlan& plan = target_.safety;
    plan.enabled = at.Bool("enabled").value_or(false);
    plan.destinations = ReadAddresses(at, "destinations");
    if (const auto count = at.Integer("max_packets", 1, 1'000'000)) {
      plan.max_packets = static_cast<int>(*count);
    }
    if (const auto time = at.Integer("max_time_s", 1, 3'600)) {
      plan.max_time = TimeDelta::Seconds(*time);
    }
    at.Finish();
  }

  void ReadKnown(JsonFields& root) {
    target_.denied_peer = ReadAddress(root, "denied_peer");
    target_.redirecting = ReadAddress(root, "redirecting");
    if (const auto quota = root.Integer("user_quota", 1, 1'000'000)) {
      target_.user_quota = static_cast<int>(*quota);
    }
    if (const auto lifetime = root.Integer("nonce_lifetime_s", 1, 1'000'000)) {
      target_.nonce_lifetime_s = static_cast<int>(*lifetime);
    }
    if (const auto lifetime = root.Integer("reservation_lifetime_s", 1, 100'000)) {
      target_.reservation_lifetime_s = static_cast<int>(*lifetime);
    }
    if (const auto scale = root.Integer("time_scale", 1, 1'000)) {
      target_.time_scale = static_cast<int>(*scale);
    }
    if (const auto edition = root.String("edition")) {
      if (*edition == "5766") {
        target_.edition = Edition::kClassic;
      } else if (*edition != "8656") {
        root.Complain("edition", "expected \"8656\" or \"5766\"");
      }
    }
    if (auto overlay = root.String("overlay")) target_.overlay = Beside(*overlay);
  }

  void ReadTimes(JsonFields& root) {
    if (const auto ms = root.Integer("answer_timeout_ms", 100, 60'000)) {
      target_.answer_timeout = TimeDelta::Millis(*ms);
    }
    if (const auto ms = root.Integer("silence_ms", 10, 10'000)) {
      target_.silence = TimeDelta::Millis(*ms);
    }
  }

  std::string folder_;
  std::string error_;
  Target target_;
};

}  // namespace

Result<Target> ParseTarget(std::string_view text, const std::string& folder) {
  const auto json = ParseJson(text);
  if (!json) return tl::unexpected(json.error());
  return TargetReader(folder).Read(*json);
}

Result<Target> LoadTarget(const std::string& path) {
  const auto text = ReadTextFile(path);
  if (!text) return tl::unexpected(text.error());
  auto target = ParseTarget(*text, std::filesystem::path(path).parent_path().string());
  if (!target) return Fail(path + ": " + target.error().reason);
  return target;
}

}  // namespace rtclab::conformance
