#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace ipfscluster::http {

/// True when both texts are equal up to ASCII case.
bool equals_nocase(std::string_view a, std::string_view b);

/// Header (or trailer) fields in the order they came; names compare without case. All text lives in
/// one buffer, so clearing and refilling it for the next message allocates nothing. A plain value;
/// views it hands out die with the next change.
class Headers {
 public:
    Headers() = default;
    Headers(std::initializer_list<std::pair<std::string_view, std::string_view>> fields) {
        for (const auto& [name, value] : fields) add(name, value);
    }

    void add(std::string_view name, std::string_view value);
    /// Replaces every field of that name by one.
    void set(std::string_view name, std::string_view value);
    void remove(std::string_view name);
    void clear();

    /// Value of the first field of that name; empty when there is none.
    std::string_view get(std::string_view name) const;
    bool has(std::string_view name) const;
    std::vector<std::string_view> all(std::string_view name) const;
    /// True when a comma list field (`Connection`, `Trailer`) names `token`.
    bool has_token(std::string_view name, std::string_view token) const;

    std::size_t size() const { return fields_.size(); }
    std::string_view name_at(std::size_t i) const {
        return view(fields_[i].name_at, fields_[i].name_size);
    }
    std::string_view value_at(std::size_t i) const {
        return view(fields_[i].value_at, fields_[i].value_size);
    }
    /// Appends `Name: value\r\n` for each field.
    void write_to(std::string& out) const;

 private:
    struct Field {
        std::uint32_t name_at, name_size, value_at, value_size;
    };
    std::string_view view(std::uint32_t at, std::uint32_t size) const {
        return std::string_view(text_).substr(at, size);
    }
    std::string text_;
    std::vector<Field> fields_;
};

}  // namespace ipfscluster::http
