/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Which origins a preflight asks, and with what; how they answer is tested in probe/. Names come from dns.hosts, addresses
 * are loopback's: refused as origins, so that no packet leaves. */
#include "daemon/preflight.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>
#include <time.h>

#include "daemon/sections.h"
#include "forge.h"
#include "scratch.h"

static uint64_t now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static const char base[] = "port: {device: net_null0, address: 198.18.0.10/15}\n"
                           "listeners: [{clients: any, tls: off}]\n"
                           "trust: {directory: trust}\n";

static const struct preflight_settings defaults = {.jobs = 4, .timeout_ms = 500};

static int begin(void **state)
{
    if (scratch_begin(state) != 0)
        return -1;
    scratch_good();
    SCRATCH_PEM("root.pem", scratch_ca("Root", 3));
    return 0;
}

/* Runs it; every origin as "host:port deployment type", one a line. */
static void origins_of(struct preflight *preflight, struct text *out)
{
    const json_t *row;
    json_t *report;
    size_t i;

    assert_non_null(preflight);
    while (preflight_turn(preflight, now_ms(), 50))
        ;
    report = preflight_report(preflight);
    json_array_foreach(json_object_get(report, "rows"), i, row)
    {
        const char *type = json_string_value(json_object_get(row, "type"));

        text_printf(out, "%s:%d %s %s\n", json_string_value(json_object_get(row, "node")),
                    (int)json_integer_value(json_object_get(row, "port")),
                    json_string_value(json_object_get(row, "deployment")), type != NULL ? type : "-");
    }
    json_decref(report);
    preflight_free(preflight);
}

static struct preflight *open_with(const char *more, const struct preflight_settings *settings)
{
    struct preflight_settings with = *settings;
    struct problems problems = {0};
    struct preflight *preflight;
    struct text text = {0};

    text_printf(&text, "%s%s", base, more);
    scratch_write("origins.yaml", text_get(&text));
    text_free(&text);
    with.config_file = scratch_path("origins.yaml");
    preflight = preflight_open(&with, FORGE_NOW, &problems);
    for (size_t i = 0; i < problems.kept; i++)
        print_error("%s\n", problems.items[i]);
    problems_free(&problems);
    return preflight;
}

#define HOSTS "dns: {hosts: [{name: imp.lab, addresses: [127.0.0.1]}, {name: lab.lab, addresses: [127.0.0.1]}]}\n"

/* https rules of nodes and of the allow list, edge-config servers; each once, http never. */
static void test_configured_origins(void **state)
{
    struct text out = {0};

    scratch_write("allow.csv", "Url,Deployment,HttpMethods,MatchType,Description\n"
                               "https://imp.lab:8443/x/,1,GET,prefix,again\n"
                               "http://imp.lab:8080/,1,GET,prefix,without TLS\n"
                               "https://lab.lab/,1,GET,prefix,the default port\n");
    origins_of(open_with("nodes: [{address: IMP.lab, type: imp}, {address: 127.0.0.1, type: tftp, deployment: b}]\n"
                         "allow_list: allow.csv\n"
                         "domains: [{name: a.lab, edge_config: \"https://lab.lab:9443\"}, {name: b.lab}]\n" HOSTS,
                         &defaults),
               &out);
    assert_string_equal(text_get(&out), "127.0.0.1:6971 b tftp\n127.0.0.1:6972 b tftp\n"
                                        "imp.lab:7336 1 imp\nimp.lab:8443 1 imp\n"
                                        "lab.lab:443 1 -\nlab.lab:9443 1 -\n");
    text_free(&out);
}

static void test_ports(void **state)
{
    struct preflight_settings settings = defaults;
    struct text out = {0};

    settings.ports = (struct probe_ports){2, {5061, 8443}};
    origins_of(open_with("nodes: [{address: imp.lab, type: imp}]\n" HOSTS, &settings), &out);
    assert_string_equal(text_get(&out), "imp.lab:5061 1 imp\nimp.lab:8443 1 imp\n");
    text_free(&out);
}

static void test_nodes_file(void **state)
{
    struct preflight_settings settings = defaults;
    struct problems problems = {0};
    struct text out = {0};

    scratch_write("nodes", "127.0.0.1\n127.0.0.2 unity\n[::1] 443\n");
    settings.nodes_file = scratch_path("nodes");
    settings.trust[0] = scratch_path("root.pem");
    settings.trust[1] = scratch_path("trust");
    settings.trust_count = 2;
    origins_of(preflight_open(&settings, FORGE_NOW, &problems), &out);
    assert_string_equal(text_get(&out), "127.0.0.1:8443 1 -\n127.0.0.2:443 1 unity\n127.0.0.2:7443 1 unity\n"
                                        "127.0.0.2:8443 1 unity\n::1:443 1 -\n");
    assert_int_equal(problems.count, 0);
    text_free(&out);
    problems_free(&problems);
}

static void test_problems(void **state)
{
    static const char *const expected[] = {"none.pem: cannot be read", "nodes:2: neither a host name nor an IP address",
                                           "nodes:3: expected ADDRESS [cucm|imp|unity|tftp] [PORT,PORT...]", NULL};
    static const char *const nothing[] = {"empty: names no origin that is reached over https", NULL};
    struct preflight_settings settings = defaults;
    struct problems problems = {0};

    scratch_write("nodes", "127.0.0.1\n..\nhost port\n");
    scratch_write("empty", "# nobody\n");
    settings.nodes_file = scratch_path("nodes");
    settings.trust[0] = scratch_path("none.pem");
    settings.trust_count = 1;
    assert_null(preflight_open(&settings, FORGE_NOW, &problems));
    scratch_expect(&problems, expected);
    problems_free(&problems);
    problems = (struct problems){0};
    settings.nodes_file = scratch_path("empty");
    settings.trust[0] = scratch_path("root.pem");
    assert_null(preflight_open(&settings, FORGE_NOW, &problems));
    scratch_expect(&problems, nothing);
    problems_free(&problems);
}

static bool skip_imp(const void *arg, const char *host, uint16_t port)
{
    return strcmp(host, arg) == 0 && port == 8443;
}

/* What a running daemon has: its names are not asked again, its own addresses are no origins; what is seen anyway is left out. */
static void test_running(void **state)
{
    struct section *section, *access;
    struct problems problems = {0};
    struct config *config;
    struct trust *trust;
    const struct verify_switches none = {0};
    struct names names = {0};
    struct preflight *preflight;
    struct text out = {0};

    text_printf(&out, "%snodes: [{address: imp.lab, type: imp}]\n", base);
    config = config_parse(text_slice(&out), scratch_path("running.yaml"), &problems);
    assert_non_null(config);
    text_clear(&out);
    trust = trust_load_all(config, &problems);
    section = section_build_trust(config, trust, &none, NULL, &problems);
    access = section_build_access(config, 1, NULL, &problems);
    sections_want_names(config, access->rules, NULL, &names);
    preflight =
        preflight_of(config, section, access->rules, &names, &defaults, skip_imp, "imp.lab", FORGE_NOW, &problems);
    assert_int_equal(section->references, 2);
    section_drop(access);
    names_free(&names);
    config_free(config);
    origins_of(preflight, &out);
    assert_string_equal(text_get(&out), "imp.lab:7336 1 imp\n");
    assert_int_equal(section->references, 1);
    section_drop(section);
    trust_free(trust);
    text_free(&out);
    problems_free(&problems);
}

/* What assayd fetched is looked for where it keeps it; that there is none is said, and no reason to give up. */
static void test_cache(void **state)
{
    static const struct {
        const char *trust;
        const char *state_directory;
        int crls; /* -1: null */
        size_t warnings;
    } cases[] = {
        {"", "fetched-state", -1, 0},
        {", revocation: {mode: soft-fail, fetch: on}", "fetched-state", 1, 0},
        {", revocation: {mode: soft-fail, fetch: on}", "fetched-elsewhere", 0, 2},
        {", revocation: {mode: soft-fail, fetch: on, cache: fetched-state/crls}", "fetched-elsewhere", 1, 0},
        {", revocation: {mode: soft-fail, fetch: on, cache: fetched-none}", "fetched-state", 0, 2},
    };

    (void)state;
    scratch_make("fetched-state");
    scratch_make("fetched-state/crls");
    scratch_make("fetched-none");
    scratch_write_slice("fetched-state/crls/00ff.crl",
                        forge_crl(&(struct forge_crl){.issuer = "Root", .signer = forge_key(FORGE_P256, 3)}));
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct preflight_settings settings = defaults;
        struct problems problems = {0};
        struct preflight *preflight;
        struct text text = {0};
        json_t *report;
        json_t *cache;

        text_printf(&text, "%.*s%s}\nnodes: [{address: 127.0.0.1, type: imp}]\n",
                    (int)(strstr(base, "trust}") - base + 5), base, cases[i].trust);
        scratch_write("fetched.yaml", text_get(&text));
        text_free(&text);
        settings.config_file = scratch_path("fetched.yaml");
        settings.state_directory = scratch_path(cases[i].state_directory);
        preflight = preflight_open(&settings, FORGE_NOW, &problems);
        for (size_t k = 0; k < problems.kept; k++)
            print_error("%s\n", problems.items[k]);
        assert_non_null(preflight);
        if (problems.warnings_kept != cases[i].warnings)
            fail_msg("%zu: %zu warnings", i, problems.warnings_kept);
        report = preflight_report(preflight);
        cache = json_object_get(report, "crl_cache");
        assert_int_equal(json_is_null(cache), cases[i].crls < 0);
        if (cases[i].crls >= 0)
            assert_int_equal(json_integer_value(json_object_get(cache, "crls")), cases[i].crls);
        json_decref(report);
        preflight_free(preflight);
        problems_free(&problems);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_configured_origins), cmocka_unit_test(test_ports),   cmocka_unit_test(test_nodes_file),
        cmocka_unit_test(test_problems),           cmocka_unit_test(test_running), cmocka_unit_test(test_cache),
    };

    return cmocka_run_group_tests(tests, begin, scratch_end);
}
