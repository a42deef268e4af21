#include "http/router.hpp"

#include <algorithm>

#include "base/assert.hpp"

namespace ipfscluster::http {

void Router::add(Method method, std::string_view pattern, RouteHandler handler) {
    Route route{method, {}, std::move(handler)};
    std::size_t params = 0;
    ICL_ASSERT(pattern.starts_with('/'), "a route starts with a slash");
    while (!pattern.empty()) {
        pattern.remove_prefix(1);
        const auto end = std::min(pattern.find('/'), pattern.size());
        auto part = pattern.substr(0, end);
        pattern.remove_prefix(end);
        auto kind = Segment::Kind::literal;
        if (part.starts_with('{') && part.ends_with('}')) {
            part = part.substr(1, part.size() - 2);
            kind = part.ends_with("...") ? Segment::Kind::rest : Segment::Kind::param;
            if (kind == Segment::Kind::rest) part.remove_suffix(3);
            ++params;
        }
        route.segments.push_back({kind, std::string(part)});
    }
    ICL_ASSERT(params <= PathParams::kMax, "too many parameters in a route");
    routes_.push_back(std::move(route));
}

bool Router::match(const Route& route, std::string_view path, PathParams& params) {
    params.clear();
    for (const auto& segment : route.segments) {
        if (path.empty() || path.front() != '/') return false;
        path.remove_prefix(1);
        if (segment.kind == Segment::Kind::rest) {
            params.add(segment.text, path);
            return !path.empty();
        }
        const auto part = path.substr(0, path.find('/'));
        if (segment.kind == Segment::Kind::literal ? part != segment.text : part.empty())
            return false;
        if (segment.kind == Segment::Kind::param) params.add(segment.text, part);
        path.remove_prefix(part.size());
    }
    return path.empty();
}

Router::Match Router::find(Method method, std::string_view path) const {
    Match found;
    for (const auto& route : routes_) {
        if (found.path_known && route.method != method) continue;
        if (!match(route, path, found.params)) continue;
        found.path_known = true;
        if (route.method != method) continue;
        found.handler = &route.handler;
        return found;
    }
    return found;
}

}  // namespace ipfscluster::http
