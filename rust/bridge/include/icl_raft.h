/* Raft engine (raft-rs RawNode) behind a C interface.
 *
 * One handle is one Raft node. A handle is used by one thread at a time and keeps no thread of its own.
 * No function calls back except through the tables given to the same call or, for reads of the log,
 * through `icl_raft_storage`; callbacks must not call into the same handle. Slices given to callbacks
 * are valid during the callback only; slices given to functions are read during the call only.
 *
 * Order of one round: icl_raft_poll -> send messages whose `after_persist` is 0 -> persist hard state,
 * entries and snapshot (synced when asked) -> send the other messages -> icl_raft_advance -> apply what
 * both reported as committed, in that order -> icl_raft_applied. Between poll and advance every other
 * changing function answers ICL_RAFT_BUSY. */
#ifndef ICL_RAFT_H
#define ICL_RAFT_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Raised with each incompatible change of this header. */
#define ICL_RAFT_ABI 2u

/* Statuses; negative ones are failures, their text is given by icl_last_error (icl_bridge.h). */
enum {
    ICL_RAFT_OK = 0,
    ICL_RAFT_INVALID = -8,   /* an argument is malformed */
    ICL_RAFT_PANIC = -13,    /* the engine broke an invariant; the node is gone, restart from disk */
    ICL_RAFT_DROPPED = -32,  /* no leader, a transfer under way, or too much uncommitted: try later */
    ICL_RAFT_NO_PEER = -33,  /* an answer from a node that is not a member */
    ICL_RAFT_DECODE = -34,   /* bytes are not what they should be */
    ICL_RAFT_DEAD = -35,     /* an earlier panic or removal ended this node */
    ICL_RAFT_BUSY = -36,     /* a polled round is not advanced yet (or none is, for advance) */
    ICL_RAFT_STORAGE = -37,  /* the log callbacks failed */
    ICL_RAFT_REMOVED = -38,  /* the applied change removed this node; the node is gone */
    ICL_RAFT_REFUSED = -39   /* the leader may not be removed: transfer leadership first */
};

/* Answers of the storage callbacks. */
enum {
    ICL_RAFT_STORE_OK = 0,
    ICL_RAFT_STORE_COMPACTED = 1,
    ICL_RAFT_STORE_UNAVAILABLE = 2,     /* beyond the last entry */
    ICL_RAFT_STORE_SNAPSHOT_LATER = 3,  /* snapshot is being prepared */
    ICL_RAFT_STORE_FAILED = 4           /* reading failed; the node fails with it */
};

enum { ICL_RAFT_ENTRY_NORMAL = 0, ICL_RAFT_ENTRY_CHANGE_V1 = 1, ICL_RAFT_ENTRY_CHANGE = 2 };
enum { ICL_RAFT_FOLLOWER = 0, ICL_RAFT_CANDIDATE = 1, ICL_RAFT_LEADER = 2, ICL_RAFT_PRE_CANDIDATE = 3 };
enum { ICL_RAFT_ADD_VOTER = 0, ICL_RAFT_REMOVE = 1, ICL_RAFT_ADD_LEARNER = 2 };
enum { ICL_RAFT_PROBE = 0, ICL_RAFT_REPLICATE = 1, ICL_RAFT_SNAPSHOT = 2 };

typedef struct icl_raft icl_raft;

typedef struct {
    const uint8_t* ptr;
    size_t len;
} icl_raft_slice;

typedef struct {
    uint64_t index;
    uint64_t term;
    uint32_t type; /* ICL_RAFT_ENTRY_* */
    uint32_t reserved;
    icl_raft_slice data;
    icl_raft_slice context;
} icl_raft_entry;

typedef void (*icl_raft_entry_fn)(void* ctx, const icl_raft_entry* entry);
typedef void (*icl_raft_bytes_fn)(void* ctx, icl_raft_slice bytes);

/* How the engine reads the stored log. Entries are what was persisted; nothing is kept in the engine. */
typedef struct {
    void* ctx;
    uint64_t (*first_index)(void* ctx); /* compacted index + 1 */
    uint64_t (*last_index)(void* ctx);  /* compacted index when there is no entry */
    /* Term of an entry; the compacted index has one too. */
    int32_t (*term)(void* ctx, uint64_t index, uint64_t* term);
    /* Gives entries [low, high) to `push`, stopping when `bytes_max` of data are reached, at least one. */
    int32_t (*entries)(void* ctx, uint64_t low, uint64_t high, uint64_t bytes_max,
                       icl_raft_entry_fn push, void* push_ctx);
    /* A snapshot for node `to` at `*index` >= request_index: fills index and term and gives the conf
     * state bytes and the token. */
    int32_t (*snapshot)(void* ctx, uint64_t request_index, uint64_t to, uint64_t* index, uint64_t* term,
                        icl_raft_bytes_fn conf_state, icl_raft_bytes_fn token, void* bytes_ctx);
} icl_raft_storage;

typedef struct {
    uint32_t struct_size; /* sizeof(icl_raft_config) */
    uint32_t abi;         /* ICL_RAFT_ABI */
    uint64_t id;          /* not 0 */
    uint64_t term, vote, commit; /* stored hard state; commit >= applied */
    uint64_t applied;
    icl_raft_slice conf_state; /* stored with `applied`; empty for a node that waits to be added */
    uint32_t election_ticks;   /* timeouts are drawn from [election_ticks, 2 * election_ticks) */
    uint32_t heartbeat_ticks;
    uint64_t message_bytes_max;   /* entries per append */
    uint64_t committed_bytes_max; /* committed entries per round */
    uint64_t uncommitted_bytes_max;
    uint32_t inflight_max; /* appends on the way per peer */
    uint32_t reserved;
    uint64_t jitter_seed; /* election timeouts are a function of this seed and of what happened */
} icl_raft_config;

typedef struct {
    uint64_t to, from, term;
    uint32_t type;          /* eraftpb.MessageType, for logs */
    uint32_t after_persist; /* 1: only after this round is persisted */
    uint64_t snapshot_index, snapshot_term; /* not 0 for a message that installs a snapshot */
    icl_raft_slice snapshot_token;
    icl_raft_slice bytes; /* what icl_raft_step takes at the receiver */
    uint64_t index;       /* of an answer to an append: acknowledged, or refused, up to here */
    uint64_t commit;      /* of a heartbeat: entries up to here the receiver has acknowledged */
    uint64_t reject_hint; /* of a refused append: where the sender's log may agree at most */
    uint32_t reject;      /* 1: the message refuses */
    uint32_t reserved;
} icl_raft_message;

typedef struct {
    void* ctx;
    void (*hard_state)(void* ctx, uint64_t term, uint64_t vote, uint64_t commit);
    void (*snapshot)(void* ctx, uint64_t index, uint64_t term, icl_raft_slice conf_state,
                     icl_raft_slice token);
    void (*entry)(void* ctx, const icl_raft_entry* entry); /* to persist; replaces any from its index on */
    void (*message)(void* ctx, const icl_raft_message* message);
    void (*committed)(void* ctx, const icl_raft_entry* entry);
    void (*read_state)(void* ctx, uint64_t index, icl_raft_slice request);
} icl_raft_sink;

typedef struct {
    uint32_t struct_size;
    uint32_t role; /* ICL_RAFT_FOLLOWER … */
    uint64_t id, term, vote, leader; /* leader 0: unknown */
    uint64_t commit, applied, first_index, last_index;
    uint64_t transferee; /* 0: no transfer under way */
    uint32_t promotable; /* 1: a voter */
    uint32_t pending_change; /* 1: as leader, a membership change is not applied yet */
    uint32_t election_timeout_ticks, reserved;
} icl_raft_status_info;

typedef struct {
    uint64_t id, matched, next, pending_snapshot;
    uint32_t state; /* ICL_RAFT_PROBE … */
    uint32_t learner, recent_active, reserved;
} icl_raft_progress_info;

/* Makes a node. `storage` is copied; its ctx must outlive the handle. */
int32_t icl_raft_new(const icl_raft_config* config, const icl_raft_storage* storage, icl_raft** out);
void icl_raft_free(icl_raft* node);

int32_t icl_raft_tick(icl_raft* node);
int32_t icl_raft_campaign(icl_raft* node);
int32_t icl_raft_step(icl_raft* node, icl_raft_slice message);
/* Appends (leader) or forwards (follower that knows one) a normal entry. */
int32_t icl_raft_propose(icl_raft* node, icl_raft_slice data);
/* One membership change; `context` goes with it and is given back when it is applied. */
int32_t icl_raft_propose_change(icl_raft* node, uint32_t op, uint64_t id, icl_raft_slice context);
int32_t icl_raft_read_index(icl_raft* node, icl_raft_slice request);
int32_t icl_raft_transfer_leader(icl_raft* node, uint64_t to);
int32_t icl_raft_report_unreachable(icl_raft* node, uint64_t id);
int32_t icl_raft_report_snapshot(icl_raft* node, uint64_t id, int32_t good);

/* Collects what there is to do. `*has_ready` 0: nothing, and no advance is owed. */
int32_t icl_raft_poll(icl_raft* node, const icl_raft_sink* sink, uint32_t* has_ready, uint32_t* must_sync);
/* The round is persisted; reports a new commit index (as hard state), messages and committed entries. */
int32_t icl_raft_advance(icl_raft* node, const icl_raft_sink* sink);
/* The state machine has everything up to `index`. */
int32_t icl_raft_applied(icl_raft* node, uint64_t index);
/* Gives what a change entry asks for, without applying it. */
int32_t icl_raft_change_read(const icl_raft_entry* entry, void (*change)(void* ctx, uint32_t op, uint64_t id),
                             icl_raft_bytes_fn context, void* ctx);
/* Applies a committed change entry: gives each (op, id), its context, and the new conf state. Must be
 * called for every committed entry that is not normal, in order, before icl_raft_applied, unless every
 * member rejects the change alike. */
int32_t icl_raft_apply_change(icl_raft* node, const icl_raft_entry* entry,
                              void (*change)(void* ctx, uint32_t op, uint64_t id),
                              icl_raft_bytes_fn context, icl_raft_bytes_fn conf_state, void* ctx);

int32_t icl_raft_status(icl_raft* node, icl_raft_status_info* out);
/* On a leader: each member's progress. */
int32_t icl_raft_progress(icl_raft* node, void (*each)(void* ctx, const icl_raft_progress_info*),
                          void* ctx);

/* Conf state bytes of a configuration without a change under way. */
int32_t icl_raft_conf_state_make(const uint64_t* voters, size_t voter_count, const uint64_t* learners,
                                 size_t learner_count, icl_raft_bytes_fn out, void* ctx);
/* Calls `member` for each member, learner or not. */
int32_t icl_raft_conf_state_read(icl_raft_slice conf_state,
                                 void (*member)(void* ctx, uint64_t id, int32_t learner), void* ctx);
/* Reads the envelope of a message without stepping it; `bytes` of the result is empty. */
int32_t icl_raft_message_read(icl_raft_slice message,
                              void (*out)(void* ctx, const icl_raft_message* message), void* ctx);
/* Gives the entries a message carries. */
int32_t icl_raft_message_entries(icl_raft_slice message, icl_raft_entry_fn out, void* ctx);

#ifdef __cplusplus
}
#endif
#endif
