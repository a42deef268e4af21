#include "config/visitors.hpp"

namespace ipfscluster::config {
namespace {

/// The value as a number to compare with a bound; nothing for types without an order.
std::optional<std::int64_t> as_number(const ValueRef& value) {
    if (const auto* integer = std::get_if<std::int64_t*>(&value)) return **integer;
    if (const auto* duration = std::get_if<Duration*>(&value)) return (*duration)->count();
    if (const auto* real = std::get_if<double*>(&value)) return **real < 0 ? -1 : 0;
    return std::nullopt;
}

std::string shown(const ValueRef& value, std::int64_t number) {
    if (std::holds_alternative<Duration*>(value)) return format_go_duration(Duration(number));
    return std::to_string(number);
}

}  // namespace

void CheckVisitor::field(std::string_view name, ValueRef value, const FieldOptions& options) {
    if (error_) return;
    if (options.not_empty && field_is_zero(value)) return refuse(name, "must not be empty");
    const auto number = as_number(value);
    if (!number) return;
    if (options.min && *number < *options.min)
        return refuse(name, "is " + shown(value, *number) + ", must be at least " +
                                shown(value, *options.min));
    if (options.max && *number > *options.max)
        return refuse(name, "is " + shown(value, *number) + ", must be at most " +
                                shown(value, *options.max));
}

}  // namespace ipfscluster::config
