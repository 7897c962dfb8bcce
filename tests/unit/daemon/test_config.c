/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "base/address.h"
#include "daemon/config.h"
#include "scratch.h"

#define PORT     "port: {device: net_null0, address: 198.18.0.10/15}\n"
#define LISTENER "listeners: [{clients: any}]\n"
#define REST     PORT LISTENER

/* A file, and everything that is said of it. */
static const struct {
    const char *text;
    const char *expected[8];
} faults[] = {
    {"", {"a.yaml: the file is empty"}},
    {"# nothing\n", {"a.yaml: the file is empty"}},
    {"- 1\n", {"a.yaml:1: the file: a mapping (key: value) is expected"}},
    {"port\n", {"a.yaml:1: the file: a mapping (key: value) is expected"}},
    {"port: {\n", {"a.yaml:2: not YAML: did not find expected node content, while parsing a flow node"}},
    {"a: b: c\n", {"a.yaml:1: not YAML: mapping values are not allowed in this context"}},
    {REST "---\nmore: 1\n", {"a.yaml:4: a second YAML document: only one is read"}},
    {"{}\n", {"a.yaml:1: port: is required", "a.yaml:1: listeners: is required"}},
    {PORT, {"a.yaml:1: listeners: is required"}},
    {"port:\n  mtu: 1500\n" LISTENER, {"a.yaml:2: port.device: is required", "a.yaml:2: port.address: is required"}},
    {REST "listner: 8443\n", {"a.yaml:3: listner: unknown key"}},
    {REST "via: a\nvia: b\n", {"a.yaml:4: via: is there twice"}},
    {REST "? [a, b]\n: c\n", {"a.yaml:3: the file: a key must be a word"}},
    {REST "limits:\n  head_maxx: 1\n  fields_max: 101\n",
     {"a.yaml:4: limits.head_maxx: unknown key", "a.yaml:5: limits.fields_max: 101 is not within 8 to 100"}},
    {REST "limits: 5\n", {"a.yaml:3: limits: a mapping (key: value) is expected"}},
    {REST "timeouts: {drain: [1s]}\n", {"a.yaml:3: timeouts.drain: a single value is expected"}},
    {REST "via: \"a\\0b\"\n", {"a.yaml:3: via: a NUL byte is not allowed"}},
    {PORT "listeners: {port: 1}\n", {"a.yaml:2: listeners: a list of mappings is expected"}},
    {PORT "listeners: []\n", {"a.yaml:2: listeners: 0 entries, not within 1 to 64"}},
    {PORT "listeners:\n- port: 70000\n  clients: 10.0.0.1/8\n- port: 8443\n",
     {"a.yaml:3: listeners[0].port: 70000 is not within 1 to 65535",
      "a.yaml:4: listeners[0].clients: '10.0.0.1/8' is no prefix: too long, or bits are set behind its length",
      "a.yaml:5: listeners[1].clients: is required"}},
    {PORT "listeners:\n- clients:\n  - 10.0.0.0/8\n  - x\n  - 10.0.0.0/40\n",
     {"a.yaml:5: listeners[0].clients[1]: 'x' is not a prefix (198.18.0.0/15)",
      "a.yaml:6: listeners[0].clients[2]: '10.0.0.0/40' is no prefix: too long, or bits are set behind its length"}},
    {PORT "listeners: [{clients: []}]\n", {"a.yaml:2: listeners[0].clients: the list is empty"}},
    {PORT "listeners: [{clients: }]\n", {"a.yaml:2: listeners[0].clients: is required"}},
    {PORT "listeners: [{clients: {a: b}}]\n", {"a.yaml:2: listeners[0].clients: a list is expected"}},
    {PORT "listeners: [any]\n", {"a.yaml:2: listeners[0]: a mapping (key: value) is expected"}},
    {REST "verify: {mode: enforce}\n", {"a.yaml:3: verify.mode: 'enforce' is none of enforced|permissive|disabled"}},
    {"port: &p {device: net_null0, address: 198.18.0.10/15, routes: *p}\n" LISTENER,
     {"a.yaml:1: port.routes: a list of mappings is expected"}},
};

static struct config *parse(const char *text, struct problems *problems)
{
    return config_parse(slice_text(text), "a.yaml", problems);
}

static void test_faults(void **state)
{
    for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++) {
        struct problems problems = {0};

        assert_null(parse(faults[i].text, &problems));
        scratch_expect(&problems, faults[i].expected);
        problems_free(&problems);
    }
}

static void test_defaults(void **state)
{
    struct problems problems = {0};
    struct config *config = parse(REST, &problems);
    const struct config_root *root = &config->root;

    assert_non_null(config);
    assert_int_equal(root->port.mtu, 1500);
    assert_int_equal(root->cores.count, 1);
    assert_int_equal(root->cores.items[0], 0);
    assert_int_equal(root->listeners.count, 1);
    assert_int_equal(root->listeners.items[0].port, 8443);
    assert_true(root->listeners.items[0].tls);
    assert_true(root->listeners.items[0].clients.any);
    assert_int_equal(root->verify.mode, VERIFY_ENFORCED);
    assert_int_equal(root->verify.revoke_grace, 30000000);
    assert_int_equal(root->admin.mode, 0660);
    assert_int_equal(root->tcp.port_min, 30000); /* S15 */
    assert_int_equal(root->tcp.port_max, 35999);
    assert_null(root->allow_list);
    assert_null(root->tls.ciphers.origins);
    config_free(config);
    problems_free(&problems);
}

/* What is required is absent then, everything else as when its line is missing. */
static void test_defaults_without_a_file(void **state)
{
    struct config *config = config_defaults("the defaults");

    assert_non_null(config);
    assert_string_equal(config->file, "the defaults");
    assert_null(config->root.port.device);
    assert_int_equal(config->root.port.address.count, 0);
    assert_int_equal(config->root.listeners.count, 0);
    assert_int_equal(config->root.verify.mode, VERIFY_ENFORCED);
    assert_true(config->root.verify.sha1);
    assert_int_equal(config->root.dns.timeout, 2000000);
    config_free(config);
}

static void test_short_forms(void **state)
{
    struct problems problems = {0};
    struct config *config = parse("port: {device: net_null0, address: [198.18.0.10/15, 198.18.0.11/15]}\n"
                                  "cores: [2, 3]\n"
                                  "listeners:\n"
                                  "- {clients: [10.0.0.0/8, 198.18.0.0/15], address: 198.18.0.11, tls: off}\n"
                                  "client_credentials:\n"
                                  "- {chain: c.pem, key: c.key, origins: [cucm.steven.lab:6972, default]}\n"
                                  "domains: [{name: Steven.Lab, edge_config: \"https://cucm.steven.lab:8443\"}]\n"
                                  "dns: {servers: [198.18.2.53, 198.18.2.54:5353]}\n"
                                  "limits:\n"
                                  "timeouts: ~\n",
                                  &problems);
    const struct config_root *root = &config->root;

    assert_non_null(config);
    assert_int_equal(root->port.address.count, 2);
    assert_int_equal(root->cores.items[1], 3);
    assert_int_equal(root->listeners.items[0].clients.count, 2);
    assert_false(root->listeners.items[0].tls);
    assert_string_equal(root->client_credentials.items[0].origins.items[1].host, "");
    assert_int_equal(root->client_credentials.items[0].origins.items[0].port, 6972);
    assert_string_equal(root->domains.items[0].name, "steven.lab");
    assert_int_equal(root->domains.items[0].edge_config.port, 8443);
    assert_int_equal(root->dns.servers.items[1].port, 5353);
    assert_int_equal(root->limits.fields_max, 100);
    assert_int_equal(config_line(config, &root->listeners.items[0].clients), 4);
    assert_int_equal(config_line(config, &root->cores.items[1]), 2);
    assert_int_equal(config_line(config, &root->via), 0);
    config_free(config);
    problems_free(&problems);
}

static void test_paths_are_relative_to_the_file(void **state)
{
    struct problems problems = {0};
    struct config *config =
        config_parse(slice_text(REST "trust: {directory: t}\nallow_list: /a/b.csv\n"), "/etc/assay/a.yaml", &problems);

    assert_non_null(config);
    assert_string_equal(config->root.trust.directory, "/etc/assay/t");
    assert_string_equal(config->root.allow_list, "/a/b.csv");
    config_free(config);
}

static void test_files(void **state)
{
    struct problems problems = {0};
    struct config *config;

    assert_null(config_load(scratch_path("nowhere.yaml"), &problems));
    scratch_expect(&problems, (const char *const[]){"nowhere.yaml: cannot be read: not found", NULL});
    problems_free(&problems);

    scratch_write("a.yaml", REST "listner: 1\n");
    config = config_load_partial(scratch_path("a.yaml"), &problems);
    assert_non_null(config); /* what could be read */
    assert_int_equal(config->root.listeners.count, 1);
    assert_int_equal(problems.count, 1);
    config_free(config);
    problems_free(&problems);

    scratch_write("a.yaml", "[");
    assert_null(config_load_partial(scratch_path("a.yaml"), &problems));
    problems_free(&problems);

    scratch_write("a.yaml", REST);
    config = config_load(scratch_path("a.yaml"), &problems);
    assert_non_null(config);
    assert_memory_equal(config->text, REST, config->text_length);
    config_free(config);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_faults),
        cmocka_unit_test(test_defaults),
        cmocka_unit_test(test_defaults_without_a_file),
        cmocka_unit_test(test_short_forms),
        cmocka_unit_test(test_paths_are_relative_to_the_file),
        cmocka_unit_test(test_files),
    };

    return cmocka_run_group_tests(tests, scratch_begin, scratch_end);
}
