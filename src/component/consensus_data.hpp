#pragma once
#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "base/result.hpp"
#include "model/pin.hpp"

namespace ipfscluster::component {

/// The pinset of a peer that does not run, with what its consensus keeps: what the commands that
/// export, import and clean up work on. Nobody else works on it meanwhile. Owned by the command.
/// Blocking; one thread.
class ConsensusData {
 public:
    using TakePin = std::function<Result<>(const Pin&)>;
    /// Nothing at the end.
    using NextPin = std::function<Result<std::optional<Pin>>()>;

    virtual ~ConsensusData() = default;

    /// The folder that holds all of it: moved as a whole it is put aside.
    virtual const std::string& folder() const = 0;
    /// How many that were put aside are kept.
    virtual std::int64_t kept_aside() const = 0;
    /// Whether there is any.
    virtual bool exists() const = 0;

    /// Opens it, or makes it. After a failure nothing is open, and nothing made.
    virtual Result<> open() = 0;
    /// What `open` has made goes again unless something was imported.
    virtual Result<> close() = 0;
    /// Neither pins nor anything of consensus.
    virtual bool empty() = 0;

    struct Exported {
        std::uint64_t pins = 0;
        std::uint64_t index = 0;     ///< of the last operation that the pinset has
        std::uint64_t left_out = 0;  ///< operations that were not known to be agreed
    };
    /// Gives every pin, in CID order.
    virtual Result<Exported> export_pins(const TakePin& take) = 0;

    struct Imported {
        std::uint64_t pins = 0;
        std::uint64_t repeated = 0;  ///< came more than once; the last one counts
        std::uint64_t homeless = 0;  ///< neither everywhere nor allocated to anybody
    };
    /// Replaces the pinset by what `next` gives and removes everything of consensus, at once after
    /// all of it has been read; an error before that changes nothing.
    virtual Result<Imported> import_pins(const NextPin& next) = 0;
    /// What a peer does at its next start after an import, for people.
    virtual std::string after_import() const = 0;

    /// What this peer agreed to and has lost, for people; nothing: nothing is known to be lost.
    /// Fails when what is left cannot be used. Closed.
    virtual Result<std::optional<std::string>> loss() = 0;
    /// It starts with what is there from now on. Closed.
    virtual Result<> accept_loss() = 0;
};

}  // namespace ipfscluster::component
