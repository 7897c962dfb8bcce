/* SPDX-License-Identifier: GPL-3.0-or-later */
/* setsockopt, getsockopt, ioctl, fcntl. */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/ioctl.h>

#include "agent.h"

/* Names of Linux's <linux/tcp.h> and <linux/sockios.h>, which have a struct tcp_info of their own. */
#define OPTION_TCP_NODELAY 1
#define OPTION_TCP_MAXSEG  2
#define OPTION_TCP_INFO    11
#define OPTION_SIOCOUTQ    TIOCOUTQ

/* The first 104 bytes of Linux's struct tcp_info; a zero is what we do not count. */
struct linux_tcp_info {
    uint8_t state, ca_state, retransmits, probes, backoff, options, wscale, flags;
    uint32_t rto, ato, snd_mss, rcv_mss;
    uint32_t unacked, sacked, lost, retrans, fackets;
    uint32_t last_data_sent, last_ack_sent, last_data_recv, last_ack_recv;
    uint32_t pmtu, rcv_ssthresh, rtt, rttvar, snd_ssthresh, snd_cwnd, advmss, reordering;
    uint32_t rcv_rtt, rcv_space, total_retrans;
};

int64_t option_set(struct sock *sock, const struct stack_request *request)
{
    bool of_socket = request->a == SOL_SOCKET;
    int value = 0;

    if (of_socket && request->b == SO_LINGER) {
        if (request->length < sizeof(sock->linger))
            return -EINVAL;
        memcpy(&sock->linger, request->data, sizeof(sock->linger));
        return 0;
    }
    if (request->length >= sizeof(value))
        memcpy(&value, request->data, sizeof(value));
    else if (of_socket && (request->b == SO_REUSEADDR || request->b == SO_KEEPALIVE))
        return -EINVAL;
    if (of_socket && request->b == SO_REUSEADDR)
        sock->reuse = value != 0;
    else if (of_socket && request->b == SO_KEEPALIVE)
        sock->keepalive = value != 0;
    else if (request->a == IPPROTO_TCP && request->b == OPTION_TCP_NODELAY)
        sock->nodelay = value != 0;
    return 0;
}

static uint8_t linux_state(const struct sock *sock, const char *text)
{
    static const struct {
        const char *text;
        uint8_t state;
    } states[] = {{"ESTABLISHED", 1}, {"SYN-SENT", 2}, {"SYN-RECEIVED", 3}, {"FIN-WAIT-1", 4}, {"FIN-WAIT-2", 5},
                  {"TIME-WAIT", 6},   {"CLOSED", 7},   {"CLOSE-WAIT", 8},   {"LAST-ACK", 9},   {"CLOSING", 11}};

    for (size_t i = 0; text && i < sizeof(states) / sizeof(states[0]); i++)
        if (strcmp(text, states[i].text) == 0)
            return states[i].state;
    return sock->state == SOCK_LISTENING ? 10 : 7;
}

/* What we announce over IPv4: the MTU less the headers (RFC 6691 §2). */
static uint16_t own_mss(const struct agent *agent)
{
    return (uint16_t)(agent->config.mtu - 40);
}

static struct linux_tcp_info linux_info(const struct agent *agent, const struct sock *sock)
{
    struct linux_tcp_info out = {.advmss = own_mss(agent)};
    struct tcp_info info;

    if (tcp_get_info(agent->tcp, sock->handle, &info)) {
        out.state = linux_state(sock, NULL);
        return out;
    }
    out.state = linux_state(sock, info.state);
    out.rto = info.rto_us;
    out.rtt = info.srtt_us;
    out.rttvar = info.rttvar_us;
    out.snd_mss = info.mss;
    out.pmtu = info.mss;
    out.total_retrans = (uint32_t)info.retransmits;
    out.rcv_space = info.rcv_wnd_bytes;
    if (info.mss > 0) {
        out.snd_cwnd = info.cwnd_bytes / info.mss;
        out.snd_ssthresh = info.ssthresh_bytes / info.mss;
        out.unacked = (uint32_t)(tcp_unacked(agent->tcp, sock->handle) + info.mss - 1) / info.mss;
    }
    return out;
}

/* The value of an option that is an int; false: no such option. */
static bool get_int(struct agent *agent, struct sock *sock, int64_t level, int64_t name, int *value)
{
    struct tcp_info info;

    if (level == IPPROTO_TCP && name == OPTION_TCP_NODELAY) {
        *value = sock->nodelay;
        return true;
    }
    if (level == IPPROTO_TCP && name == OPTION_TCP_MAXSEG) {
        *value = tcp_get_info(agent->tcp, sock->handle, &info) ? own_mss(agent) : info.mss;
        return true;
    }
    if (level != SOL_SOCKET)
        return false;
    switch (name) {
    case SO_ERROR: *value = sock_take_error(sock); return true;
    case SO_TYPE: *value = SOCK_STREAM; return true;
    case SO_DOMAIN: *value = sock->domain; return true;
    case SO_PROTOCOL: *value = IPPROTO_TCP; return true;
    case SO_ACCEPTCONN: *value = sock->state == SOCK_LISTENING; return true;
    case SO_REUSEADDR: *value = sock->reuse; return true;
    case SO_KEEPALIVE: *value = sock->keepalive; return true;
    case SO_SNDBUF: *value = (int)agent->config.send_buffer_bytes; return true;
    case SO_RCVBUF: *value = (int)agent->config.receive_buffer_bytes; return true;
    default: return false;
    }
}

int64_t option_get(struct agent *agent, struct sock *sock, const struct stack_request *request,
                   struct stack_reply *reply)
{
    uint32_t room = request->c < 0 || request->c > STACK_DATA_MAX ? 0 : (uint32_t)request->c, len;
    int value;

    if (request->a == IPPROTO_TCP && request->b == OPTION_TCP_INFO) {
        struct linux_tcp_info info = linux_info(agent, sock);

        len = sizeof(info);
        memcpy(reply->data, &info, len);
    } else if (request->a == SOL_SOCKET && request->b == SO_LINGER) {
        len = sizeof(sock->linger);
        memcpy(reply->data, &sock->linger, len);
    } else if (get_int(agent, sock, request->a, request->b, &value)) {
        len = sizeof(value);
        memcpy(reply->data, &value, len);
    } else {
        return -ENOPROTOOPT;
    }
    reply->length = len < room ? len : room;
    return 0;
}

int64_t option_ioctl(struct agent *agent, struct sock *sock, const struct stack_request *request,
                     struct stack_reply *reply)
{
    int value = 0;

    switch (request->a) {
    case FIONBIO:
        if (request->length < sizeof(value))
            return -EFAULT;
        memcpy(&value, request->data, sizeof(value));
        sock->nonblocking = value != 0;
        return 0;
    case FIONREAD:
        if (sock->state == SOCK_LISTENING)
            return -EINVAL;
        value = (int)tcp_readable(agent->tcp, sock->handle);
        break;
    case OPTION_SIOCOUTQ:
        if (sock->state == SOCK_LISTENING)
            return -EINVAL;
        value = (int)tcp_unacked(agent->tcp, sock->handle);
        break;
    default: return -EINVAL;
    }
    memcpy(reply->data, &value, sizeof(value));
    reply->length = sizeof(value);
    return 0;
}

int64_t option_fcntl(struct sock *sock, const struct stack_request *request)
{
    switch (request->a) {
    case F_GETFL: return O_RDWR | (sock->nonblocking ? O_NONBLOCK : 0);
    case F_SETFL: sock->nonblocking = request->b & O_NONBLOCK; return 0;
    case F_GETFD:
    case F_SETFD: return 0;
    default: return -EINVAL;
    }
}
