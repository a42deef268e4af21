/* Shared part of the bridge's C interface: statuses, slices, owned buffers, error text, version.
 *
 * Rules that hold for every function of the bridge
 *  - A panic inside never crosses the boundary: it becomes ICL_PANIC.
 *  - An `icl_slice` that is passed in is read during the call only, unless the function says otherwise.
 *  - An `icl_slice` that a callback receives is valid during the callback only: copy it.
 *  - An `icl_buffer` that is given out belongs to the caller, who returns it with icl_buffer_free().
 *  - Where a function returns a negative status, icl_last_error() of the same thread holds the cause.
 */
#ifndef ICL_BRIDGE_H
#define ICL_BRIDGE_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Raised with each incompatible change of a function or a struct of any bridge header. */
#define ICL_ABI_VERSION 2u

enum icl_status {
    ICL_OK = 0,
    ICL_EOF = -1,                  /* the other side closed its writing half */
    ICL_CANCELED = -2,             /* the operation was given up before it ended */
    ICL_NOT_CONNECTED = -3,        /* no connection to that peer */
    ICL_UNSUPPORTED_PROTOCOL = -4, /* the peer speaks none of the protocols asked for */
    ICL_TIMEOUT = -5,
    ICL_RESET = -6,          /* the stream was reset by either side, or its connection ended */
    ICL_IO = -7,             /* another input/output failure, see the text */
    ICL_INVALID = -8,        /* an argument is malformed, see the text */
    ICL_DIAL_FAILED = -9,    /* no address led to the peer, see the text */
    ICL_EXISTS = -10,        /* registered already */
    ICL_PUBLISH_FAILED = -11,
    ICL_WOULD_BLOCK = -12,   /* a bounded queue is full: try again later */
    ICL_PANIC = -13,         /* a bug inside the bridge, see the text */
    ICL_NOT_FOUND = -14,
    ICL_WRONG_SECRET = -15,  /* handshake failed under a cluster secret: probably another secret */
    ICL_CLOSED = -16,        /* the object was stopped or its engine has ended */
    ICL_UNAVAILABLE = -17,   /* this build or engine does not offer it */
    /* -64 and below belong to icl_raft.h */
};

/* Borrowed bytes. `ptr` may be null when `len` is 0. */
typedef struct icl_slice {
    const uint8_t* ptr;
    size_t len;
} icl_slice;

/* Bytes owned by whoever holds the struct; `cap` is for icl_buffer_free() alone. */
typedef struct icl_buffer {
    uint8_t* ptr;
    size_t len;
    size_t cap;
} icl_buffer;

/* The ICL_ABI_VERSION the library was built with; compare it once at start. */
uint32_t icl_abi_version(void);

/* From now on each new thread of the library first calls `hook` (null: nothing). For tools that want to
 * know these threads, such as ThreadSanitizer. */
void icl_on_thread_start(void (*hook)(void));

/* Gives a buffer back and empties the struct. Accepts null and an empty struct. */
void icl_buffer_free(icl_buffer* buffer);

/* Copies the text of this thread's last failure (UTF-8, not terminated) to `out`, at most `cap` bytes.
 * Returns the whole length of the text, 0 when there is none. */
size_t icl_last_error(uint8_t* out, size_t cap);

#ifdef __cplusplus
}
#endif
#endif
