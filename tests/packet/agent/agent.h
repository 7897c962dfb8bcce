/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ASSAY_TESTS_PACKET_AGENT_H
#define ASSAY_TESTS_PACKET_AGENT_H
/* Sockets over net/ and tcp/: agent.c has the port, the stack and the loop; socket.c what a descriptor is and what the stack's
 * events do to it; call.c and option.c what each call does. One thread: a call that would block is tried again every turn. */
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include "net/net.h"
#include "net/nic.h"
#include "stack_call.h"
#include "tcp/tcp.h"

#define SOCKETS_MAX 1024
#define CALLS_MAX   64
#define FD_FIRST    3 /* the first descriptor, as after stdin, stdout, stderr */

enum sock_state {
    SOCK_FREE,
    SOCK_FRESH, /* of socket() or bind(), or a connect() that has failed */
    SOCK_LISTENING,
    SOCK_CONNECTING,
    SOCK_CONNECTED,
    SOCK_OVER, /* the connection has ended; error says how, until it has been told */
};

struct sock {
    enum sock_state state;
    int domain, error;
    bool bound, nonblocking, peer_fin, read_shut, write_shut;
    bool queued; /* waits for accept(): nobody has its descriptor */
    int reuse, keepalive, nodelay;
    struct linger linger;
    struct assay_address local, remote;
    uint16_t port, remote_port;
    struct tcp_handle handle;
    int next;                    /* in the queue of its listener */
    int queue_first, queue_last; /* of a listener; -1: empty */
};

/* A request in progress. */
struct call {
    int client; /* the connection it came by, -1: none */
    bool started;
    uint64_t deadline_us; /* of poll(), and of a close() that lingers; 0: not set, UINT64_MAX: never */
    uint64_t done;        /* bytes read or written so far */
    struct stack_request request;
    struct stack_reply reply;
};

struct agent {
    struct nic nic;
    struct net *net;
    struct tcp *tcp;
    struct rte_mempool *packets, *payloads, *indirects;
    struct net_tx tx;
    struct tcp_config config;
    struct net_address addresses[NET_ADDRESSES_MAX];
    uint32_t addresses_count;
    struct net_route routes[2];
    uint32_t routes_count;
    uint64_t now_us;
    uint16_t port_next; /* where the search for a free port goes on */
    int listener;
    struct sock socks[SOCKETS_MAX];
    struct call calls[CALLS_MAX];
};

/* --- socket.c --- */
/* A fresh one, or NULL: none is left. */
struct sock *sock_new(struct agent *agent, int domain);
void sock_free(struct sock *sock);
/* What a descriptor stands for, or NULL. */
struct sock *sock_of(struct agent *agent, int fd);
int sock_fd(const struct agent *agent, const struct sock *sock);
void sock_take_events(struct agent *agent, const struct tcp_event *events, uint32_t n);
/* Takes the oldest connection out of a listener's queue, or NULL. */
struct sock *sock_accept(struct agent *agent, struct sock *listener);
/* It stops listening; what waits in its queue is aborted. */
void sock_unlisten(struct agent *agent, struct sock *sock);
/* The errno of a reading or writing call, once; 0: none. */
int sock_take_error(struct sock *sock);
/* Address and port of a sockaddr. An errno, or 0. */
int sock_read_address(const struct stack_request *request, int domain, struct assay_address *address, uint16_t *port);
uint32_t sock_write_address(const struct sock *sock, unsigned char *out);

/* --- call.c, option.c --- */
/* Tries a call (again). True when its reply is ready. */
bool call_try(struct agent *agent, struct call *call);
/* Each returns a result, or a negative errno. */
int64_t option_set(struct sock *sock, const struct stack_request *request);
int64_t option_get(struct agent *agent, struct sock *sock, const struct stack_request *request,
                   struct stack_reply *reply);
int64_t option_ioctl(struct agent *agent, struct sock *sock, const struct stack_request *request,
                     struct stack_reply *reply);
int64_t option_fcntl(struct sock *sock, const struct stack_request *request);

#endif
