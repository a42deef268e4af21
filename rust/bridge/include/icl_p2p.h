/* A libp2p host: TCP (optionally in a private network), Noise, yamux, identify, ping and a routing table;
 * on request QUIC, gossipsub, provider records, mDNS, AutoNAT, relays and hole punching.
 *
 *  - Peers are multihash bytes, addresses are binary multiaddresses, protocols and topics are UTF-8.
 *  - A "list" is a sequence of items, each a 4 byte little-endian length and that many bytes.
 *  - Callbacks fire on a thread of the library or on the calling thread before the call returns. They
 *    must not block and must not call icl_p2p_stop or icl_p2p_free; post to the caller's own thread.
 *  - Every icl_done_fn passed in fires exactly once, whatever happens, also for bad arguments.
 */
#ifndef ICL_P2P_H
#define ICL_P2P_H

#include "icl_bridge.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct icl_p2p icl_p2p;
typedef struct icl_stream icl_stream;

/* The end of one operation. `status` 0: `count`, `stream` and `detail` hold what the operation tells;
 * negative: `detail` is the cause as text. A `stream` belongs to the callee, who frees it. */
typedef void (*icl_done_fn)(void* ctx, int32_t status, size_t count, icl_stream* stream, icl_slice detail);

/* Events wait: take them with icl_p2p_next_event until it answers 0; not called again before that. */
typedef void (*icl_p2p_ready_fn)(void* ctx);

typedef struct icl_p2p_config {
    uint32_t abi_version; /* ICL_ABI_VERSION */
    uint32_t struct_size; /* sizeof(icl_p2p_config) */
    icl_slice private_key; /* libp2p PrivateKey protobuf; Ed25519 or RSA */
    icl_slice secret;      /* empty, or 32 bytes: only peers with the same secret can connect */
    icl_slice agent_version;
    icl_slice protocol_version;
    icl_slice announce; /* list of addresses told to others instead of the listen addresses; may be empty */
    uint32_t handshake_timeout_ms; /* one connection attempt */
    uint32_t connections_max;      /* 0: no limit */
    uint32_t gossip_degree;        /* D, Dlo, Dhi, Dscore, Dout, Dlazy of gossipsub; D 0: no gossip at all */
    uint32_t gossip_degree_low;
    uint32_t gossip_degree_high;
    uint32_t gossip_degree_score;
    uint32_t gossip_degree_out;
    uint32_t gossip_degree_lazy;
    uint32_t gossip_heartbeat_ms;
    uint32_t gossip_history_length;
    uint32_t gossip_history_gossip;
    uint32_t gossip_duplicate_cache_ms;
    uint32_t gossip_message_max; /* bytes */
    uint32_t gossip_ihave_max;
    uint32_t gossip_flood_publish; /* 0 or 1 */
    uint32_t gossip_peer_exchange; /* 0 or 1 */
    uint32_t idle_timeout_ms;      /* connections without a stream are closed after it; 0: never */
    icl_slice routing_protocol;    /* of the routing table, such as /ipfs/lan/kad/1.0.0 */
    uint32_t routing_mode;         /* answers the queries of others: 0 always, 1 never, 2 while reachable */
    uint32_t provider_keys_max;    /* provider records kept for others; 0: none, and none are made */
    /* How peers find and reach each other. 0: off. */
    uint32_t mdns_interval_ms;  /* asks the local network for peers this often: ICL_P2P_DISCOVERED */
    uint32_t autonat_delay_ms;  /* first asks others after this whether they can dial us; does it for them */
    uint32_t relay_client;      /* dials and listens through relays; reserves places while unreachable */
    uint32_t relay_server;      /* relays for others while reachable */
    uint32_t hole_punching;     /* turns relayed connections into direct ones; wants relay_client */
    uint32_t quic;              /* /udp/<port>/quic-v1; ICL_INVALID with a secret: it has no private networks */
    uint32_t private_addresses; /* addresses of private networks count as reachable for others */
    icl_p2p_ready_fn ready;
    void* ready_ctx; /* valid until icl_p2p_stop has returned */
} icl_p2p_config;

enum icl_p2p_event_kind {
    ICL_P2P_CONNECTED = 1,    /* first connection: peer, data = address of it, flag 1 = we dialed */
    ICL_P2P_DISCONNECTED = 2, /* last connection: peer, data = cause as text */
    ICL_P2P_STREAM = 3,       /* peer, name = protocol, stream (the taker frees it) */
    ICL_P2P_MESSAGE = 4,      /* peer = author, source = who passed it on, name = topic, data, id.
                                 Not passed on to others before icl_p2p_verdict. */
    ICL_P2P_LISTENING = 5,       /* data = address */
    ICL_P2P_LISTENING_ENDED = 6, /* data = address */
    ICL_P2P_IDENTIFIED = 7,      /* peer, name = agent version, data = list of its addresses,
                                    id = list of its protocols */
    ICL_P2P_FAILED = 8,          /* the host has ended by itself; name = cause as text */
    ICL_P2P_DISCOVERED = 9,      /* on the local network: peer, data = list of its addresses. It is not dialed. */
    ICL_P2P_REACHABILITY = 10,   /* flag 0 unknown, 1 others can dial us at data = address, 2 they cannot */
    ICL_P2P_PROVIDER = 11,       /* of a running icl_p2p_find_providers: id = key, peer, data = list of its
                                    addresses (may be empty) */
    ICL_P2P_HOLE_PUNCHED = 12,   /* peer, flag 1 = connected directly now, 0 = failed and name = cause */
    ICL_P2P_WARNING = 13,        /* something asked for does not work, the rest does: name = text */
};

/* Every buffer (also an empty one) is the taker's to free. */
typedef struct icl_p2p_event {
    int32_t kind;
    int32_t flag;
    icl_stream* stream;
    icl_buffer peer;
    icl_buffer source;
    icl_buffer name;
    icl_buffer data;
    icl_buffer id;
} icl_p2p_event;

/* Starts the host with its one worker thread. It listens nowhere yet. */
int32_t icl_p2p_start(const icl_p2p_config* config, icl_p2p** out);
/* Closes connections, ends all tasks and waits for them (a few seconds at most). Pending operations have
 * answered when it returns, and no callback fires afterwards. May be repeated. */
int32_t icl_p2p_stop(const icl_p2p* host);
/* Stops if needed and frees. Streams may be freed later. */
void icl_p2p_free(icl_p2p* host);
int32_t icl_p2p_id(const icl_p2p* host, icl_buffer* out);

/* 1: `out` holds the oldest event; 0: none; negative: failure. */
int32_t icl_p2p_next_event(const icl_p2p* host, icl_p2p_event* out);
/* Inbound streams that were reset because too many of their protocol waited to be taken. */
uint64_t icl_p2p_streams_refused(const icl_p2p* host);

/* Done with the first real address in `detail` (port 0 resolved). Others follow as events. */
void icl_p2p_listen(const icl_p2p* host, icl_slice address, icl_done_fn done, void* ctx);
/* Connects unless connected already; addresses the routing table knows are tried as well. */
void icl_p2p_dial(const icl_p2p* host, icl_slice peer, icl_slice address_list, uint32_t timeout_ms,
                  icl_done_fn done, void* ctx);
int32_t icl_p2p_disconnect(const icl_p2p* host, icl_slice peer);
/* Puts addresses into the routing table. */
int32_t icl_p2p_add_addresses(const icl_p2p* host, icl_slice peer, icl_slice address_list);
/* Asks the network; done with a list of addresses in `detail`, or ICL_NOT_FOUND. */
void icl_p2p_find_peer(const icl_p2p* host, icl_slice peer, uint32_t timeout_ms, icl_done_fn done, void* ctx);

/* Tells the peers nearest to `key` (a multihash) that this peer has the block; done with how many were told
 * in `count`. ICL_UNAVAILABLE while no address is known under which others reach this peer. They forget
 * after a day or two, so it is to be repeated. */
void icl_p2p_provide(const icl_p2p* host, icl_slice key, uint32_t timeout_ms, icl_done_fn done, void* ctx);
/* Each provider found is an ICL_P2P_PROVIDER event, put into the queue before done fires with their number.
 * Ends early at `providers_max`. */
void icl_p2p_find_providers(const icl_p2p* host, icl_slice key, uint32_t providers_max, uint32_t timeout_ms,
                            icl_done_fn done, void* ctx);

/* Accepts streams of a protocol. Beyond `waiting_max` not yet taken, further ones are reset. */
int32_t icl_p2p_accept(const icl_p2p* host, icl_slice protocol, uint32_t waiting_max);
int32_t icl_p2p_unaccept(const icl_p2p* host, icl_slice protocol);
/* Opens a stream with the first protocol of the list that the peer speaks: done with `stream` and the
 * protocol in `detail`. ICL_NOT_CONNECTED at once when there is no connection. */
void icl_p2p_open(const icl_p2p* host, icl_slice peer, icl_slice protocol_list, uint32_t timeout_ms,
                  icl_done_fn done, void* ctx);

void icl_p2p_subscribe(const icl_p2p* host, icl_slice topic, icl_done_fn done, void* ctx);
void icl_p2p_unsubscribe(const icl_p2p* host, icl_slice topic, icl_done_fn done, void* ctx);
/* Signed. Good also when nobody is subscribed. ICL_WOULD_BLOCK when every peer's queue is full. */
void icl_p2p_publish(const icl_p2p* host, icl_slice topic, icl_slice data, icl_done_fn done, void* ctx);
/* What to do with a message: 0 pass on, 1 reject, 2 ignore. Once for each message event. */
int32_t icl_p2p_verdict(const icl_p2p* host, icl_slice id, icl_slice source, int32_t verdict);

/* One read and one write (or close_write) in flight per stream; their memory stays valid until the
 * callback. Reads give `count` bytes, 0 at the clean end. A write has handed everything to the
 * flow-controlled connection. */
void icl_stream_read(const icl_stream* stream, uint8_t* out, size_t cap, icl_done_fn done, void* ctx);
void icl_stream_write(const icl_stream* stream, const uint8_t* data, size_t len, icl_done_fn done, void* ctx);
void icl_stream_close_write(const icl_stream* stream, icl_done_fn done, void* ctx);
/* Ends both directions; operations in flight answer ICL_RESET. May be repeated. */
void icl_stream_reset(const icl_stream* stream);
/* Resets unless both directions have ended, and frees. */
void icl_stream_free(icl_stream* stream);

#ifdef __cplusplus
}
#endif
#endif
