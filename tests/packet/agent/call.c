/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What each call does. WAIT as a result: not yet, try again in the next turn. */
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <string.h>

#include "agent.h"
#include "base/address.h"

#define WAIT          INT64_MIN
#define PORT_FREE_MIN 32768 /* the ports that bind() to port 0 and listen() without bind() choose from */
#define PORT_FREE_MAX 60999

static bool may_block(const struct sock *sock, int64_t flags)
{
    return !sock->nonblocking && !(flags & MSG_DONTWAIT);
}

static bool is_any(const struct assay_address *address)
{
    static const struct assay_address zero;

    return address_equal(address, &zero) || (address_is_ip4(address) && address_ip4_be(address) == INADDR_ANY);
}

/* --- opening ---------------------------------------------------------------------------------------------------------- */

static int64_t call_socket(struct agent *agent, const struct stack_request *request)
{
    struct sock *sock;

    if (request->a != AF_INET && request->a != AF_INET6)
        return -EAFNOSUPPORT;
    if ((request->b & ~(SOCK_NONBLOCK | SOCK_CLOEXEC)) != SOCK_STREAM)
        return -ESOCKTNOSUPPORT;
    if (request->c != 0 && request->c != IPPROTO_TCP)
        return -EPROTONOSUPPORT;
    sock = sock_new(agent, (int)request->a);
    if (!sock)
        return -EMFILE;
    sock->nonblocking = request->b & SOCK_NONBLOCK;
    return sock_fd(agent, sock);
}

/* Is the port taken for that address? By a listener always, by others unless both want to share it. */
static bool is_taken(const struct agent *agent, const struct sock *asker, const struct assay_address *address,
                     uint16_t port)
{
    for (uint32_t i = 0; i < SOCKETS_MAX; i++) {
        const struct sock *sock = &agent->socks[i];

        if (sock == asker || sock->state == SOCK_FREE || sock->state == SOCK_OVER || sock->port != port)
            continue;
        if (!is_any(address) && !is_any(&sock->local) && !address_equal(address, &sock->local))
            continue;
        if (sock->state == SOCK_LISTENING || !asker->reuse || !sock->reuse)
            return true;
    }
    return false;
}

static bool choose_port(struct agent *agent, struct sock *sock, const struct assay_address *address)
{
    for (uint32_t i = PORT_FREE_MIN; i <= PORT_FREE_MAX; i++) {
        uint16_t port = agent->port_next;

        agent->port_next = port < PORT_FREE_MAX ? port + 1 : PORT_FREE_MIN;
        if (is_taken(agent, sock, address, port))
            continue;
        sock->port = port;
        return true;
    }
    return false;
}

static int64_t call_bind(struct agent *agent, struct sock *sock, const struct stack_request *request)
{
    struct assay_address address;
    uint16_t port;
    int error = sock_read_address(request, sock->domain, &address, &port);

    if (error)
        return -error;
    if (sock->bound || sock->state != SOCK_FRESH)
        return -EINVAL;
    if (is_any(&address))
        memset(&address, 0, sizeof(address));
    else if (!net_is_local(agent->net, &address))
        return -EADDRNOTAVAIL;
    if (port == 0 ? !choose_port(agent, sock, &address) : is_taken(agent, sock, &address, port))
        return -EADDRINUSE;
    if (port)
        sock->port = port;
    sock->local = address;
    sock->bound = true;
    return 0;
}

static int64_t call_listen(struct agent *agent, struct sock *sock)
{
    enum assay_error error;

    if (sock->state == SOCK_LISTENING)
        return 0;
    if (sock->state != SOCK_FRESH)
        return -EINVAL;
    if (!sock->bound && !choose_port(agent, sock, &sock->local))
        return -EADDRINUSE;
    error = tcp_listen(agent->tcp, &sock->local, sock->port, (uint64_t)(sock - agent->socks));
    if (error)
        return error == ASSAY_ERR_DUPLICATE ? -EADDRINUSE : -ENOBUFS;
    sock->bound = true;
    sock->state = SOCK_LISTENING;
    return 0;
}

static int64_t call_accept(struct agent *agent, struct sock *listener, struct call *call)
{
    struct sock *sock;

    if (listener->state != SOCK_LISTENING)
        return -EINVAL;
    sock = sock_accept(agent, listener);
    if (!sock)
        return listener->nonblocking ? -EAGAIN : WAIT;
    call->reply.length = sock_write_address(sock, call->reply.data);
    return sock_fd(agent, sock);
}

static int64_t start_connect(struct agent *agent, struct sock *sock, const struct stack_request *request)
{
    struct assay_address source = sock->local;
    enum assay_error error;
    int wrong = sock_read_address(request, sock->domain, &sock->remote, &sock->remote_port);

    if (wrong)
        return -wrong;
    if (is_any(&source) && net_source(agent->net, &sock->remote, &source))
        return -ENETUNREACH;
    error = tcp_connect(agent->tcp, &source, sock->port, &sock->remote, sock->remote_port,
                        (uint64_t)(sock - agent->socks), agent->now_us, &sock->handle);
    if (error)
        return error == ASSAY_ERR_NO_PORT ? -EADDRNOTAVAIL : -ENOBUFS;
    sock->state = SOCK_CONNECTING;
    return 0;
}

static int64_t call_connect(struct agent *agent, struct sock *sock, struct call *call)
{
    int64_t result;

    if (!call->started && (sock->state == SOCK_CONNECTED || sock->state == SOCK_LISTENING))
        return -EISCONN;
    if (!call->started && sock->state == SOCK_CONNECTING && sock->nonblocking)
        return -EALREADY;
    if (!call->started && sock->state == SOCK_FRESH) {
        result = start_connect(agent, sock, &call->request);
        if (result < 0)
            return result;
        if (sock->nonblocking)
            return -EINPROGRESS;
    }
    call->started = true;
    if (sock->state == SOCK_CONNECTING)
        return WAIT;
    if (sock->state == SOCK_CONNECTED)
        return 0;
    /* It may be tried again. */
    result = sock->error ? -(int64_t)sock_take_error(sock) : -ECONNABORTED;
    sock->state = SOCK_FRESH;
    return result;
}

/* --- reading and writing ---------------------------------------------------------------------------------------------- */

/* Copies (and takes, unless it only looks) up to wanted bytes behind what the reply holds already. */
static void copy_readable(struct agent *agent, struct sock *sock, struct stack_reply *reply, uint32_t wanted, bool peek)
{
    if (peek)
        reply->length = 0;
    while (reply->length < wanted) {
        struct slice piece = tcp_peek_at(agent->tcp, sock->handle, peek ? reply->length : 0);
        size_t len = piece.len < wanted - reply->length ? piece.len : wanted - reply->length;

        if (len == 0)
            return;
        memcpy(reply->data + reply->length, piece.data, len);
        reply->length += (uint32_t)len;
        if (!peek)
            tcp_consume(agent->tcp, sock->handle, len);
    }
}

static int64_t call_read(struct agent *agent, struct sock *sock, struct call *call)
{
    uint32_t wanted = call->request.a < STACK_DATA_MAX ? (uint32_t)call->request.a : STACK_DATA_MAX;
    int64_t flags = call->request.b;
    bool over;

    if (call->request.a < 0 || flags & MSG_OOB)
        return -EINVAL;
    if (sock->state == SOCK_FRESH || sock->state == SOCK_LISTENING)
        return -ENOTCONN;
    copy_readable(agent, sock, &call->reply, wanted, flags & MSG_PEEK);
    over = sock->state == SOCK_OVER || sock->read_shut || tcp_at_end(agent->tcp, sock->handle) ||
           (flags & MSG_PEEK && sock->peer_fin);
    if (call->reply.length == wanted || (call->reply.length > 0 && (!(flags & MSG_WAITALL) || over)))
        return call->reply.length;
    if (sock->error)
        return -(int64_t)sock_take_error(sock);
    if (over)
        return 0;
    if (may_block(sock, flags))
        return WAIT;
    return call->reply.length > 0 ? (int64_t)call->reply.length : -EAGAIN;
}

static int64_t call_write(struct agent *agent, struct sock *sock, struct call *call)
{
    static const unsigned char zeros[16384];
    uint64_t wanted = (uint64_t)call->request.a;
    size_t taken;

    if (call->request.a < 0)
        return -EINVAL;
    if (sock->state == SOCK_CONNECTING)
        return may_block(sock, call->request.b) ? WAIT : -EAGAIN;
    if (sock->error)
        return call->done ? (int64_t)call->done : -(int64_t)sock_take_error(sock);
    if (sock->state != SOCK_CONNECTED || sock->write_shut)
        return call->done ? (int64_t)call->done : -EPIPE;
    do {
        size_t len = wanted - call->done < sizeof(zeros) ? wanted - call->done : sizeof(zeros);

        taken = tcp_write(agent->tcp, sock->handle, zeros, len);
        call->done += taken;
    } while (taken > 0 && call->done < wanted);
    if (call->done == wanted)
        return (int64_t)call->done;
    if (may_block(sock, call->request.b))
        return WAIT;
    return call->done ? (int64_t)call->done : -EAGAIN;
}

/* --- closing ---------------------------------------------------------------------------------------------------------- */

/* Is all that was written acknowledged, or nothing to be done about it any more? */
static bool is_settled(const struct agent *agent, const struct sock *sock)
{
    return sock->state != SOCK_CONNECTED || tcp_unacked(agent->tcp, sock->handle) == 0;
}

static int64_t call_close(struct agent *agent, struct sock *sock, struct call *call)
{
    bool lingers = sock->state == SOCK_CONNECTED && sock->linger.l_onoff;

    if (lingers && sock->linger.l_linger == 0) {
        tcp_abort(agent->tcp, sock->handle);
        sock_free(sock);
        return 0;
    }
    if (lingers && !sock->nonblocking && !is_settled(agent, sock)) {
        if (call->deadline_us == 0) {
            call->deadline_us = agent->now_us + (uint64_t)sock->linger.l_linger * 1000000;
            tcp_shutdown(agent->tcp, sock->handle);
        }
        if (agent->now_us < call->deadline_us)
            return WAIT;
    }
    if (sock->state == SOCK_LISTENING)
        sock_unlisten(agent, sock);
    else if (sock->state != SOCK_FRESH)
        tcp_close(agent->tcp, sock->handle);
    sock_free(sock);
    return 0;
}

static int64_t call_shutdown(struct agent *agent, struct sock *sock, const struct stack_request *request)
{
    if (request->a != SHUT_RD && request->a != SHUT_WR && request->a != SHUT_RDWR)
        return -EINVAL;
    if (sock->state == SOCK_LISTENING) {
        if (request->a != SHUT_WR)
            sock_unlisten(agent, sock);
        return 0;
    }
    if (sock->state != SOCK_CONNECTED && sock->state != SOCK_CONNECTING)
        return -ENOTCONN;
    if (request->a != SHUT_WR)
        sock->read_shut = true;
    if (request->a != SHUT_RD && !sock->write_shut) {
        sock->write_shut = true;
        tcp_shutdown(agent->tcp, sock->handle);
    }
    return 0;
}

static int64_t call_reset(struct agent *agent, const struct call *self)
{
    for (uint32_t i = 0; i < CALLS_MAX; i++)
        if (agent->calls[i].client >= 0 && &agent->calls[i] != self)
            agent->calls[i].request.fd = -1; /* its descriptor is closed: EBADF in its next turn */
    for (uint32_t i = 0; i < SOCKETS_MAX; i++)
        sock_unlisten(agent, &agent->socks[i]);
    tcp_reset_all(agent->tcp);
    for (uint32_t i = 0; i < SOCKETS_MAX; i++)
        sock_free(&agent->socks[i]);
    return 0;
}

/* --- poll ------------------------------------------------------------------------------------------------------------- */

static int poll_events(struct agent *agent, struct sock *sock)
{
    bool over = sock->state == SOCK_OVER, ended = over || sock->peer_fin || sock->read_shut;
    int events = 0;

    if (sock->state == SOCK_LISTENING)
        return sock->queue_first >= 0 ? POLLIN | POLLRDNORM : 0;
    if (sock->state == SOCK_FRESH)
        return POLLOUT | POLLWRNORM | POLLHUP;
    if (sock->state == SOCK_CONNECTING)
        return 0;
    if (tcp_readable(agent->tcp, sock->handle) > 0 || ended)
        events |= POLLIN | POLLRDNORM;
    if (ended)
        events |= POLLRDHUP;
    if (over || sock->write_shut || tcp_room(agent->tcp, sock->handle, 1) > 0)
        events |= POLLOUT | POLLWRNORM;
    if (over || (sock->write_shut && (sock->peer_fin || sock->read_shut)))
        events |= POLLHUP;
    if (sock->error)
        events |= POLLERR;
    return events;
}

static int64_t call_poll(struct agent *agent, struct sock *sock, struct call *call)
{
    int asked = (int)call->request.a | POLLERR | POLLHUP;
    uint16_t revents = (uint16_t)(poll_events(agent, sock) & asked);

    if (call->deadline_us == 0)
        call->deadline_us = call->request.b < 0 ? UINT64_MAX : agent->now_us + (uint64_t)call->request.b * 1000;
    if (revents == 0 && agent->now_us < call->deadline_us)
        return WAIT;
    memcpy(call->reply.data, &revents, sizeof(revents));
    call->reply.length = sizeof(revents);
    return revents ? 1 : 0;
}

/* --- dispatch --------------------------------------------------------------------------------------------------------- */

static int64_t on_socket(struct agent *agent, struct sock *sock, struct call *call)
{
    const struct stack_request *request = &call->request;

    switch (request->call) {
    case STACK_BIND: return call_bind(agent, sock, request);
    case STACK_LISTEN: return call_listen(agent, sock);
    case STACK_ACCEPT: return call_accept(agent, sock, call);
    case STACK_CONNECT: return call_connect(agent, sock, call);
    case STACK_READ: return call_read(agent, sock, call);
    case STACK_WRITE: return call_write(agent, sock, call);
    case STACK_CLOSE: return call_close(agent, sock, call);
    case STACK_SHUTDOWN: return call_shutdown(agent, sock, request);
    case STACK_SETSOCKOPT: return option_set(sock, request);
    case STACK_GETSOCKOPT: return option_get(agent, sock, request, &call->reply);
    case STACK_FCNTL: return option_fcntl(sock, request);
    case STACK_IOCTL: return option_ioctl(agent, sock, request, &call->reply);
    case STACK_POLL: return call_poll(agent, sock, call);
    default: return -ENOSYS;
    }
}

bool call_try(struct agent *agent, struct call *call)
{
    struct sock *sock = sock_of(agent, call->request.fd);
    int64_t result;

    if (call->request.call == STACK_SOCKET)
        result = call_socket(agent, &call->request);
    else if (call->request.call == STACK_RESET)
        result = call_reset(agent, call);
    else
        result = sock ? on_socket(agent, sock, call) : -EBADF;
    if (result == WAIT)
        return false;
    call->reply.result = result < 0 ? -1 : result;
    call->reply.error = result < 0 ? (int32_t)-result : 0;
    if (result < 0)
        call->reply.length = 0;
    return true;
}
