#pragma once
#include <concepts>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "codec/wire.hpp"

/// JSON text appended to a string as Go's encoder writes it: no spaces, `<`, `>`, `&` and U+2028/9
/// escaped, invalid UTF-8 replaced.
namespace ipfscluster::codec {

void append_json(std::string& out, std::string_view text);
inline void append_json(std::string& out, const std::string& text) {
    append_json(out, std::string_view(text));
}
inline void append_json(std::string& out, const char* text) {
    append_json(out, std::string_view(text));
}
inline void append_json(std::string& out, bool value) {
    out += value ? "true" : "false";
}
void append_json(std::string& out, double value);
/// RFC 3339 in UTC; the unset time is Go's zero time.
void append_json(std::string& out, Time value);
/// null when undefined.
void append_json(std::string& out, const Cid& value);
void append_json(std::string& out, const PeerId& value);
void append_json(std::string& out, const Multiaddr& value);
template <OneOf<PinMode, PinType, TrackerStatus> T>
void append_json(std::string& out, T value) {
    append_json(out, to_string(value));
}
template <std::integral T>
requires(!std::same_as<T, bool>) void append_json(std::string& out, T value) {
    out += std::to_string(value);
}

/// `{"code":…,"message":…}`: the body of every failed HTTP request.
struct JsonError {
    int code = 0;
    std::string message;
};
/// What `POST /peers` adds a peer by: `{"peer_id":"…"}`.
struct PeerAddBody {
    std::string peer_id;
};

/// Whose fields model_fields.hpp describes.
template <class T>
concept JsonStruct =
    OneOf<T, JsonError, Version, PeerAddBody, PinOptions, Pin, PinInfoShort, PinInfo, GlobalPinInfo,
          IpfsId, PeerInfo, Metric, Alert, ConnectGraph, RepoStat, RepoGcKey, RepoGc, GlobalRepoGc,
          AddedOutput, StuckItem, DrainReport, Bandwidth>;
template <JsonStruct T>
void append_json(std::string& out, const T& value);
/// One peer's row in the form of a GlobalPinInfo: what status endpoints answer with `local=true`.
void append_global(std::string& out, const PinInfo& value);

/// Unknown numbers are null.
template <class T>
void append_json(std::string& out, const std::optional<T>& value) {
    if (value)
        append_json(out, *value);
    else
        out += "null";
}

// The templates come last: they must see every overload above.
template <class T>
void append_json(std::string& out, const std::vector<T>& list);
template <class K, class T>
void append_json(std::string& out, const std::map<K, T>& map);

template <class T>
void append_json(std::string& out, const std::vector<T>& list) {
    out += '[';
    for (bool first = true; const auto& item : list) {
        if (!first) out += ',';
        first = false;
        append_json(out, item);
    }
    out += ']';
}

inline std::string json_key(const std::string& key) {
    return key;
}
inline std::string json_key(const PeerId& key) {
    return key.to_string();
}

/// One object: `JsonObject o(out); o.put("name", value);` closes itself. Put in a scope of its own.
class JsonObject {
 public:
    explicit JsonObject(std::string& out) : out_(out) { out_ += '{'; }
    JsonObject(const JsonObject&) = delete;
    JsonObject& operator=(const JsonObject&) = delete;
    ~JsonObject() { out_ += '}'; }

    /// Appends `"name":`; the caller appends the value.
    std::string& key(std::string_view name) {
        if (!first_) out_ += ',';
        first_ = false;
        append_json(out_, name);
        out_ += ':';
        return out_;
    }
    template <class T>
    void put(std::string_view name, const T& value) {
        append_json(key(name), value);
    }

 private:
    std::string& out_;
    bool first_ = true;
};

/// Keys in the order of their text.
template <class K, class T>
void append_json(std::string& out, const std::map<K, T>& map) {
    JsonObject object(out);
    if constexpr (std::same_as<K, std::string>) {
        for (const auto& [key, value] : map) object.put(key, value);
    } else {
        std::map<std::string, const T*> by_text;
        for (const auto& [key, value] : map) by_text.emplace(json_key(key), &value);
        for (const auto& [key, value] : by_text) object.put(key, *value);
    }
}

}  // namespace ipfscluster::codec
