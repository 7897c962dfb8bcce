/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Against a DNS server of the test's own, on a loopback port: it answers by the first label of the name. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/address.h"
#include "daemon/dns.h"
#include "scratch.h"

/* --- the server -------------------------------------------------------------------------------------------------------- */

static struct server {
    int fd;
    uint16_t port;
    pthread_t thread;
    _Atomic bool stop;
    _Atomic unsigned asked;
    _Atomic int last; /* last octet of the address it gives */
} server;

/* Appends an A record for the question at offset 12. */
static size_t add_a(uint8_t *packet, size_t len, int octet, uint32_t ttl)
{
    const uint8_t record[] = {
        0xc0,         12, 0, 1,   0,  1, (uint8_t)(ttl >> 24), (uint8_t)(ttl >> 16), (uint8_t)(ttl >> 8),
        (uint8_t)ttl, 0,  4, 198, 18, 2, (uint8_t)octet};

    memcpy(packet + len, record, sizeof(record));
    packet[7]++;
    return len + sizeof(record);
}

/* Appends an AAAA record: prefix, zeros, last. */
static size_t add_aaaa(uint8_t *packet, size_t len, const char *prefix, int last)
{
    uint8_t record[28] = {0xc0, 12, 0, 28, 0, 1, 0, 0, 14, 16, 0, 16};
    struct assay_address address;

    assert_int_equal(address_parse(slice_text(prefix), &address), ASSAY_OK);
    memcpy(record + 12, address.bytes, 16);
    record[27] = (uint8_t)last;
    memcpy(packet + len, record, sizeof(record));
    packet[7]++;
    return len + sizeof(record);
}

/* The names that have IPv6 addresses, beside or without others. */
static size_t answer_aaaa(uint8_t *packet, size_t len, const char *name)
{
    if (strncmp(name, "two", 3) == 0)
        return add_aaaa(packet, len, "2001:db8::", 11);
    if (strncmp(name, "six", 3) == 0)
        return add_aaaa(packet, add_aaaa(packet, len, "2001:db8::", 12), "2001:db8::", 11);
    if (strncmp(name, "disguise", 8) == 0)
        return add_aaaa(packet, len, "::ffff:198.18.2.0", 11);
    if (strncmp(name, "own", 3) == 0)
        return add_aaaa(packet, len, "2001:db8::", 0x10);
    return len;
}

/* The answer in place of the query; 0: none is sent. */
static size_t answer(uint8_t *packet, size_t len)
{
    const char *name = (const char *)packet + 13; /* behind the first label's length */
    size_t end = 12;
    uint8_t type;

    while (end < len && packet[end] != 0)
        end += packet[end] + 1U;
    type = packet[end + 2];
    len = end + 5; /* type and class: what follows (EDNS) is dropped */
    packet[2] = 0x84;
    packet[3] = 0x80;
    memset(packet + 6, 0, 6);
    if (strncmp(name, "silent", 6) == 0)
        return 0;
    if (strncmp(name, "nowhere", 7) == 0) {
        packet[3] |= 3; /* NXDOMAIN */
        return len;
    }
    if (type == 28)
        return answer_aaaa(packet, len, name);
    if (strncmp(name, "empty", 5) == 0 || strncmp(name, "six", 3) == 0 || strncmp(name, "disguise", 8) == 0)
        return len;
    if (strncmp(name, "own", 3) == 0) {
        len = add_a(packet, len, 0, 60);
        memcpy(packet + len - 4, "\xc6\x12\x00\x0a", 4); /* 198.18.0.10 */
        return len;
    }
    len = add_a(packet, len, server.last, 3600);
    return strncmp(name, "two", 3) == 0 ? add_a(packet, len, 99, 3600) : len;
}

static void *serve(void *arg)
{
    while (!atomic_load(&server.stop)) {
        struct sockaddr_in peer;
        socklen_t peer_len = sizeof(peer);
        uint8_t packet[1024];
        ssize_t n = recvfrom(server.fd, packet, 512, 0, (struct sockaddr *)&peer, &peer_len);
        size_t len = n > 17 ? answer(packet, (size_t)n) : 0;

        atomic_fetch_add(&server.asked, n > 0);
        if (len > 0)
            sendto(server.fd, packet, len, 0, (struct sockaddr *)&peer, peer_len);
    }
    return NULL;
}

static int begin(void **state)
{
    const struct timeval timeout = {0, 50000};
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(address);

    server.fd = socket(AF_INET, SOCK_DGRAM, 0);
    if (server.fd < 0 || bind(server.fd, (struct sockaddr *)&address, len) != 0 ||
        getsockname(server.fd, (struct sockaddr *)&address, &len) != 0)
        return -1;
    setsockopt(server.fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout));
    server.port = ntohs(address.sin_port);
    server.last = 11;
    return pthread_create(&server.thread, NULL, serve, NULL);
}

static int end(void **state)
{
    atomic_store(&server.stop, true);
    pthread_join(server.thread, NULL);
    return close(server.fd);
}

/* --- control's side ------------------------------------------------------------------------------------------------------ */

static struct config *config_with(const char *addresses, const char *more)
{
    struct problems problems = {0};
    struct text text = {0};
    struct config *config;

    text_printf(&text,
                "port: {device: net_null0, address: %s}\nlisteners: [{clients: any, tls: off}]\n"
                "dns: {servers: \"127.0.0.1:%u\", timeout: 200ms%s}\n",
                addresses, server.port, more);
    config = config_parse(text_slice(&text), "a.yaml", &problems);
    assert_non_null(config);
    text_free(&text);
    return config;
}

static struct config *config_of(const char *more)
{
    return config_with("198.18.0.10/15", more);
}

static uint64_t now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/* Turns as the daemon does, until every name was answered once; true when something changed. */
static bool settle(struct dns *dns, struct names *names, uint64_t skew_ms)
{
    uint64_t end_ms = now_ms() + 5000;
    bool changed = false;

    do {
        struct pollfd sockets[DNS_SOCKETS_MAX];
        size_t count;
        int timeout;

        dns_ask(dns, names, now_ms() + skew_ms);
        count = dns_sockets(dns, sockets);
        timeout = dns_timeout_ms(dns, names, now_ms() + skew_ms, 100);
        assert_in_range(timeout, 0, 100);
        poll(sockets, count, timeout);
        changed |= dns_process(dns, names, sockets, count, now_ms() + skew_ms);
        assert_true(now_ms() < end_ms);
    } while (!dns_settled(names));
    return changed;
}

static void want(struct names *names, const char *const *hosts)
{
    names_begin(names);
    for (; *hosts != NULL; hosts++)
        names_want(names, slice_text(*hosts));
    names_sweep(names);
}

static const struct name *find(struct names *names, const char *host)
{
    const struct name *name = names_find(names, slice_text(host));

    assert_non_null(name);
    return name;
}

static void test_answers_and_failures(void **state)
{
    static const struct {
        const char *host;
        uint32_t count;
        const char *error;
    } cases[] = {{"nowhere.lab", 0, "NXDOMAIN from 127.0.0.1:"},
                 {"silent.lab", 0, "Timeout while contacting DNS servers from 127.0.0.1:"},
                 {"empty.lab", 0, "no IPv4 address from 127.0.0.1:"},
                 {"own.lab", 0, "its addresses cannot be an origin's"},
                 {"cucm.lab", 1, ""},
                 {"two.lab", 2, ""}};
    struct problems problems = {0};
    struct config *config = config_of("");
    struct dns *dns = dns_create(config, &problems);
    struct names names = {0};

    assert_non_null(dns);
    want(&names,
         (const char *const[]){"nowhere.lab", "silent.lab", "empty.lab", "own.lab", "cucm.lab", "two.lab", NULL});
    assert_true(settle(dns, &names, 0));
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const struct name *name = find(&names, cases[i].host);

        assert_int_equal(name->count, cases[i].count);
        if (strncmp(name->error, cases[i].error, strlen(cases[i].error)) != 0 ||
            (cases[i].error[0] == '\0') != (name->error[0] == '\0'))
            fail_msg("%s: '%s', expected '%s'", cases[i].host, name->error, cases[i].error);
    }
    dns_free(dns);
    names_free(&names);
    config_free(config);
}

/* Which addresses a name gets depends on those that we have; IPv6 comes first. */
static void test_families(void **state)
{
    static const struct {
        const char *own, *host, *addresses[3], *error;
    } cases[] = {
        {"198.18.0.10/15", "two.lab", {"198.18.2.11", "198.18.2.99"}, ""},
        {"198.18.0.10/15", "six.lab", {NULL}, "no IPv4 address from 127.0.0.1:"},
        {"\"2001:db8::10/64\"", "two.lab", {"2001:db8::b"}, ""},
        {"\"2001:db8::10/64\"", "six.lab", {"2001:db8::b", "2001:db8::c"}, ""},
        {"\"2001:db8::10/64\"", "cucm.lab", {NULL}, "no IPv6 address from 127.0.0.1:"},
        {"\"2001:db8::10/64\"", "own.lab", {NULL}, "its addresses cannot be an origin's"},
        {"[198.18.0.10/15, \"2001:db8::10/64\"]", "two.lab", {"2001:db8::b", "198.18.2.11", "198.18.2.99"}, ""},
        {"", "two.lab", {"2001:db8::b", "198.18.2.11", "198.18.2.99"}, ""}, /* a probe without a port: both */
        {"[198.18.0.10/15, \"2001:db8::10/64\"]", "six.lab", {"2001:db8::b", "2001:db8::c"}, ""},
        {"[198.18.0.10/15, \"2001:db8::10/64\"]", "cucm.lab", {"198.18.2.11"}, ""},
        {"[198.18.0.10/15, \"2001:db8::10/64\"]", "disguise.lab", {NULL}, "no address"},
        {"[198.18.0.10/15, \"2001:db8::10/64\"]", "empty.lab", {NULL}, "no address from 127.0.0.1:"},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct problems problems = {0};
        struct config *config = config_with(cases[i].own[0] != '\0' ? cases[i].own : "198.18.0.10/15", "");
        struct dns *dns;
        struct names names = {0};
        const struct name *name;
        char text[ASSAY_ADDRESS_TEXT_MAX];
        uint32_t count = 0;

        if (cases[i].own[0] == '\0')
            config->root.port.address.count = 0;
        dns = dns_create(config, &problems);
        assert_non_null(dns);
        want(&names, (const char *const[]){cases[i].host, NULL});
        settle(dns, &names, 0);
        name = find(&names, cases[i].host);
        for (; count < 3 && cases[i].addresses[count] != NULL; count++)
            if (count >= name->count ||
                strcmp(address_format(&name->addresses[count], text), cases[i].addresses[count]) != 0)
                fail_msg("%s of %s: address %u", cases[i].host, cases[i].own, count);
        assert_int_equal(name->count, count);
        if (strncmp(name->error, cases[i].error, strlen(cases[i].error)) != 0)
            fail_msg("%s of %s: '%s'", cases[i].host, cases[i].own, name->error);
        dns_free(dns);
        names_free(&names);
        config_free(config);
    }
}

static void test_asked_again_when_due(void **state)
{
    struct problems problems = {0};
    struct config *config = config_of(", refresh: 30s");
    struct dns *dns = dns_create(config, &problems);
    struct names names = {0};
    char text[ASSAY_ADDRESS_TEXT_MAX];
    unsigned asked;

    want(&names, (const char *const[]){"cucm.lab", NULL});
    settle(dns, &names, 0);
    asked = server.asked;
    names.items[0].answered = false;
    dns_ask(dns, &names, now_ms() + 20000); /* not yet */
    assert_false(names.items[0].asked);
    server.last = 12;
    assert_true(settle(dns, &names, 31000));
    assert_true(server.asked > asked);
    assert_string_equal(address_format(&names.items[0].addresses[0], text), "198.18.2.12");
    names.items[0].answered = false;
    assert_false(settle(dns, &names, 62000)); /* the same answer is no change */
    server.last = 11;
    dns_free(dns);
    names_free(&names);
    config_free(config);
}

static void test_fixed_names_are_not_asked(void **state)
{
    struct problems problems = {0};
    struct config *config = config_of("");
    struct dns *dns = dns_create(config, &problems);
    struct names names = {0};

    want(&names, (const char *const[]){"cucm.lab", NULL});
    names.items[0].fixed = true;
    dns_ask(dns, &names, now_ms());
    assert_false(names.items[0].asked);
    dns_free(dns);
    names_free(&names);
    config_free(config);
}

/* Names may come and go, and the servers change, while questions are under way. */
static void test_changes_while_questions_are_under_way(void **state)
{
    struct problems problems = {0};
    struct config *config = config_of(""), *next = config_of(", refresh: 10s");
    struct dns *dns = dns_create(config, &problems);
    struct names names = {0};

    want(&names, (const char *const[]){"a.lab", "silent.lab", NULL});
    dns_ask(dns, &names, now_ms());
    want(&names, (const char *const[]){"b.lab", "silent.lab", NULL});
    settle(dns, &names, 0);
    assert_int_equal(find(&names, "b.lab")->count, 1);
    want(&names, (const char *const[]){"c.lab", "silent.lab", NULL});
    dns_ask(dns, &names, now_ms() + 60000);
    assert_true(dns_configure(dns, next, &names, &problems));
    assert_false(find(&names, "c.lab")->asked);
    settle(dns, &names, 60000);
    assert_int_equal(find(&names, "c.lab")->count, 1);
    want(&names, (const char *const[]){"d.lab", "silent.lab", NULL});
    dns_ask(dns, &names, now_ms() + 120000);
    dns_free(dns); /* with questions open */
    dns_free(NULL);
    names_free(&names);
    config_free(config);
    config_free(next);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_answers_and_failures),
        cmocka_unit_test(test_families),
        cmocka_unit_test(test_asked_again_when_due),
        cmocka_unit_test(test_fixed_names_are_not_asked),
        cmocka_unit_test(test_changes_while_questions_are_under_way),
    };

    return cmocka_run_group_tests(tests, begin, end);
}
