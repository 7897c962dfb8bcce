/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>

#include "agent.h"
#include "base/address.h"

struct sock *sock_new(struct agent *agent, int domain)
{
    for (uint32_t i = 0; i < SOCKETS_MAX; i++) {
        struct sock *sock = &agent->socks[i];

        if (sock->state != SOCK_FREE)
            continue;
        *sock = (struct sock){.state = SOCK_FRESH, .domain = domain, .next = -1, .queue_first = -1, .queue_last = -1};
        return sock;
    }
    return NULL;
}

void sock_free(struct sock *sock)
{
    sock->state = SOCK_FREE;
}

struct sock *sock_of(struct agent *agent, int fd)
{
    struct sock *sock;

    if (fd < FD_FIRST || fd >= FD_FIRST + SOCKETS_MAX)
        return NULL;
    sock = &agent->socks[fd - FD_FIRST];
    return sock->state == SOCK_FREE || sock->queued ? NULL : sock;
}

int sock_fd(const struct agent *agent, const struct sock *sock)
{
    return (int)(sock - agent->socks) + FD_FIRST;
}

/* --- events ----------------------------------------------------------------------------------------------------------- */

static int error_of(enum tcp_reason reason, bool peer_fin)
{
    switch (reason) {
    case TCP_REASON_REFUSED: return ECONNREFUSED;
    case TCP_REASON_TIMEOUT:
    case TCP_REASON_KEEPALIVE: return ETIMEDOUT;
    case TCP_REASON_UNREACHABLE: return EHOSTUNREACH;
    case TCP_REASON_NO_MEMORY: return ENOBUFS;
    /* As Linux has it: the peer has said goodbye already, so what fails is our writing. */
    case TCP_REASON_RESET: return peer_fin ? EPIPE : ECONNRESET;
    default: return ECONNRESET;
    }
}

static void enqueue(struct agent *agent, struct sock *listener, struct sock *sock)
{
    int index = (int)(sock - agent->socks);

    sock->queued = true;
    if (listener->queue_last >= 0)
        agent->socks[listener->queue_last].next = index;
    else
        listener->queue_first = index;
    listener->queue_last = index;
}

static struct sock *take_new(struct agent *agent, const struct tcp_event *event)
{
    struct sock *listener = &agent->socks[event->user], *sock = NULL;
    struct tcp_info info;

    if (listener->state == SOCK_LISTENING)
        sock = sock_new(agent, listener->domain);
    if (!sock || tcp_get_info(agent->tcp, event->handle, &info) ||
        tcp_set_user(agent->tcp, event->handle, (uint64_t)(sock - agent->socks))) {
        if (sock)
            sock_free(sock);
        tcp_abort(agent->tcp, event->handle);
        return NULL;
    }
    sock->state = SOCK_CONNECTED;
    sock->handle = event->handle;
    sock->local = info.local;
    sock->remote = info.remote;
    sock->port = info.local_port;
    sock->remote_port = info.remote_port;
    /* Linux: what is set on the listener holds for what it accepts. */
    sock->linger = listener->linger;
    sock->keepalive = listener->keepalive;
    sock->nodelay = listener->nodelay;
    sock->reuse = listener->reuse;
    enqueue(agent, listener, sock);
    return sock;
}

static bool is_of(const struct sock *sock, const struct tcp_event *event)
{
    return sock->state != SOCK_FREE && sock->handle.index == event->handle.index &&
           sock->handle.generation == event->handle.generation;
}

void sock_take_events(struct agent *agent, const struct tcp_event *events, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        const struct tcp_event *event = &events[i];
        struct sock *sock;

        sock = event->flags & TCP_EVENT_ACCEPTED ? take_new(agent, event) : &agent->socks[event->user];
        if (!sock || !is_of(sock, event))
            continue;
        if (event->flags & TCP_EVENT_CONNECTED)
            sock->state = SOCK_CONNECTED;
        if (event->flags & TCP_EVENT_PEER_FIN)
            sock->peer_fin = true;
        if (event->flags & TCP_EVENT_CLOSED) {
            sock->error = error_of(event->reason, sock->peer_fin);
            sock->state = SOCK_OVER;
        }
    }
}

/* --- listeners -------------------------------------------------------------------------------------------------------- */

struct sock *sock_accept(struct agent *agent, struct sock *listener)
{
    struct sock *sock;

    if (listener->queue_first < 0)
        return NULL;
    sock = &agent->socks[listener->queue_first];
    listener->queue_first = sock->next;
    if (listener->queue_first < 0)
        listener->queue_last = -1;
    sock->next = -1;
    sock->queued = false;
    tcp_accepted(agent->tcp, sock->handle);
    return sock;
}

void sock_unlisten(struct agent *agent, struct sock *sock)
{
    struct sock *queued;

    if (sock->state != SOCK_LISTENING)
        return;
    while ((queued = sock_accept(agent, sock)) != NULL) {
        tcp_abort(agent->tcp, queued->handle);
        sock_free(queued);
    }
    if (tcp_unlisten(agent->tcp, &sock->local, sock->port) == ASSAY_OK)
        sock->state = SOCK_FRESH;
}

/* --- small things ----------------------------------------------------------------------------------------------------- */

int sock_take_error(struct sock *sock)
{
    int error = sock->error;

    sock->error = 0;
    return error;
}

int sock_read_address(const struct stack_request *request, int domain, struct assay_address *address, uint16_t *port)
{
    struct sockaddr_in ip4;
    struct sockaddr_in6 ip6;
    sa_family_t family;

    if (request->length < sizeof(family))
        return EINVAL;
    memcpy(&family, request->data, sizeof(family));
    if (family != domain)
        return EAFNOSUPPORT;
    if (family == AF_INET && request->length >= sizeof(ip4)) {
        memcpy(&ip4, request->data, sizeof(ip4));
        *address = address_from_ip4_be(ip4.sin_addr.s_addr);
        *port = ntohs(ip4.sin_port);
        return 0;
    }
    if (family == AF_INET6 && request->length >= sizeof(ip6)) {
        memcpy(&ip6, request->data, sizeof(ip6));
        memcpy(address->bytes, &ip6.sin6_addr, sizeof(address->bytes));
        *port = ntohs(ip6.sin6_port);
        return 0;
    }
    return EINVAL;
}

uint32_t sock_write_address(const struct sock *sock, unsigned char *out)
{
    struct sockaddr_in ip4 = {.sin_family = AF_INET, .sin_port = htons(sock->remote_port)};
    struct sockaddr_in6 ip6 = {.sin6_family = AF_INET6, .sin6_port = htons(sock->remote_port)};

    if (sock->domain == AF_INET) {
        ip4.sin_addr.s_addr = address_ip4_be(&sock->remote);
        memcpy(out, &ip4, sizeof(ip4));
        return sizeof(ip4);
    }
    /* An IPv4 peer of an IPv6 socket is ::ffff:a.b.c.d, as struct assay_address has it. */
    memcpy(&ip6.sin6_addr, sock->remote.bytes, sizeof(sock->remote.bytes));
    memcpy(out, &ip6, sizeof(ip6));
    return sizeof(ip6);
}
