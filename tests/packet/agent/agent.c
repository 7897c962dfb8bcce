/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A host of net/ and tcp/ alone on a DPDK af_packet port, whose sockets others use (stack_call.h): what drives a kernel's stack by
 * packet scripts can drive this one.
 * usage: stack_agent --interface NAME --address ADDRESS/BITS [--address ...] [--gateway ADDRESS ...] --socket PATH */
#include <errno.h>
#include <getopt.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include <rte_eal.h>
#include <rte_mbuf.h>

#include "agent.h"
#include "base/address.h"

#define BURST       32
#define MBUFS       4095
#define CONNECTIONS 4096
#define IDLE_POLLS  64
#define IDLE_NS     50000

static volatile sig_atomic_t stopped; /* written by the signal handler */

static void on_signal(int signal)
{
    stopped = 1;
}

static uint64_t clock_us(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

/* --- calls ------------------------------------------------------------------------------------------------------------ */

static void hang_up(struct call *call)
{
    close(call->client);
    call->client = -1;
}

static void reply(struct call *call)
{
    size_t len = offsetof(struct stack_reply, data) + call->reply.length;

    /* The client may be gone: then nobody needs it. */
    if (send(call->client, &call->reply, len, MSG_NOSIGNAL) < 0 && errno != EPIPE)
        fprintf(stderr, "stack_agent: a reply of %zu bytes: %s\n", len, strerror(errno));
    hang_up(call);
}

static void accept_client(struct agent *agent)
{
    for (uint32_t i = 0; i < CALLS_MAX; i++) {
        struct call *call = &agent->calls[i];

        if (call->client >= 0)
            continue;
        call->client = accept4(agent->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        call->started = false;
        call->deadline_us = call->done = 0;
        call->request.call = 0;
        call->reply.length = 0;
        return;
    }
}

/* Reads the request; false when there is none (any more) to go on with. */
static bool read_request(struct call *call)
{
    ssize_t len = recv(call->client, &call->request, sizeof(call->request), 0);
    size_t head = offsetof(struct stack_request, data);

    if (len < 0 && errno == EAGAIN)
        return false;
    if (len < (ssize_t)head || call->request.length > len - head || call->request.call == 0) {
        hang_up(call);
        return false;
    }
    return true;
}

/* One turn of everybody who asks: true when something was done. */
static bool serve(struct agent *agent)
{
    struct pollfd polls[CALLS_MAX + 1] = {{.fd = agent->listener, .events = POLLIN}};
    bool busy = false;

    for (uint32_t i = 0; i < CALLS_MAX; i++)
        polls[i + 1] = (struct pollfd){.fd = agent->calls[i].client, .events = POLLIN | POLLRDHUP};
    if (poll(polls, CALLS_MAX + 1, 0) < 0)
        return false;
    for (uint32_t i = 0; i < CALLS_MAX; i++) {
        struct call *call = &agent->calls[i];

        if (call->client < 0)
            continue;
        if (call->request.call == 0 && !(polls[i + 1].revents && read_request(call)))
            continue;
        /* Whoever has gone while it waited wants nothing any more. */
        if (call->client >= 0 && polls[i + 1].revents & (POLLHUP | POLLERR | POLLRDHUP)) {
            hang_up(call);
            continue;
        }
        if (call_try(agent, call)) {
            reply(call);
            busy = true;
        }
    }
    if (polls[0].revents & POLLIN) {
        accept_client(agent);
        busy = true;
    }
    return busy;
}

/* --- the stack -------------------------------------------------------------------------------------------------------- */

static bool turn(struct agent *agent)
{
    struct rte_mbuf *packets[BURST];
    struct net_segment segments[BURST];
    struct net_icmp_error errors[BURST * 2];
    struct tcp_event events[BURST * 4];
    uint32_t errors_count = 0, n;
    bool busy, more;

    agent->now_us = clock_us();
    n = nic_rx(&agent->nic, packets, BURST);
    busy = n > 0;
    n = net_input(agent->net, 0, packets, n, agent->now_us, segments, errors, &errors_count);
    errors_count += net_timers(agent->net, agent->now_us, errors + errors_count, BURST);
    sock_take_events(agent, events, tcp_input(agent->tcp, segments, n, agent->now_us, events, BURST * 4));
    sock_take_events(agent, events, tcp_timers(agent->tcp, agent->now_us, events, BURST * 4));
    for (uint32_t i = 0; i < errors_count; i++)
        sock_take_events(agent, events, tcp_icmp_error(agent->tcp, &errors[i], agent->now_us, events, BURST * 4));
    busy |= serve(agent);
    more = tcp_output(agent->tcp, agent->now_us, &agent->tx);
    busy |= more || agent->tx.count > 0;
    net_output(agent->net, &agent->tx, agent->now_us);
    return busy;
}

/* Peers and tools run on the same cores: after a while without work, a moment for them. */
static void run(struct agent *agent)
{
    const struct timespec nap = {.tv_nsec = IDLE_NS};
    uint32_t idle = 0;

    while (!stopped) {
        if (turn(agent))
            idle = 0;
        else if (++idle > IDLE_POLLS)
            nanosleep(&nap, NULL);
    }
}

/* --- start and end ---------------------------------------------------------------------------------------------------- */

static void fail(const char *what, const char *why)
{
    fprintf(stderr, "stack_agent: %s: %s\n", what, why);
    exit(1);
}

static void start_eal(void)
{
    static char prefix[64];
    static const char *const arguments[] = {"stack_agent",    "--no-huge",   "--no-pci",          "-m",       "256",
                                            "--no-telemetry", "--no-shconf", "--log-level=error", "--lcores", "0",
                                            "--file-prefix",  prefix};
    char *argv[sizeof(arguments) / sizeof(arguments[0])];

    snprintf(prefix, sizeof(prefix), "stack-agent-%d", (int)getpid());
    for (size_t i = 0; i < sizeof(argv) / sizeof(argv[0]); i++)
        argv[i] = (char *)(uintptr_t)arguments[i];
    if (rte_eal_init(sizeof(argv) / sizeof(argv[0]), argv) < 0)
        fail("EAL", "does not start");
}

static void open_port(struct agent *agent, const char *interface)
{
    char device[128];
    struct nic_config nic = {.device = device, .pools = &agent->packets};
    enum assay_error error;

    snprintf(device, sizeof(device), "net_af_packet0,iface=%s,qdisc_bypass=1", interface);
    agent->packets = rte_pktmbuf_pool_create("packets", MBUFS, 250, 0, RTE_MBUF_DEFAULT_BUF_SIZE, SOCKET_ID_ANY);
    agent->payloads = rte_pktmbuf_pool_create("payloads", MBUFS, 250, 0, RTE_MBUF_DEFAULT_BUF_SIZE, SOCKET_ID_ANY);
    agent->indirects = rte_pktmbuf_pool_create("indirects", MBUFS, 250, 0, 0, SOCKET_ID_ANY);
    if (!agent->packets || !agent->payloads || !agent->indirects)
        fail("packet pools", "no memory");
    error = nic_open(&nic, &agent->nic, 1);
    if (error)
        fail(interface, assay_error_text(error));
}

static void open_stack(struct agent *agent)
{
    struct net_port_config port = {
        .nic = &agent->nic, .addresses = agent->addresses, .addresses_count = agent->addresses_count};
    struct net_config config;
    enum assay_error error;

    net_config_default(&config);
    config.ports = &port;
    config.ports_count = 1;
    config.routes = agent->routes;
    config.routes_count = agent->routes_count;
    config.pool = agent->packets;
    error = net_create(&config, &agent->net);
    if (error)
        fail("addresses and gateways", assay_error_text(error));
    tcp_config_default(&agent->config);
    agent->config.connections_max = CONNECTIONS;
    agent->config.port_min = 32768;
    agent->config.port_max = 60999;
    agent->config.mtu = agent->nic.mtu;
    /* A kernel does not ask unless SO_KEEPALIVE says so, and scripts do not expect it. */
    agent->config.keepalive_idle_us = 0;
    if (getrandom(agent->config.secret, sizeof(agent->config.secret), 0) != sizeof(agent->config.secret))
        fail("secret", "the system has no random numbers");
    error = tcp_create(&agent->config, agent->packets, agent->payloads, agent->indirects, clock_us(), &agent->tcp);
    if (error)
        fail("TCP", assay_error_text(error));
}

static void open_socket(struct agent *agent, const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};

    if (strlen(path) >= sizeof(address.sun_path))
        fail(path, "the path of a socket must be shorter");
    memcpy(address.sun_path, path, strlen(path) + 1);
    unlink(path);
    agent->listener = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (agent->listener < 0 || bind(agent->listener, (const struct sockaddr *)&address, sizeof(address)) < 0 ||
        listen(agent->listener, CALLS_MAX) < 0)
        fail(path, strerror(errno));
    for (uint32_t i = 0; i < CALLS_MAX; i++)
        agent->calls[i].client = -1;
}

static void add_address(struct agent *agent, const char *text)
{
    struct net_address *address = &agent->addresses[agent->addresses_count];
    const char *slash = strchr(text, '/');
    int bits = slash ? atoi(slash + 1) : -1, most;

    if (agent->addresses_count == NET_ADDRESSES_MAX || !slash ||
        address_parse(slice_of(text, (size_t)(slash - text)), &address->address))
        fail(text, "is no ADDRESS/BITS");
    most = address_is_ip4(&address->address) ? 32 : 128;
    if (bits < 0 || bits > most)
        fail(text, "has no prefix of so many bits");
    address->prefix_length = (uint8_t)(128 - most + bits);
    agent->addresses_count++;
}

static void add_gateway(struct agent *agent, const char *text)
{
    struct net_route *route = &agent->routes[agent->routes_count];

    if (agent->routes_count == 2 || address_parse(slice_text(text), &route->gateway))
        fail(text, "is no address of a gateway, or one too many");
    if (address_is_ip4(&route->gateway))
        route->prefix = (struct assay_prefix){address_from_ip4_be(0), 96};
    agent->routes_count++;
}

static void read_arguments(struct agent *agent, int argc, char **argv, const char **interface, const char **path)
{
    static const struct option options[] = {{"interface", required_argument, NULL, 'i'},
                                            {"address", required_argument, NULL, 'a'},
                                            {"gateway", required_argument, NULL, 'g'},
                                            {"socket", required_argument, NULL, 's'},
                                            {NULL, 0, NULL, 0}};
    int c;

    while ((c = getopt_long(argc, argv, "i:a:g:s:", options, NULL)) >= 0) {
        switch (c) {
        case 'i': *interface = optarg; break;
        case 'a': add_address(agent, optarg); break;
        case 'g': add_gateway(agent, optarg); break;
        case 's': *path = optarg; break;
        default: exit(2);
        }
    }
    if (*interface && *path && agent->addresses_count > 0 && optind == argc)
        return;
    fprintf(stderr,
            "usage: stack_agent --interface NAME --address ADDRESS/BITS [--address ...] [--gateway ADDRESS ...] "
            "--socket PATH\n");
    exit(2);
}

static uint32_t in_use(const struct agent *agent)
{
    return rte_mempool_in_use_count(agent->packets) + rte_mempool_in_use_count(agent->payloads) +
           rte_mempool_in_use_count(agent->indirects);
}

int main(int argc, char **argv)
{
    static struct agent agent; /* too big for the stack */
    const char *interface = NULL, *path = NULL;
    uint32_t in_use_at_start;

    read_arguments(&agent, argc, argv, &interface, &path);
    signal(SIGTERM, on_signal);
    signal(SIGINT, on_signal);
    setvbuf(stdout, NULL, _IOLBF, 0);
    start_eal();
    open_port(&agent, interface);
    in_use_at_start = in_use(&agent);
    open_stack(&agent);
    open_socket(&agent, path);
    agent.port_next = 32768;
    net_announce(agent.net, clock_us());
    printf("ready %s\n", nic_driver(&agent.nic));
    run(&agent);
    close(agent.listener);
    unlink(path);
    tcp_destroy(agent.tcp);
    net_destroy(agent.net);
    printf("mbufs lost %d\n", (int)(in_use(&agent) - in_use_at_start));
    nic_close(&agent.nic, 1);
    rte_eal_cleanup();
    return 0;
}
