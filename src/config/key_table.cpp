#include "config/key_table.hpp"

#include "config/components.hpp"
#include "config/json_text.hpp"
#include "config/visitors.hpp"

namespace ipfscluster::config {

std::vector<KeyRow> key_table() {
    std::vector<KeyRow> rows;
    Config usual;
    for (const Component& component : components(usual)) {
        ListVisitor visitor(component.path(), std::string(component.prefix),
                            [&](const std::string& path, const std::string& variable,
                                const ValueRef& value, const FieldOptions& options) {
                                const std::string_view reason = component.no_effect.empty()
                                                                    ? options.no_effect
                                                                    : component.no_effect;
                                rows.push_back({path, options.never_written ? "" : variable,
                                                json_text(field_to_json(value, options), 0),
                                                reason.empty(), std::string(reason)});
                            });
        component.describe(visitor);
    }
    return rows;
}

std::string key_table_markdown() {
    std::string effective = "| key | environment | default |\n|---|---|---|\n";
    std::string without = "| key | environment | default | why |\n|---|---|---|---|\n";
    for (const KeyRow& row : key_table()) {
        const std::string variable = row.variable.empty() ? "" : "`" + row.variable + "`";
        const std::string start =
            "| `" + row.path + "` | " + variable + " | `" + row.fallback + "` |";
        if (row.effective)
            effective += start + "\n";
        else
            without += start + " " + row.reason + " |\n";
    }
    return "### Keys that change behaviour\n\n" + effective +
           "\n### Keys accepted without effect\n\n" + without;
}

}  // namespace ipfscluster::config
