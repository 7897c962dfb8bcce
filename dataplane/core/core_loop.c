/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <sys/prctl.h>
#include <time.h>

#include <rte_mbuf.h>
#include <rte_ring.h>

#include "base/rcu.h"
#include "base/thread_slot.h"
#include "core/core_private.h"

#define CORE_OUTPUT_ROUNDS 4 /* bursts sent in one turn at the most */
#define CORE_COMMANDS      4

static uint64_t clock_ns(clockid_t clock)
{
    struct timespec now;

    clock_gettime(clock, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

/* What a turn has received so far. */
struct received {
    uint32_t segments, errors;
    uint32_t handed_over; /* to other cores */
};

static void core_input(struct core *core, uint32_t port, struct rte_mbuf **packets, uint32_t n, uint64_t now_us,
                       struct received *received)
{
    struct rte_mbuf *whole[NET_WHOLE_MAX];
    uint32_t ours;

    while (n > 0) {
        received->segments += net_input(core->net, port, packets, n, now_us, core->segments + received->segments,
                                        core->errors, &received->errors);
        /* What was put together from fragments comes in once more, as a whole, and may be another core's. */
        packets = whole;
        n = ours = net_take_whole(core->net, port, whole);
        if (n > 0 && core->config.mesh != NULL)
            ours = dispatch_frames(&core->dispatch, port, whole, n);
        received->handed_over += n - ours;
        n = ours;
    }
}

/* From this core's queue of each port: what is another core's goes to it. */
static void core_receive(struct core *core, uint64_t now_us, struct received *received)
{
    for (uint32_t port = 0; port < core->nic_count; port++) {
        uint32_t n = nic_rx(core->nics[port], core->packets, CORE_BURST), ours = n;

        if (core->config.mesh != NULL)
            ours = dispatch_frames(&core->dispatch, port, core->packets, n);
        received->handed_over += n - ours;
        core_input(core, port, core->packets, ours, now_us, received);
    }
}

/* And what other cores have handed to this one, of whichever port. */
static void core_receive_mesh(struct core *core, uint64_t now_us, struct received *received)
{
    uint32_t n, begin = 0;

    if (core->config.mesh == NULL)
        return;
    n = dispatch_take(&core->dispatch, core->packets, CORE_MESH);
    for (uint32_t end = 1; end <= n; end++) {
        uint16_t port = core->packets[begin]->port;

        if (end < n && core->packets[end]->port == port)
            continue;
        core_input(core, port, core->packets + begin, end - begin, now_us, received);
        begin = end;
    }
}

static uint32_t core_errors(struct core *core, uint32_t errors, uint64_t now_us, uint32_t events)
{
    for (uint32_t i = 0; i < errors && events < CORE_EVENTS; i++)
        events += tcp_icmp_error(core->tcp, &core->errors[i], now_us, core->events + events, CORE_EVENTS - events);
    return events;
}

static void core_send(struct core *core, uint64_t now_us)
{
    bool more = true;

    for (int round = 0; more && round < CORE_OUTPUT_ROUNDS; round++) {
        more = tcp_output(core->tcp, now_us, &core->tx);
        net_output(core->net, &core->tx, now_us);
    }
    core->idle = more ? 0 : core->idle;
}

/* False: it goes on in the next turn. */
static bool core_answer(struct core *core, struct core_command *command, const struct snapshot *snapshot,
                        uint64_t now_us)
{
    switch (command->kind) {
    case COMMAND_STOP: core->stop = true; return true;
    case COMMAND_DRAIN: proxy_drain(core->proxy, snapshot, now_us); return true;
    case COMMAND_ANNOUNCE: net_announce(core->net, now_us); return true;
    case COMMAND_CAPTURE:
        for (uint32_t i = 0; i < core->nic_count; i++)
            nic_set_capture(core->nics[i], command->capture);
        return true;
    default: return proxy_command(core->proxy, command, now_us);
    }
}

static void core_commands(struct core *core, const struct snapshot *snapshot, uint64_t now_us)
{
    void *row;

    for (int i = 0; i < CORE_COMMANDS; i++) {
        if (core->command == NULL && rte_ring_sc_dequeue(core->commands, &row) == 0)
            core->command = row;
        if (core->command == NULL || !core_answer(core, core->command, snapshot, now_us))
            return;
        atomic_store_explicit(&core->command->state, COMMAND_DONE, memory_order_release);
        core->command = NULL;
    }
}

bool core_turn(struct core *core)
{
    uint64_t now_ns = clock_ns(CLOCK_MONOTONIC), now_us = now_ns / 1000;
    const struct snapshot *snapshot = atomic_load_explicit(&core->config.shared->snapshot, memory_order_acquire);
    struct received received = {0};
    uint32_t events = 0;
    bool busy;

    turn_time_begin(&core->time, now_ns, proxy_counters(core->proxy));
    core_receive(core, now_us, &received);
    core_receive_mesh(core, now_us, &received);
    received.errors += net_timers(core->net, now_us, core->errors + received.errors, CORE_PACKETS - received.errors);
    /* What has come in may be the answer that a timer waits for: after a turn that took long, it goes first. */
    events += tcp_input(core->tcp, core->segments, received.segments, now_us, core->events, CORE_PACKETS);
    events += tcp_timers(core->tcp, now_us, core->events + events, CORE_EVENTS - CORE_PACKETS);
    events = core_errors(core, received.errors, now_us, events);
    proxy_run(core->proxy, snapshot, core->events, events, now_us, clock_ns(CLOCK_REALTIME));
    core_commands(core, snapshot, now_us);
    if (net_exception(core->net) > 0)
        core->idle = 0;
    busy = received.segments > 0 || received.handed_over > 0 || events > 0 || core->command != NULL ||
           proxy_busy(core->proxy);
    core_send(core, now_us);
    if (atomic_load_explicit(&core->generation, memory_order_relaxed) != proxy_generation(core->proxy))
        atomic_store_explicit(&core->generation, proxy_generation(core->proxy), memory_order_release);
    atomic_store_explicit(&core->drained, proxy_drained(core->proxy), memory_order_relaxed);
    rcu_quiescent(core->config.shared->rcu, core->config.index);
    return busy;
}

/* What was asked too late gets its (empty) answer: nobody shall wait for a core that is gone. */
static void core_answer_late(struct core *core)
{
    void *row;

    if (core->command != NULL)
        atomic_store_explicit(&core->command->state, COMMAND_DONE, memory_order_release);
    core->command = NULL;
    while (rte_ring_sc_dequeue(core->commands, &row) == 0)
        atomic_store_explicit(&((struct core_command *)row)->state, COMMAND_DONE, memory_order_release);
}

/* On a virtual port the peers need the CPU as well: after a while without work, a few microseconds for them. */
static void core_idle(struct core *core)
{
    struct timespec nap = {.tv_nsec = (long)core->config.idle_sleep_us * 1000};

    core->idle = 0;
    turn_time_pause(&core->time);
    proxy_counters(core->proxy)->sleeps++;
    rcu_offline(core->config.shared->rcu, core->config.index);
    nanosleep(&nap, NULL);
    rcu_online(core->config.shared->rcu, core->config.index);
}

int core_run(void *arg)
{
    struct core *core = arg;

    thread_slot_attach(core->slot);
    /* Without it the kernel rounds a nap of 20 us up to 70. */
    prctl(PR_SET_TIMERSLACK, 1000UL);
    if (rcu_register(core->config.shared->rcu, core->config.index) != ASSAY_OK) {
        thread_slot_attach(NULL);
        return -1;
    }
    rcu_online(core->config.shared->rcu, core->config.index);
    net_announce(core->net, clock_ns(CLOCK_MONOTONIC) / 1000);
    while (!core->stop) {
        struct assay_counters *counters = proxy_counters(core->proxy);

        counters->turns++;
        if (core_turn(core)) {
            core->idle = 0;
            continue;
        }
        counters->turns_idle++;
        if (core->config.idle_polls != 0 && ++core->idle >= core->config.idle_polls)
            core_idle(core);
    }
    /* Its TLS memory belongs to this thread's slot: freed here. Control may be reading counters: they stay. */
    proxy_close(core->proxy);
    core_send(core, clock_ns(CLOCK_MONOTONIC) / 1000);
    rcu_offline(core->config.shared->rcu, core->config.index);
    rcu_unregister(core->config.shared->rcu, core->config.index);
    core_answer_late(core);
    thread_slot_attach(NULL);
    return 0;
}
