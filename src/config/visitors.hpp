#pragma once
#include <boost/json/object.hpp>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "config/environment.hpp"
#include "config/fields.hpp"

namespace ipfscluster::config {

/// Keeps the path of nested objects and the first error; the base of the visitors below.
class PathVisitor : public FieldVisitor {
 public:
    explicit PathVisitor(std::string path) { paths_.push_back(std::move(path)); }
    void begin_object(std::string_view name) override {
        paths_.push_back(join_path(paths_.back(), name));
    }
    void end_object() override { paths_.pop_back(); }
    /// The first failure; its text names the key.
    const std::optional<Error>& error() const { return error_; }

 protected:
    std::string path_of(std::string_view name) const { return join_path(paths_.back(), name); }
    void refuse(std::string_view name, std::string_view what) {
        if (!error_) error_ = Error{Kind::invalid, path_of(name) + ": " + std::string(what)};
    }

    std::vector<std::string> paths_;
    std::optional<Error> error_;
};

/// Reads one component's JSON object into its fields. Keys nobody asked for become warnings.
class LoadVisitor final : public PathVisitor {
 public:
    LoadVisitor(std::string path, const boost::json::object& object, Warnings& warnings);
    void field(std::string_view name, ValueRef value, const FieldOptions& options) override;
    void begin_object(std::string_view name) override;
    void end_object() override;
    /// To be called after the visit: warns about the top object's unknown keys.
    void finish();

 private:
    struct Frame {
        const boost::json::object* object;  ///< null: the whole object is absent
        std::set<std::string> seen;
    };
    const boost::json::value* take(std::string_view name);
    void warn_unknown(const Frame& frame);

    std::vector<Frame> frames_;
    Warnings& warnings_;
};

/// Applies `PREFIX_KEY` variables: the key upper-cased without underscores, objects joined by '_'.
class EnvVisitor final : public PathVisitor {
 public:
    EnvVisitor(std::string path, std::string prefix, const Environment& environment);
    void field(std::string_view name, ValueRef value, const FieldOptions& options) override;
    void begin_object(std::string_view name) override;
    void end_object() override;
    /// Whether any variable was found.
    bool applied() const { return applied_; }

 private:
    std::vector<std::string> prefixes_;
    const Environment& environment_;
    bool applied_ = false;
};

/// Checks the bounds of FieldOptions.
class CheckVisitor final : public PathVisitor {
 public:
    using PathVisitor::PathVisitor;
    void field(std::string_view name, ValueRef value, const FieldOptions& options) override;
};

/// Builds the JSON object of a component.
class WriteVisitor final : public FieldVisitor {
 public:
    /// What fields with `omit_default` are compared with: the same component, all defaults, written
    /// with `defaults` null. `hide` replaces secrets.
    WriteVisitor(const boost::json::object* defaults, bool hide);
    void field(std::string_view name, ValueRef value, const FieldOptions& options) override;
    void begin_object(std::string_view name) override;
    void end_object() override;
    boost::json::object take();

 private:
    struct Frame {
        std::string name;
        boost::json::object object;
        const boost::json::object* defaults;
    };
    std::vector<Frame> frames_;
    bool hide_;
};

/// Calls a function for each field with its full path and environment variable.
class ListVisitor final : public FieldVisitor {
 public:
    using Each = std::function<void(const std::string& path, const std::string& variable,
                                    const ValueRef& value, const FieldOptions& options)>;
    ListVisitor(std::string path, std::string prefix, Each each);
    void field(std::string_view name, ValueRef value, const FieldOptions& options) override;
    void begin_object(std::string_view name) override;
    void end_object() override;

 private:
    std::vector<std::string> paths_, prefixes_;
    Each each_;
};

/// "CLUSTER_RAFT" and "init_peerset" give "CLUSTER_RAFT_INITPEERSET".
std::string variable_name(std::string_view prefix, std::string_view key);

}  // namespace ipfscluster::config
