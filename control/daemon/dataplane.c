/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "daemon/dataplane.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include <rte_alarm.h>
#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_launch.h>
#include <rte_lcore.h>
#include <rte_mbuf.h>

#include "base/address.h"
#include "base/rcu.h"
#include "daemon/exception_xdp.h"
#include "daemon/port.h"
#include "daemon/privileges.h"
#include "net/mesh.h"

#define EXCEPTION_RING  64 /* the kernel's device holds so many buffers of each core's pool */
#define STOP_TIMEOUT_US 5000000
#define FLOW_KEY_TRIES  1000
/* Packets that wait for another core: a few of its turns. */
#define MESH_RING             1024
#define EAL_THREAD_TIMEOUT_MS 5000

void dataplane_tcp_config(const struct config *config, struct tcp_config *out)
{
    const struct config_tcp *tcp = &config->root.tcp;

    tcp_config_default(out);
    out->connections_max = (uint32_t)tcp->connections_max;
    out->time_wait_max = (uint32_t)tcp->time_wait_max;
    out->receive_buffer_bytes = (uint32_t)tcp->receive_buffer;
    out->send_buffer_bytes = (uint32_t)tcp->send_buffer;
    out->mbufs_max_per_connection = (uint32_t)tcp->mbufs_max;
    out->mtu = (uint16_t)config->root.port.mtu;
    out->path_mtu_min = (uint16_t)tcp->path_mtu_min;
    out->port_min = (uint16_t)tcp->port_min;
    out->port_max = (uint16_t)tcp->port_max;
    out->syn_backlog_max = (uint32_t)tcp->syn_backlog;
    out->accept_backlog_max = (uint32_t)tcp->accept_backlog;
    out->syn_cookies = tcp->syn_cookies;
    out->half_open_us = (uint32_t)tcp->half_open;
    out->source_half_open_max = (uint32_t)tcp->source_half_open_max;
    out->source_connections_max = (uint32_t)tcp->source_connections_max;
    out->challenge_acks_max = (uint32_t)tcp->challenge_acks;
    out->rto_min_us = (uint32_t)tcp->rto_min;
    out->rto_max_us = (uint32_t)tcp->rto_max;
    out->rto_initial_us = (uint32_t)tcp->rto_initial;
    out->syn_retries = (uint32_t)tcp->syn_retries;
    out->retries = (uint32_t)tcp->retries;
    out->delayed_ack_us = (uint32_t)tcp->delayed_ack;
    /* microseconds in 32 bits: a little over an hour */
    out->keepalive_idle_us = tcp->keepalive_idle > UINT32_MAX ? UINT32_MAX : (uint32_t)tcp->keepalive_idle;
    out->keepalive_interval_us = (uint32_t)tcp->keepalive_interval;
    out->keepalive_probes = (uint32_t)tcp->keepalive_probes;
    out->time_wait_us = (uint32_t)tcp->time_wait;
    out->fin_wait_us = (uint32_t)tcp->fin_wait;
    out->congestion = (enum tcp_congestion)tcp->congestion;
    out->ecn = (enum tcp_ecn)tcp->ecn;
    out->timestamps = tcp->timestamps;
    out->sack = tcp->sack;
    out->window_scaling = tcp->window_scaling;
}

/* 0.0.0.0/0 or ::/0. */
static struct assay_prefix default_route(const struct assay_address *gateway)
{
    struct assay_prefix prefix = {.length = 0};

    if (address_is_ip4(gateway))
        prefix = (struct assay_prefix){address_from_ip4_be(0), 96};
    return prefix;
}

static bool speaks_ip6(const struct config_port *port)
{
    for (uint32_t i = 0; i < port->address.count; i++)
        if (!address_is_ip4(&port->address.items[i].address))
            return true;
    return false;
}

void dataplane_net_config(const struct config *config, struct net_port_config *port, struct net_address *addresses,
                          struct net_route *routes, struct net_config *out)
{
    const struct config_port *from = &config->root.port;
    uint32_t count = 0;

    net_config_default(out);
    for (uint32_t i = 0; i < from->address.count && i < NET_ADDRESSES_MAX; i++)
        addresses[i] = (struct net_address){from->address.items[i].address, from->address.items[i].prefix_length};
    port->addresses = addresses;
    port->addresses_count = from->address.count < NET_ADDRESSES_MAX ? from->address.count : NET_ADDRESSES_MAX;
    port->vlan = (uint16_t)from->vlan;
    for (uint32_t i = 0; i < from->gateway.count && count < NET_ROUTES_MAX; i++)
        routes[count++] =
            (struct net_route){default_route(&from->gateway.items[i].address), from->gateway.items[i].address, 0};
    for (uint32_t i = 0; i < from->routes.count; i++)
        for (uint32_t k = 0; k < from->routes.items[i].to.count && count < NET_ROUTES_MAX; k++)
            routes[count++] =
                (struct net_route){from->routes.items[i].to.items[k], from->routes.items[i].via.address, 0};
    out->reassemble = from->fragments == 1;
    out->ports = port;
    out->ports_count = 1;
    out->routes = routes;
    out->routes_count = count;
}

static uint32_t share(uint32_t rate, uint32_t index, uint32_t cores)
{
    return rate / cores + (index < rate % cores);
}

void dataplane_net_share(struct net_config *config, uint32_t index, uint32_t cores)
{
    config->echo_rate = share(config->echo_rate, index, cores);
    config->icmp_error_rate = share(config->icmp_error_rate, index, cores);
    config->listens_only = index > 0;
}

bool dataplane_flow_map(const struct config *config, struct flow_map *out, struct problems *problems)
{
    uint32_t cores = config->root.cores.count;
    uint8_t key[TOEPLITZ_KEY_BYTES_MAX];

    for (int i = 0; i < FLOW_KEY_TRIES; i++) {
        if (getrandom(key, sizeof(key), 0) != sizeof(key))
            abort(); /* never for so few bytes (getrandom(2)) */
        if (flow_map_init(out, cores, key) != ASSAY_OK)
            break;
        if (cores == 1 ||
            flow_map_is_fair(out, (uint16_t)config->root.tcp.port_min, (uint16_t)config->root.tcp.port_max))
            return true;
    }
    problems_add(problems, config->file, config_line(config, &config->root.cores),
                 "cores: the source ports (tcp.port_min to tcp.port_max) cannot be shared out among %u cores", cores);
    return false;
}

/* --- up ---------------------------------------------------------------------------------------------------------------------- */

static bool eal_up(struct dataplane *dataplane, const struct config *config, struct problems *problems)
{
    struct text cpus = {0};

    eal_control_cpus(config, &cpus);
    eal_build_args(config, text_get(&cpus), &dataplane->args);
    text_free(&cpus);
    if (rte_eal_init(dataplane->args.count, dataplane->args.items) < 0) {
        problems_add(problems, "EAL", 0, "DPDK did not start: %s (its own messages are above)",
                     rte_strerror(rte_errno));
        return false;
    }
    dataplane->eal_up = true;
    /* empty, unless telemetry has its socket in it; EAL would leave it behind, and we may not be root any more by then */
    (void)rmdir(rte_eal_get_runtime_dir());
    return true;
}

static struct nic *allocate_queues(uint16_t n)
{
    struct nic *queues;

    if (posix_memalign((void **)&queues, 64, n * sizeof(*queues)) != 0)
        abort();
    memset(queues, 0, n * sizeof(*queues));
    return queues;
}

bool dataplane_mtu_fits(const struct config *config, struct problems *problems)
{
    uint32_t mtu = (uint32_t)config->root.port.mtu, most = nic_device_mtu_max(config->root.port.device);

    if (mtu <= most)
        return true;
    problems_add(
        problems, config->file, config_line(config, &config->root.port.mtu),
        "port.mtu: %u does not fit: %s takes whole packets of at most %u bytes, and cuts longer ones off without a "
        "word; a larger framesz in port.device helps",
        mtu, config->root.port.device, most);
    return false;
}

static bool device_up(struct dataplane *dataplane, const struct config *config, uint32_t index,
                      struct problems *problems)
{
    uint32_t first = index * dataplane->port_queues;
    struct text device = {0};
    struct nic_config nic = {.pools = dataplane->pools.packet + first,
                             .mtu = (uint16_t)config->root.port.mtu,
                             .promiscuous = config->root.port.promiscuous,
                             .multicast = speaks_ip6(&config->root.port),
                             .vlan = config->root.port.vlan != 0,
                             .rss_key = dataplane->flows.key};
    enum assay_error error;

    port_device(config, index, &device);
    if (!exception_xdp_prepare(config, &device, problems)) {
        text_free(&device);
        return false;
    }
    nic.device = text_get(&device);
    error = nic_open(&nic, dataplane->nics + first, (uint16_t)dataplane->port_queues);
    if (error != ASSAY_OK)
        problems_add(problems, config->file, config_line(config, &config->root.port.device),
                     "port.device: %s cannot be opened: %s", nic.device, assay_error_text(error));
    text_free(&device);
    return error == ASSAY_OK;
}

static bool port_up(struct dataplane *dataplane, const struct config *config, struct problems *problems)
{
    uint32_t n = config->root.cores.count, devices = port_devices(config);

    if (!dataplane_mtu_fits(config, problems))
        return false;
    dataplane->nics = allocate_queues((uint16_t)n);
    dataplane->port_queues = n / devices;
    while (dataplane->port_devices < devices && device_up(dataplane, config, dataplane->port_devices, problems))
        dataplane->port_devices++;
    return dataplane->port_devices == devices;
}

/* Where the port has an indirection table of its own, ours is the same one: then most packets come in where they belong. */
static bool mesh_up(struct dataplane *dataplane, const struct config *config, struct problems *problems)
{
    uint16_t queues[FLOW_MAP_ENTRIES_MAX];
    uint32_t entries;

    if (config->root.cores.count == 1)
        return true;
    entries = dataplane->nics[0].rss ? nic_rss_table(&dataplane->nics[0], queues, FLOW_MAP_ENTRIES_MAX) : 0;
    if (entries > 0 && flow_map_set_table(&dataplane->flows, queues, entries) != ASSAY_OK)
        problems_warn(problems, "port", 0, "its indirection table is of no use to us: packets change cores more often");
    if (mesh_create(config->root.cores.count, MESH_RING, &dataplane->mesh) == ASSAY_OK)
        return true;
    problems_add(problems, "machine", 0, "out of memory");
    return false;
}

void dataplane_exception_device(const struct config *config, struct text *out)
{
    const char *device = config->root.port.exception.device;

    if (strpbrk(device, ",:") == NULL && strncmp(device, "net_", 4) != 0)
        text_printf(out, "net_tap_exception,iface=%s", device);
    else
        text_add_text(out, device);
}

/* The kernel's own interface: it has the port's MAC address, since on the wire they are one host, and the port's MTU. */
static bool exception_up(struct dataplane *dataplane, const struct config *config, struct problems *problems)
{
    const struct config_exception *exception = &config->root.port.exception;
    uint16_t n = (uint16_t)config->root.cores.count;
    struct nic_config nic = {.pools = dataplane->pools.packet,
                             .rx_ring = EXCEPTION_RING,
                             .tx_ring = EXCEPTION_RING,
                             .mtu = dataplane->nics[0].mtu,
                             .mac = dataplane->nics[0].mac};
    struct text device = {0};
    enum assay_error error;

    if (exception->device == NULL)
        return true;
    dataplane_exception_device(config, &device);
    nic.device = text_get(&device);
    dataplane->exceptions = allocate_queues(n);
    error = nic_open(&nic, dataplane->exceptions, n);
    text_free(&device);
    if (error != ASSAY_OK) {
        problems_add(problems, config->file, config_line(config, &exception->device),
                     "port.exception.device: %s cannot be opened with %u queues, one a core: %s", exception->device, n,
                     assay_error_text(error));
        return false;
    }
    dataplane->exception_open = true;
    return true;
}

static bool core_up(struct dataplane *dataplane, const struct config *config, const struct net_config *shared_net,
                    const struct tcp_config *tcp, uint32_t index, struct problems *problems)
{
    struct net_port_config port = shared_net->ports[0];
    struct net_config net = *shared_net;
    const char *fault = NULL;
    struct core_config core = {.index = index,
                               .shared = &dataplane->shared,
                               .cores = config->root.cores.count,
                               .flows = dataplane->mesh != NULL ? &dataplane->flows : NULL,
                               .mesh = dataplane->mesh,
                               .net = &net,
                               .tcp = tcp,
                               .packet_pool = dataplane->pools.packet[index],
                               .payload_pool = dataplane->pools.payload[index],
                               .indirect_pool = dataplane->pools.indirect[index],
                               .clients_max = (uint32_t)config->root.limits.clients_max,
                               .origins_max = (uint32_t)config->root.limits.origins_max,
                               .verdicts_max = (uint32_t)config->root.verify.cache_entries,
                               .heap_bytes = config->root.memory.heap,
                               .log_ring_bytes = (uint32_t)config->root.log.ring,
                               .idle_polls = (uint32_t)config->root.idle.polls,
                               .idle_sleep_us = (uint32_t)config->root.idle.sleep};
    enum assay_error error;

    port.nic = &dataplane->nics[index];
    port.exception = dataplane->exceptions != NULL ? &dataplane->exceptions[index] : NULL;
    port.exception_rate = (uint32_t)(config->root.port.exception.rate / config->root.cores.count);
    net.ports = &port;
    net.pool = dataplane->pools.packet[index];
    dataplane_net_share(&net, index, config->root.cores.count);
    error = core_create(&core, &dataplane->fleet.cores[index], &fault);
    if (error == ASSAY_OK) {
        dataplane->fleet.count++;
        return true;
    }
    problems_add(problems, config->file, 0, "core %u: %s%s%s", index, fault != NULL ? fault : "",
                 fault != NULL ? ": " : "", assay_error_text(error));
    return false;
}

static bool cores_up(struct dataplane *dataplane, const struct config *config, struct problems *problems)
{
    struct net_address *addresses = memory_alloc(NET_ADDRESSES_MAX * sizeof(*addresses));
    struct net_route *routes = memory_alloc(NET_ROUTES_MAX * sizeof(*routes));
    struct net_port_config port = {0};
    struct net_config net;
    struct tcp_config tcp;
    bool good = true;

    dataplane_net_config(config, &port, addresses, routes, &net);
    dataplane_tcp_config(config, &tcp);
    if (getrandom(tcp.secret, sizeof(tcp.secret), 0) != sizeof(tcp.secret))
        abort(); /* never for so few bytes (getrandom(2)) */
    tcp.tso_bytes_max = nic_tso_bytes(&dataplane->nics[0], rte_pktmbuf_data_room_size(dataplane->pools.payload[0]));
    for (uint32_t i = 0; i < config->root.cores.count && good; i++)
        good = core_up(dataplane, config, &net, &tcp, i, problems);
    free(addresses);
    free(routes);
    return good;
}

bool dataplane_up(struct dataplane *dataplane, const struct config *config, struct problems *problems)
{
    if (!eal_up(dataplane, config, problems))
        return false;
    if (rcu_create(config->root.cores.count, &dataplane->shared.rcu) != ASSAY_OK) {
        problems_add(problems, "machine", 0, "out of memory");
        return false;
    }
    return dataplane_flow_map(config, &dataplane->flows, problems) &&
           eal_pools_create(config, &dataplane->pools, problems) == ASSAY_OK && port_up(dataplane, config, problems) &&
           exception_xdp_fill(config, problems) && mesh_up(dataplane, config, problems) &&
           exception_up(dataplane, config, problems) && cores_up(dataplane, config, problems);
}

/* --- running ------------------------------------------------------------------------------------------------------------------ */

static int core_thread(void *arg)
{
    const struct dataplane_launch *launch = arg;

    /* nothing on a core needs a capability: the port is open */
    if (privileges_drop_thread(launch->config) != ASSAY_OK)
        return -1;
    return core_run(launch->core);
}

/* EAL's own thread, for interrupts and alarms, is older than any dropping of privileges: an alarm makes it drop its own. */
struct eal_thread_drop {
    const struct config *config;
    _Atomic int state; /* 0: not yet; 1: dropped; -1: refused */
};

static void eal_thread_drop_now(void *arg)
{
    struct eal_thread_drop *drop = arg;
    bool good = privileges_drop_thread(drop->config) == ASSAY_OK;

    atomic_store_explicit(&drop->state, good ? 1 : -1, memory_order_release);
}

static bool eal_thread_drop(const struct config *config)
{
    struct eal_thread_drop drop = {.config = config};
    int state = 0;

    if (rte_eal_alarm_set(1, eal_thread_drop_now, &drop) != 0)
        return false;
    for (int i = 0; i < EAL_THREAD_TIMEOUT_MS && state == 0; i++) {
        usleep(1000);
        state = atomic_load_explicit(&drop.state, memory_order_acquire);
    }
    /* waits for one that is running: drop lives on this stack */
    rte_eal_alarm_cancel(eal_thread_drop_now, &drop);
    return state == 1;
}

bool dataplane_launch(struct dataplane *dataplane, const struct config *config, struct problems *problems)
{
    if (!eal_thread_drop(config)) {
        problems_add(problems, "machine", 0, "DPDK's own thread cannot give up its capabilities");
        return false;
    }
    for (uint32_t i = 0; i < dataplane->fleet.count; i++) {
        dataplane->launches[i] = (struct dataplane_launch){dataplane->fleet.cores[i], config};
        if (rte_eal_remote_launch(core_thread, &dataplane->launches[i], i + 1) == 0) {
            dataplane->launched++;
            continue;
        }
        problems_add(problems, config->file, config_line(config, &config->root.cores), "core %u cannot be started", i);
        return false;
    }
    dataplane->fleet.running = true;
    return true;
}

bool dataplane_alive(const struct dataplane *dataplane)
{
    for (uint32_t i = 0; i < dataplane->fleet.count; i++)
        if (rte_eal_get_lcore_state(i + 1) != RUNNING)
            return false;
    return true;
}

bool dataplane_link(const struct dataplane *dataplane)
{
    uint32_t speed_mbps;

    return nic_link(&dataplane->nics[0], &speed_mbps);
}

void dataplane_stop(struct dataplane *dataplane)
{
    struct fleet launched = dataplane->fleet; /* a start that failed half-way: the first few */
    struct fleet_rows none;

    launched.count = dataplane->launched;
    /* a core that does not answer is waited for all the same: its memory cannot be freed under it */
    if (launched.count > 0 && fleet_command(&launched, COMMAND_STOP, 0, STOP_TIMEOUT_US, &none) == ASSAY_OK)
        fleet_rows_free(&none);
    for (uint32_t i = 0; i < launched.count; i++)
        rte_eal_wait_lcore(i + 1);
    dataplane->launched = 0;
    dataplane->fleet.running = false;
}

void dataplane_free_cores(struct dataplane *dataplane)
{
    for (uint32_t i = 0; i < dataplane->fleet.count; i++)
        core_free(dataplane->fleet.cores[i]);
    dataplane->fleet.count = 0;
}

void dataplane_down(struct dataplane *dataplane)
{
    dataplane_free_cores(dataplane);
    if (dataplane->exception_open)
        nic_close(dataplane->exceptions, (uint16_t)dataplane->pools.count);
    free(dataplane->exceptions);
    for (uint32_t i = 0; i < dataplane->port_devices; i++)
        nic_close(dataplane->nics + (size_t)i * dataplane->port_queues, (uint16_t)dataplane->port_queues);
    free(dataplane->nics);
    mesh_destroy(dataplane->mesh);
    eal_pools_free(&dataplane->pools);
    if (dataplane->shared.rcu != NULL)
        rcu_destroy(dataplane->shared.rcu);
    if (dataplane->eal_up)
        rte_eal_cleanup();
    eal_args_free(&dataplane->args);
    memset(dataplane, 0, sizeof(*dataplane));
}
