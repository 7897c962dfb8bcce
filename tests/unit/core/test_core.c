/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A core on a port that swallows everything: its life, its commands, its snapshots, seen from control's thread. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include <rte_mempool.h>

#include "base/address.h"
#include "base/rcu.h"
#include "core/core.h"
#include "net/net.h"
#include "net/nic.h"
#include "rig.h"
#include "tcp/tcp.h"
#include "x509/store.h"
#include "x509/verify.h"

static struct rig_pools pools;
static struct nic nic;
static struct net_address address;
static struct net_port_config port;
static struct net_config net;
static struct tcp_config tcp;
static struct core_shared shared;
static struct settings_section settings = {.via_name = "assay", .handshakes_max = 8, .clients_max = 8};
static struct trust_scope scope = {.name = "global"};
static struct trust_section trust = {.epoch = 1, .revision = 1, .scope_count = 1, .scopes = &scope};
static struct access_section access_rules;
static struct credential_section credentials;
static struct route_section route;
static struct snapshot snapshots[2];

static int start(void **state)
{
    static struct x509_policy policy;
    struct nic_config config = {.device = "net_null0", .pools = &pools.packet};

    rig_start("assay-core");
    pools = rig_pools_create("core", 4096);
    assert_int_equal(nic_open(&config, &nic, 1), ASSAY_OK);
    net_config_default(&net);
    address.address = rig_address("198.18.0.10");
    address.prefix_length = 96 + 15;
    port = (struct net_port_config){.nic = &nic, .addresses = &address, .addresses_count = 1};
    net.ports = &port;
    net.ports_count = 1;
    net.pool = pools.packet;
    tcp_config_default(&tcp);
    tcp.connections_max = 64;
    x509_policy_default(&policy);
    scope.policy = &policy;
    scope.store = x509_store_create();
    for (uint64_t i = 0; i < 2; i++)
        snapshots[i] = (struct snapshot){.generation = i + 1,
                                         .settings = &settings,
                                         .trust = &trust,
                                         .access = &access_rules,
                                         .credentials = &credentials,
                                         .route = &route};
    assert_int_equal(rcu_create(1, &shared.rcu), ASSAY_OK);
    return 0;
}

static int stop(void **state)
{
    nic_close(&nic, 1);
    rcu_destroy(shared.rcu);
    x509_store_free((struct x509_store *)scope.store);
    assert_int_equal(rig_pools_missing(&pools), 0);
    rig_pools_free(&pools);
    return 0;
}

static struct core_config core_defaults(void)
{
    return (struct core_config){.cores = 1,
                                .shared = &shared,
                                .net = &net,
                                .tcp = &tcp,
                                .packet_pool = pools.packet,
                                .payload_pool = pools.payload,
                                .indirect_pool = pools.indirect,
                                .clients_max = 8,
                                .origins_max = 8,
                                .verdicts_max = 16,
                                .heap_bytes = 16 << 20,
                                .log_ring_bytes = 65536,
                                .idle_polls = 10,
                                .idle_sleep_us = 100};
}

static void refuses_what_cannot_be_created_and_says_what(void **state)
{
    struct core_config config = core_defaults();
    const char *fault = NULL;
    struct core *core;

    config.log_ring_bytes = 1000;
    assert_int_equal(core_create(&config, &core, &fault), ASSAY_ERR_RANGE);
    assert_non_null(strstr(fault, "log_ring_bytes"));
    config = core_defaults();
    config.clients_max = 0;
    assert_int_not_equal(core_create(&config, &core, &fault), ASSAY_OK);
    assert_non_null(strstr(fault, "tables"));
}

static void *run(void *core)
{
    return (void *)(intptr_t)core_run(core);
}

static void await_generation(struct core *core, uint64_t generation)
{
    struct core_stats stats = {0};

    for (int i = 0; i < 5000 && stats.generation != generation; i++) {
        usleep(1000);
        core_get_stats(core, &stats);
    }
    assert_int_equal(stats.generation, generation);
}

static void command(struct core *core, enum command_kind kind, void *rows, size_t max, size_t *count)
{
    struct core_command row = {.kind = kind, .rows = rows, .rows_max = max};

    assert_int_equal(core_command(core, &row), ASSAY_OK);
    for (int i = 0; i < 5000 && atomic_load_explicit(&row.state, memory_order_acquire) != COMMAND_DONE; i++)
        usleep(1000);
    assert_int_equal(atomic_load(&row.state), COMMAND_DONE);
    *count = row.row_count;
}

static void adopts_each_snapshot_answers_commands_drains_and_stops(void **state)
{
    struct core_config config = core_defaults();
    struct origin_row rows[4];
    const char *fault = NULL;
    struct core_stats stats;
    pthread_t thread;
    struct core *core;
    size_t count;
    void *result;

    atomic_store(&shared.snapshot, &snapshots[0]);
    assert_int_equal(core_create(&config, &core, &fault), ASSAY_OK);
    assert_int_equal(pthread_create(&thread, NULL, run, core), 0);
    await_generation(core, 1);
    atomic_store(&shared.snapshot, &snapshots[1]);
    await_generation(core, 2);
    /* The first snapshot is no longer read: control may free it. */
    assert_int_equal(rcu_wait(shared.rcu, rcu_start(shared.rcu), 1000000), ASSAY_OK);
    command(core, COMMAND_ORIGINS, rows, 4, &count);
    assert_int_equal(count, 0);
    core_get_stats(core, &stats);
    assert_false(stats.drained);
    assert_true(stats.proxy->turns > 0);
    assert_true(stats.proxy->sleeps > 0);
    assert_int_equal(stats.proxy->snapshots, 2);
    assert_non_null(stats.verdicts);
    command(core, COMMAND_DRAIN, NULL, 0, &count);
    usleep(20000);
    core_get_stats(core, &stats);
    assert_true(stats.drained);
    command(core, COMMAND_STOP, NULL, 0, &count);
    pthread_join(thread, &result);
    assert_int_equal((intptr_t)result, 0);
    core_get_stats(core, &stats);
    assert_int_equal(stats.proxy->snapshots, 2); /* what was counted can still be read */
    core_free(core);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(refuses_what_cannot_be_created_and_says_what),
        cmocka_unit_test(adopts_each_snapshot_answers_commands_drains_and_stops),
    };

    return cmocka_run_group_tests(tests, start, stop);
}
