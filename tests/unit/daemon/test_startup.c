/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <linux/capability.h>
#include <string.h>

#include "daemon/startup.h"
#include "scratch.h"

#define CAP(name) (1ULL << CAP_##name)

/* A machine that has everything. */
static const struct startup_machine good = {.avx2 = true,
                                            .aes = true,
                                            .pclmul = true,
                                            .bmi2 = true,
                                            .hugepage_bytes = 2 << 20,
                                            .hugepages_free = 4096,
                                            .memory_available_bytes = 8ULL << 30,
                                            .capabilities = ~0ULL,
                                            .files_max = 1024,
                                            .cpus = {15},
                                            .interface_known = true,
                                            .tun_known = true,
                                            .interface_up = true,
                                            .interface = "assay0"};

static struct config *config_of(const char *device, const char *more)
{
    struct problems problems = {0};
    struct text text = {0};
    struct config *config;

    text_printf(&text, "port: {device: \"%s\", address: 198.18.0.10/15}\nlisteners: [{clients: any, tls: off}]\n%s",
                device, more);
    config = config_parse(text_slice(&text), "a.yaml", &problems);
    assert_non_null(config);
    text_free(&text);
    return config;
}

static void expect(const char *device, const char *more, const struct startup_machine *machine,
                   const char *const *expected)
{
    struct config *config = config_of(device, more);
    struct problems problems = {0};

    startup_judge(config, machine, &problems);
    scratch_expect(&problems, expected);
    problems_free(&problems);
    config_free(config);
}

#define PACKET "net_af_packet0,iface=assay0"

static void test_what_is_missing(void **state)
{
    struct startup_machine machine = good;

    machine.avx2 = false;
    expect(PACKET, "", &machine,
           (const char *const[]){
               "machine: the processor has no AVX2, which assay is built for; in a virtual machine choose "
               "the CPU model 'host'",
               NULL});
    machine = good;
    expect(
        PACKET, "cores: [3, 4]\n", &machine,
        (const char *const[]){
            "a.yaml:3: cores: CPU 4 is not there, or this process may not use it (taskset -p $$ shows which)", NULL});
    machine.memory_available_bytes = 100 << 20;
    expect(PACKET, "", &machine,
           (const char *const[]){"a.yaml: memory.size: 512 MiB are wanted, 100 MiB are available", NULL});
    machine = good;
    machine.hugepages_free = 10;
    expect(PACKET, "memory: {hugepages: on}\n", &machine,
           (const char *const[]){
               "machine: 10 hugepages of 2048 KiB are free, 256 are needed: sysctl -w vm.nr_hugepages=256", NULL});
    machine = good;
    machine.files_max = 64;
    expect(PACKET, "", &machine,
           (const char *const[]){"machine: 64 open files are allowed, 128 are needed: ulimit -n 128", NULL});
}

static void test_capabilities(void **state)
{
    struct startup_machine machine = good;

    machine.capabilities = CAP(NET_ADMIN);
    expect(
        PACKET, "", &machine,
        (const char *const[]){"machine: CAP_NET_RAW is missing, needed to open a packet socket: run assayd as root, or "
                              "under systemd with AmbientCapabilities=CAP_NET_RAW",
                              NULL});
    machine.capabilities = CAP(NET_RAW);
    expect(PACKET, "", &machine, (const char *const[]){NULL});
    expect("net_af_xdp0,iface=assay0", "", &machine,
           (const char *const[]){
               "machine: CAP_NET_ADMIN is missing, needed to attach its XDP program: run assayd as root, or "
               "under systemd with AmbientCapabilities=CAP_NET_ADMIN",
               "machine: CAP_BPF is missing, needed to load its XDP program: run assayd as root, or under "
               "systemd with AmbientCapabilities=CAP_BPF",
               NULL});
    expect(PACKET, "user: nobody\n", &machine,
           (const char *const[]){
               "a.yaml:3: user: CAP_SETUID is missing, needed to become nobody: run assayd as root, or leave user out",
               NULL});
    machine.capabilities = 0;
    expect("net_null0", "", &machine, (const char *const[]){NULL});
    expect("net_ring0", "", &machine, (const char *const[]){NULL});
}

static void test_exception(void **state)
{
    static const char text[] = "port: {device: net_null0, address: 198.18.0.10/15, exception: {device: assay1}}\n"
                               "listeners: [{clients: any, tls: off}]\n";
    struct startup_machine machine = good;
    struct problems problems = {0};
    struct config *config = config_parse(slice_text(text), "a.yaml", &problems);

    assert_non_null(config);
    startup_judge(config, &machine, &problems);
    assert_int_equal(problems.count, 0);
    machine.tun_known = false;
    machine.capabilities = 0;
    startup_judge(config, &machine, &problems);
    scratch_expect(&problems, (const char *const[]){
                                  "machine: CAP_NET_ADMIN is missing, needed to make a tap device: run assayd as root, "
                                  "or under systemd with AmbientCapabilities=CAP_NET_ADMIN",
                                  "a.yaml:1: port.exception: there is no /dev/net/tun to make a TAP interface "
                                  "with: modprobe tun",
                                  NULL});
    problems_free(&problems);
    config_free(config);
}

static void test_exception_xdp(void **state)
{
    static const char text[] =
        "port: {device: \"net_af_xdp0,iface=assay0\", address: 198.18.0.10/15, exception: {xdp: on}}\n"
        "listeners: [{clients: any, tls: off}]\n";
    struct startup_machine machine = good;
    struct problems problems = {0};
    struct config *config = config_parse(slice_text(text), "a.yaml", &problems);

    assert_non_null(config);
    startup_judge(config, &machine, &problems);
    assert_int_equal(problems.count, 0);
    machine.capabilities &= ~CAP(SYS_ADMIN);
    startup_judge(config, &machine, &problems);
    scratch_expect(&problems,
                   (const char *const[]){"machine: CAP_SYS_ADMIN is missing, needed to tell its XDP program which "
                                         "addresses are ours: run assayd as root, or under systemd with "
                                         "AmbientCapabilities=CAP_SYS_ADMIN",
                                         NULL});
    problems_free(&problems);
    config_free(config);
}

static void test_interface(void **state)
{
    struct startup_machine machine = good;

    machine.interface_known = false;
    expect(PACKET, "", &machine,
           (const char *const[]){"a.yaml:1: port.device: there is no interface assay0 (ip link shows which)", NULL});
    machine.interface_known = true;
    machine.interface_up = false;
    expect(PACKET, "", &machine,
           (const char *const[]){"a.yaml:1: port.device: interface assay0 is down: ip link set assay0 up", NULL});
}

static void test_queues_of_af_xdp(void **state)
{
    struct startup_machine machine = good;

    machine.interface_queues = 2;
    expect("net_af_xdp0,iface=assay0", "cores: [0, 1]\n", &machine, (const char *const[]){NULL});
    expect("net_af_xdp0,iface=assay0,start_queue=1", "", &machine, (const char *const[]){NULL});
    expect(PACKET, "", &machine, (const char *const[]){NULL}); /* a packet socket takes them all */
    expect("net_af_xdp0,iface=assay0", "", &machine,
           (const char *const[]){
               "a.yaml:1: port.device: interface assay0 has 2 receive queues, the cores take 0 to 0, and "
               "every queue needs one: ethtool -L assay0 combined 1 (a veth: rx 1 tx 1)",
               NULL});
    machine.interface_queues = 1;
    expect("net_af_xdp0,iface=assay0", "cores: [0, 1]\n", &machine,
           (const char *const[]){
               "a.yaml:1: port.device: interface assay0 has 1 receive queues, the cores take 0 to 1, and "
               "every queue needs one: ethtool -L assay0 combined 2 (a veth: rx 2 tx 2)",
               NULL});
}

static void test_probe(void **state)
{
    static const struct {
        const char *device, *interface;
        bool known;
    } cases[] = {{"net_null0", "", true},
                 {"net_tap0,iface=new0", "", true},
                 {"net_af_packet0,iface=lo", "lo", true},
                 {"net_af_packet0,iface=no_such_if,qdisc_bypass=1", "no_such_if", false},
                 {"net_af_packet0,iface=../../etc", "../../etc", false}};

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct config *config = config_of(cases[i].device, "");
        struct startup_machine machine;

        startup_probe(config, &machine);
        assert_string_equal(machine.interface, cases[i].interface);
        assert_int_equal(machine.interface_known, cases[i].known);
        assert_int_equal(machine.interface_queues > 0, strcmp(cases[i].interface, "lo") == 0);
        assert_true(machine.files_max > 0);
        assert_true(machine.memory_available_bytes > 0);
        assert_true(machine.hugepage_bytes > 0);
        assert_true(machine.avx2); /* the tests were built for it as well */
        config_free(config);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_what_is_missing),
                                       cmocka_unit_test(test_capabilities),
                                       cmocka_unit_test(test_exception),
                                       cmocka_unit_test(test_exception_xdp),
                                       cmocka_unit_test(test_interface),
                                       cmocka_unit_test(test_queues_of_af_xdp),
                                       cmocka_unit_test(test_probe)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
