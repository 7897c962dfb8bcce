/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ASSAY_PROXY_INTERNAL_H
#define ASSAY_PROXY_INTERNAL_H
/* What the files of proxy/ share: the objects of a core and who calls whom. Nothing outside proxy/ includes this.
 *
 * A client connection (struct client) carries one exchange at a time. While the exchange needs one, it holds a connection
 * to an origin (struct upstream), which comes from the pool of its origin (struct origin: host, port, scheme).
 * All three stand in pools of fixed size; buffers belong to a connection only while bytes are in flight. */
#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/pool.h"
#include "base/slice.h"
#include "base/timer_wheel.h"
#include "http/http.h"
#include "http/mra_path.h"
#include "proxy/limits.h"
#include "proxy/proxy.h"
#include "proxy/stream.h"
#include "tcp/tcp.h"
#include "tls/tls.h"
#include "x509/chain.h"
#include "x509/identity.h"
#include "x509/verdict_cache.h"
#include "x509/verify.h"

#define PROXY_BUFFER_BYTES 49152  /* a message head and the body bytes behind it, or body bytes on their way */
#define PROXY_PUMP_BYTES   262144 /* one exchange's share of a turn */
#define PROXY_HOST_MAX     254

#define PROXY_VERDICT_NEGATIVE_S 5 /* how long a refusal is believed */

/* --- intrusive lists ----------------------------------------------------------------------------------------------------- */

struct proxy_link {
    struct proxy_link *next, *previous; /* NULL: on no list */
};

static inline void list_init(struct proxy_link *head)
{
    head->next = head->previous = head;
}

static inline bool list_empty(const struct proxy_link *head)
{
    return head->next == head;
}

static inline bool list_linked(const struct proxy_link *link)
{
    return link->next != NULL;
}

static inline void list_append(struct proxy_link *head, struct proxy_link *link)
{
    link->previous = head->previous;
    link->next = head;
    head->previous->next = link;
    head->previous = link;
}

static inline void list_remove(struct proxy_link *link)
{
    if (link->next == NULL)
        return;
    link->previous->next = link->next;
    link->next->previous = link->previous;
    link->next = link->previous = NULL;
}

#define list_entry(link, type, member) ((type *)(void *)((uint8_t *)(link)-offsetof(type, member)))

/* --- timers --------------------------------------------------------------------------------------------------------------- */

enum proxy_object { PROXY_LISTENER = 1, PROXY_CLIENT, PROXY_UPSTREAM };

/* A deadline that moves often: the wheel's node is left where it is when the deadline moves away, and armed again when it
 * fires too early. */
struct proxy_timer {
    struct timer_node node;
    uint64_t deadline_us; /* UINT64_MAX: none */
    enum proxy_object object;
};

/* --- a buffer: bytes [start, end), a head kept before them -------------------------------------------------------------- */

struct proxy_buffer {
    uint8_t *bytes; /* PROXY_BUFFER_BYTES, or NULL while there is none */
    uint32_t start;
    uint32_t end;
};

/* --- a client connection and its exchange ---------------------------------------------------------------------------------- */

enum client_phase {
    CLIENT_FREE,
    CLIENT_HELLO,     /* reading the ClientHello (or waiting for its turn to) */
    CLIENT_HANDSHAKE, /* TLS */
    CLIENT_HEAD,      /* between requests, or reading a head */
    CLIENT_QUEUED,    /* the request waits for a connection of its origin */
    CLIENT_CONNECT,   /* a connection to the origin is being made for it */
    CLIENT_EXCHANGE,  /* request on its way, response awaited or on its way */
    CLIENT_LINGER,    /* the last answer was written: flush, wait for the client to close */
};

struct client {
    struct tcp_handle tcp;
    struct tls_connection *tls; /* NULL: plain, or not yet */
    struct tls_hello *hello;
    struct tls_credential *credential; /* counted in users[core] */
    struct upstream *upstream;         /* the exchange's */
    struct upstream *sticky;           /* an NTLM connection that belongs to this client */
    struct origin *origin;             /* the exchange's, for CLIENT_QUEUED */
    struct proxy_buffer in;            /* [0, head_length): the request's head while the exchange lasts */
    struct proxy_timer timer;
    struct proxy_link run;     /* handshakes, deferred or work list */
    struct proxy_link waiting; /* origin's queue */
    struct http_scan scan;
    struct http_body request_body;
    struct http_body response_body;
    struct assay_address peer;
    struct assay_address local;
    uint64_t transaction;
    uint64_t route_epoch; /* in which it was last found that it may be served */
    size_t unacked;       /* when the timer that waits for the client to take something last looked */
    uint32_t requests;
    uint32_t head_length;
    uint32_t parsed; /* of a head that is not whole yet: bytes the parser has seen */
    uint16_t peer_port, local_port;
    uint16_t status; /* of the response, for the log */
    uint8_t phase;
    uint8_t attempts;       /* connections tried for this request (S19) */
    uint8_t minor;          /* HTTP/1.x of the request */
    uint8_t interims;       /* 1xx responses so far */
    bool counted_handshake; /* in proxy.handshakes */
    bool trusted;           /* its X-Forwarded-For and TrackingID are believed */
    bool keep_alive;        /* after this exchange */
    bool head_only, idempotent, ntlm;
    bool request_sent;     /* a byte of the request went to the origin */
    bool request_done;     /* all of it was read and forwarded */
    bool response_started; /* a byte of the response's head came */
    bool response_head;    /* the final head went to the client */
    bool response_chunked; /* re-framed */
    bool response_blocked; /* the client does not take it */
    bool request_blocked;  /* the origin does not take it */
};

/* --- a connection to an origin ------------------------------------------------------------------------------------------------ */

enum upstream_phase { UPSTREAM_FREE, UPSTREAM_CONNECT, UPSTREAM_HANDSHAKE, UPSTREAM_BUSY, UPSTREAM_IDLE };

/* What is known of an origin's certificate on one connection; the mode acts where it is used. */
struct verdict_state {
    enum x509_reason chain_reason, name_reason;
    int depth;
    uint32_t warnings;
    uint64_t epoch;     /* trust epoch it was made in; 0: none yet */
    uint32_t policy_id; /* of the scope it was made in */
    uint64_t valid_until_s;
    uint64_t logged_epoch; /* Action=Continue is said once a connection and epoch */
};

/* What control's registry was told last of an origin. */
struct chain_handover {
    struct x509_chain_digest digest;
    struct verdict_state verdict;
    uint64_t due_us; /* from then on the chain goes over whole again */
};

struct upstream {
    struct tcp_handle tcp;
    struct tls_connection *tls;
    struct tls_credential *credential;
    struct client *client;     /* whose exchange it serves */
    struct client *sticky_for; /* NTLM: bound to that client for good */
    struct origin *origin;
    struct proxy *proxy;      /* for the verifier, which has only this */
    struct x509_chain *chain; /* what the origin presented; NULL: none kept */
    struct proxy_buffer in;
    struct proxy_timer timer;
    struct proxy_link link; /* origin's idle or busy list */
    struct proxy_link run;
    struct http_scan scan;
    struct verdict_state verdict;
    struct assay_address address;
    uint64_t connect_until_us; /* TCP and TLS of this attempt must be up by then */
    uint64_t revoke_us;        /* the exchange must end by then; 0: no such order */
    uint32_t requests;
    uint8_t phase;
    uint32_t parsed;
    bool keep_alive; /* what its last response said */
    bool session_taken;
    bool session_offered;
    bool handed_over; /* its handshake was told to control's registry */
    bool ntlm;
};

/* --- an origin: what connections may be reused for -------------------------------------------------------------------------------- */

struct origin {
    char host[PROXY_HOST_MAX + 2]; /* canonical */
    struct x509_identity identity;
    uint16_t port;
    bool https;
    uint64_t deployment;       /* of the requests it serves */
    uint64_t scope_generation; /* of the snapshot that scope is of */
    uint32_t scope;            /* see origin_scope() */
    char scope_name[96];       /* of it, for reports */
    struct origin *next_hash;
    struct proxy_link recent; /* least recently used first */
    struct proxy_link serve;  /* proxy's list of those with a free place and a queue */
    struct proxy_link idle;   /* upstreams, last used last */
    struct proxy_link busy;   /* connecting or serving */
    struct proxy_link queue;  /* clients */
    struct tls_session *session;
    struct x509_chain *session_chain; /* what the session's handshake verified */
    struct verdict_state session_verdict;
    uint64_t session_credential;
    struct x509_chain *chain; /* last seen: chains are the same nearly always, and then shared */
    struct chain_handover handed;
    struct assay_address address;
    uint32_t address_next; /* which of several addresses is tried next */
    uint32_t connections, idle_count, queue_count;
    uint64_t requests, failures;
    char last_error[128];
};

/* --- what the current request asks for --------------------------------------------------------------------------------- */

struct request_target {
    struct mra_target mra;
    struct slice host; /* canonical; points into mra, a snapshot or the identity's text */
    uint16_t port;
    bool https;
    const char *deployment; /* in the snapshot */
    uint64_t deployment_number;
    struct slice path;
    char host_text[PROXY_HOST_MAX + 2];
    char host_header[PROXY_HOST_MAX + 16];
    char tracking[64];
    struct slice tracking_id;
    uint16_t status; /* refused: what to answer */
    const char *what;
    struct x509_identity identity;
};

/* --- the core's proxy -------------------------------------------------------------------------------------------------------------- */

#define EXCHANGE_ATTEMPTS    2     /* connections tried for a request. S19: at once, twice, then 502 */
#define PROXY_PLAIN_BYTES    65536 /* gathered plaintext: a head, chunk framing, body */
#define PROXY_CIPHER_BYTES   65536 /* what one TLS call may produce */
#define PROXY_ORIGIN_BUCKETS 1024

struct proxy {
    struct proxy_config config;
    struct tcp *tcp;
    const struct snapshot *snapshot; /* during a call only */
    uint64_t now_us, wall_ns;
    uint64_t log_ns; /* of the last record */
    uint64_t generation, listeners_epoch, trust_revision, credentials_epoch;
    uint32_t upstreams_high;       /* that many places of the pool were ever used */
    uint32_t sweep_at, sweep_left; /* a review of the connections to origins (proxy_sweep()) */
    struct timer_wheel wheel;
    struct pool *clients, *upstreams, *origins, *buffers;
    struct x509_verdict_cache *verdicts;
    struct proxy_link work;       /* clients with something left to do next turn */
    struct proxy_link serve;      /* origins where a place became free for one that waits */
    struct proxy_link handshakes; /* clients whose next step is a private-key operation */
    struct proxy_link upstream_handshakes;
    struct proxy_link deferred; /* clients that wait for a place among handshakes_max */
    struct proxy_link recent_origins;
    struct origin *origin_table[PROXY_ORIGIN_BUCKETS];
    uint32_t handshake_count;
    uint64_t transactions;
    uint64_t tracking_key[2];
    bool draining;
    uint32_t listener_count;
    struct {
        struct assay_address address;
        uint16_t port;
    } listening[64];
    struct assay_counters counters;
    struct http_request request; /* scratch: the head being worked on */
    struct http_response response;
    struct request_target target; /* of request */
    size_t pump_bytes;            /* left of one exchange's share of a turn */
    uint8_t plain[PROXY_PLAIN_BYTES];
    uint8_t cipher[PROXY_CIPHER_BYTES];
};

/* timers (proxy.c) */
void proxy_deadline(struct proxy *p, struct proxy_timer *timer, uint64_t deadline_us);
void proxy_timer_stop(struct proxy *p, struct proxy_timer *timer);
/* cookie of a TCP connection: kind and pool index */
uint64_t proxy_cookie(enum proxy_object object, uint32_t index);
/* buffers (proxy.c) */
bool buffer_take(struct proxy *p, struct proxy_buffer *buffer);
void buffer_give(struct proxy *p, struct proxy_buffer *buffer);
static inline struct slice buffer_slice(const struct proxy_buffer *buffer)
{
    return slice_of(buffer->bytes + buffer->start, buffer->end - buffer->start);
}
void credential_use(struct proxy *p, struct tls_credential *credential);
void credential_drop(struct proxy *p, struct tls_credential *credential);

/* client.c */
void client_accept(struct proxy *p, const struct tcp_event *event);
void client_event(struct proxy *p, struct client *c, const struct tcp_event *event);
void client_timeout(struct proxy *p, struct client *c);
/* Runs one handshake step; true when it cost a private-key operation. */
bool client_handshake_step(struct proxy *p, struct client *c);
void client_start_deferred(struct proxy *p);
/* Closes the client's side for good, and lets go of its exchange. */
void client_close(struct proxy *p, struct client *c, bool abort);
/* Everything was written: FIN, then wait a little for the client's. Gone at once when that came already. */
void client_linger(struct proxy *p, struct client *c);
/* Did a slow client take some of what waits for it since the timer last looked? Then it gets more time. */
bool client_takes_on(struct proxy *p, struct client *c);
void client_set_phase(struct proxy *p, struct client *c, enum client_phase phase);
struct stream client_stream(struct client *c);
/* May it still ask? Who may connect, and how, can have changed since it did. */
bool client_may_ask(struct proxy *p, struct client *c);
const struct route_listener *client_listener(struct proxy *p, const struct client *c);
/* Puts it on the work list: it is pumped again next turn. */
void client_again(struct proxy *p, struct client *c);

/* exchange.c */
void exchange_pump(struct proxy *p, struct client *c);
/* The upstream it asked for is ready (verified, idle): send. */
void exchange_upstream_ready(struct proxy *p, struct client *c);
/* The upstream it had is gone, before or during the exchange. */
enum upstream_loss {
    LOSS_CONNECT,
    LOSS_CONNECT_TIMEOUT,
    LOSS_VERDICT,
    LOSS_TLS,
    LOSS_CLOSED,
    LOSS_TIMEOUT,
    LOSS_REVOKED,
    LOSS_NO_PORT
};
void exchange_upstream_lost(struct proxy *p, struct client *c, enum upstream_loss loss);
void exchange_timeout(struct proxy *p, struct client *c);
/* An answer of our own; closes the exchange. what: the body's sentence. */
void exchange_answer(struct proxy *p, struct client *c, uint16_t status, const char *what);
/* The response went out whole, and the upstream is no longer the exchange's: next request, or the end. */
void exchange_finish(struct proxy *p, struct client *c);
/* S22, for each attempt; p->request and p->target are the client's. */
void exchange_log_sending(struct proxy *p, struct client *c, const struct assay_address *address);
/* S24 with a status line of our own or the origin's. */
void exchange_log_answer(struct proxy *p, struct client *c, struct slice status_line);
/* One piece of payload, as a chunk of its own where the message is chunked. */
bool exchange_write_payload(struct proxy *p, struct stream s, bool chunked, struct slice data);
/* Forgets the exchange; an upstream it still holds is closed. */
void exchange_reset(struct proxy *p, struct client *c);

/* response.c: the second half of exchange.c */
bool response_step(struct proxy *p, struct client *c);

/* request.c */
/* Reads p->request: whereto, and may it. First: counted and logged (S20, S21); again (a retry): silently. False: refused,
 * target->status and ->what say how. */
bool request_resolve(struct proxy *p, struct client *c, struct request_target *target, bool first);
/* What heads may be: the snapshot's limits, and what a buffer holds. */
struct http_limits request_limits(const struct proxy *p);
/* Makes the client's request p->request and p->target again, from the head kept in c->in. False: refused now, see target. */
bool request_load(struct proxy *p, struct client *c);

/* origin.c */
struct origin *origin_find(struct proxy *p, const struct request_target *target); /* NULL: table full of busy ones */
/* Is it what the request asks for? A snapshot that came while it waited may have another idea of its domain. */
bool origin_serves(const struct origin *o, const struct request_target *target);
/* Gives the exchange an upstream now (true), or makes it wait (false; c->phase says how). Answers by itself on failure. */
bool origin_acquire(struct proxy *p, struct origin *o, struct client *c);
/* After an exchange: back to the pool, on to the next in the queue, or closed. */
void origin_release(struct proxy *p, struct upstream *u, bool reusable);
void origin_serve_queue(struct proxy *p, struct origin *o);
/* A place became free: its queue is served before this turn or the next ends (the caller may be deep inside an exchange). */
void origin_wake_queue(struct proxy *p, struct origin *o);
/* Closes the idle connection that was unused for longest; false: there is none. */
bool origin_evict_idle(struct proxy *p);
void origin_leave_queue(struct client *c);
void origin_note_error(struct origin *o, const char *text);
/* How its certificate is judged under the snapshot of this call. */
const struct trust_scope *origin_scope(const struct proxy *p, struct origin *o);
void origin_forget_session(struct origin *o);
/* Trust or our certificates changed: a connection that would not be used again is closed, at once where it is idle; see
 * verdict_review() for a busy one. */
void origin_review(struct proxy *p, struct upstream *u);
/* It has no connection and nobody waits for one. */
void origin_remove(struct proxy *p, struct origin *o);

/* upstream.c */
enum assay_error upstream_connect(struct proxy *p, struct origin *o, struct client *c,
                                  const struct assay_address *address) ASSAY_MUST_USE;
void upstream_event(struct proxy *p, struct upstream *u, const struct tcp_event *event);
void upstream_timeout(struct proxy *p, struct upstream *u);
void upstream_handshake_step(struct proxy *p, struct upstream *u);
void upstream_close(struct proxy *p, struct upstream *u, bool abort);
/* Its TLS failed. The alert must reach the origin: an orderly close behind it, and nothing unread that would make it a reset. */
void upstream_close_told(struct proxy *p, struct upstream *u);
struct stream upstream_stream(struct upstream *u);
void upstream_set_phase(struct upstream *u, enum upstream_phase phase);
/* Nothing lies unread on a connection between two responses: bytes that came unasked would be taken for the answer to the
 * next request. TLS's own messages (tickets) are read here. */
bool upstream_quiet(struct proxy *p, struct upstream *u);
/* It did not get ready in time: logged, and the name's next address is next. */
void upstream_connect_timeout(struct proxy *p, struct upstream *u);
/* The origin's TLS failed: counted and logged (S28); the loss to report to the exchange. */
enum upstream_loss upstream_tls_failed(struct proxy *p, struct upstream *u);
/* Did its TLS fail, and not only TCP below it? */
bool upstream_tls_spoke(const struct upstream *u);
/* Takes a session for resumption when there is a new one. */
void upstream_keep_session(struct proxy *p, struct upstream *u);

/* verdict.c */
uint8_t verdict_verify(void *upstream, const struct slice *certificates, size_t count,
                       struct slice staple); /* struct tls_verifier */
bool verdict_asks_status(const struct proxy *p,
                         struct origin *o); /* for a stapled OCSP response: where the policy has a use for it */
/* Is the connection good for a request now? Judges again where the epoch moved or time passed. */
bool verdict_current(struct proxy *p, struct upstream *u);
/* The same for a session before it is offered. */
bool verdict_session_current(struct proxy *p, struct origin *o);
/* Did the verdict refuse, under the mode that the origin has now? */
bool verdict_refuses(const struct proxy *p, struct origin *o, const struct verdict_state *v);
/* Counts a request that is about to be sent: verified, unverified, let pass. */
void verdict_count_request(struct proxy *p, const struct upstream *u);
void verdict_log(struct proxy *p, const struct upstream *u, struct verdict_state *v, bool terminate);
/* The trust changed: an idle connection that lost it is closed, a request in flight on one gets revoke_grace. */
void verdict_review(struct proxy *p, struct upstream *u);

/* chains.c */
/* Tells control's registry what the connection stands on, as far as that is news. handshake: a full one, now. */
void chains_hand_over(struct proxy *p, struct upstream *u, bool handshake);

/* route.c */
const struct route_origin *route_find_origin(const struct route_section *route, struct slice host);
const struct route_domain *route_find_domain(const struct route_section *route, struct slice domain);
struct tls_credential *route_server_credential(const struct credential_section *credentials, struct slice sni);
struct tls_credential *route_client_credential(const struct credential_section *credentials, struct slice host,
                                               uint16_t port);
bool route_own_address(const struct route_section *route, const struct assay_address *address);

/* log.c */
struct log_line {
    uint8_t kind;
    uint8_t action;
    int32_t depth;
    uint16_t status;
    const struct assay_address *peer;
    uint16_t peer_port;
    uint64_t transaction;
    struct slice strings[8];
};
void proxy_log(struct proxy *p, const struct log_line *line);

#endif
