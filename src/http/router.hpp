#pragma once
#include <array>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "http/exchange.hpp"

namespace ipfscluster::http {

/// What the `{name}` parts of a route matched, decoded; points into the request.
class PathParams {
 public:
    static constexpr std::size_t kMax = 4;
    std::string_view get(std::string_view name) const {
        for (std::size_t i = 0; i < size_; ++i)
            if (items_[i].first == name) return items_[i].second;
        return {};
    }
    void add(std::string_view name, std::string_view value) { items_[size_++] = {name, value}; }
    void clear() { size_ = 0; }

 private:
    std::array<std::pair<std::string_view, std::string_view>, kMax> items_;
    std::size_t size_ = 0;
};

using RouteHandler = std::function<Async<>(Exchange&, PathParams)>;

/// Finds the handler of a path. Routes are tried in the order they were added. Filled once, then
/// shared read-only.
class Router {
 public:
    /// `pattern`: literal segments, `{name}` for one non-empty segment, `{name...}` as the last
    /// part for one or more segments.
    void add(Method method, std::string_view pattern, RouteHandler handler);

    struct Match {
        const RouteHandler* handler = nullptr;  ///< null: no route for this method
        PathParams params;
        bool path_known = false;  ///< some method has a route for this path
    };
    Match find(Method method, std::string_view path) const;

 private:
    struct Segment {
        enum class Kind { literal, param, rest } kind;
        std::string text;
    };
    struct Route {
        Method method;
        std::vector<Segment> segments;
        RouteHandler handler;
    };
    static bool match(const Route& route, std::string_view path, PathParams& params);
    std::vector<Route> routes_;
};

}  // namespace ipfscluster::http
