/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "daemon/sections.h"
#include "forge.h"
#include "scratch.h"

static int begin(void **state)
{
    struct forge other = {
        .subject = "other",
        .key = forge_key(FORGE_P256, 1),
        .extensions = {forge_san(forge_join(forge_dns("*.Branch.lab"), forge_dns("vcs.steven.lab")))}};

    if (scratch_begin(state) != 0)
        return -1;
    scratch_good();
    SCRATCH_PEM("other.pem", forge_certificate(&other));
    scratch_key("other.key", other.key);
    return 0;
}

static struct section *build(const char *text, struct credential_cache *cache, const struct tls_ticket_keys *keys,
                             struct problems *problems)
{
    struct config *config;
    struct text yaml = {0};
    struct section *section;

    text_printf(&yaml, "port: {device: net_null0, address: 198.18.0.10/15}\nlisteners: [{clients: any}]\n%s", text);
    config = config_parse(text_slice(&yaml), scratch_path("c.yaml"), problems);
    assert_non_null(config);
    section = section_build_credentials(config, 1, cache, keys, FORGE_NOW, problems);
    config_free(config);
    text_free(&yaml);
    return section;
}

#define BOTH \
    "credentials:\n- {chain: server.pem, key: server.key}\n- {chain: other.pem, key: other.key, name: second}\n"

static void test_what_is_refused(void **state)
{
    static const struct {
        const char *text, *expected;
    } cases[] = {
        {"client_credentials:\n- {chain: server.pem, key: server.key}\n- {chain: other.pem, key: other.key}\n",
         "c.yaml:5: client_credentials: a second one for default"},
        {"client_credentials:\n- {chain: server.pem, key: server.key, origins: [a:1, a:2]}\n"
         "- {chain: other.pem, key: other.key, origins: a:2}\n",
         "c.yaml:4: client_credentials: two for a port 2"},
        {"credentials:\n- {chain: server.pem, key: other.key}\n", "c.yaml:4: "},
    };
    struct credential_cache cache = {0};

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct problems problems = {0};

        assert_null(build(cases[i].text, &cache, NULL, &problems));
        assert_int_equal(problems.count, 1);
        if (strstr(problems.items[0], cases[i].expected) == NULL)
            fail_msg("'%s', expected '%s'", problems.items[0], cases[i].expected);
        problems_free(&problems);
    }
    assert_int_equal(credentials_reap(&cache), 0);
    assert_int_equal(credentials_count(&cache), 0); /* nothing is left of them */
}

static void test_names_come_from_certificates(void **state)
{
    struct credential_cache cache = {0};
    struct problems problems = {0};
    struct section *section = build(BOTH, &cache, NULL, &problems);
    const struct credential_section *c = &section->data.credentials;

    assert_non_null(section);
    assert_string_equal(c->server_default->name, "server.pem");
    assert_int_equal(c->server_name_count, 2);
    assert_string_equal(c->server_names[0].name, "*.branch.lab");
    assert_string_equal(c->server_names[0].credential->name, "second");
    assert_string_equal(c->server_names[1].name, "vcs.steven.lab");
    assert_ptr_equal(c->server_names[1].credential, c->server_default); /* the first keeps a name both have */
    assert_string_equal(c->client_default->name, "none");
    assert_null(c->ticket_keys);
    section_drop(section);
    credentials_free(&cache);
}

static void test_names_come_from_the_file(void **state)
{
    struct credential_cache cache = {0};
    struct problems problems = {0};
    struct section *section =
        build("credentials: [{chain: other.pem, key: other.key, names: [Edge.steven.lab, \"*.x.lab\"]}]\n", &cache,
              NULL, &problems);

    assert_non_null(section);
    assert_int_equal(section->data.credentials.server_name_count, 2);
    assert_string_equal(section->data.credentials.server_names[1].name, "edge.steven.lab");
    section_drop(section);
    credentials_free(&cache);
}

static void test_client_credentials(void **state)
{
    struct credential_cache cache = {0};
    struct problems problems = {0};
    struct section *section =
        build("client_credentials:\n"
              "- {chain: server.pem, key: server.key, name: most}\n"
              "- {chain: other.pem, key: other.key, name: few, origins: [b.lab, \"b.lab:2\", a.lab]}\n",
              &cache, NULL, &problems);
    const struct credential_section *c = &section->data.credentials;

    assert_non_null(section);
    assert_string_equal(c->client_default->name, "most");
    assert_null(c->server_default);
    assert_int_equal(c->client_origin_count, 3);
    assert_string_equal(c->client_origins[0].host, "a.lab");
    assert_int_equal(c->client_origins[1].port, 0);
    assert_int_equal(c->client_origins[2].port, 2);
    section_drop(section);
    credentials_free(&cache);
}

static void test_ticket_keys(void **state)
{
    struct tls_ticket_keys keys = {.count = 1, .keys = {{.name = {1}, .secret = {2}}}};
    struct credential_cache cache = {0};
    struct problems problems = {0};
    struct section *first = build(BOTH, &cache, &keys, &problems), *again = build(BOTH, &cache, &keys, &problems),
                   *next;

    assert_non_null(first->data.credentials.ticket_keys);
    assert_memory_equal(first->data.credentials.ticket_keys, &keys, sizeof(keys));
    assert_true(slice_equal(text_slice(&first->content), text_slice(&again->content)));
    keys.keys[0].name[0] = 9; /* rotated */
    next = build(BOTH, &cache, &keys, &problems);
    assert_false(slice_equal(text_slice(&first->content), text_slice(&next->content)));
    assert_ptr_equal(first->data.credentials.server_default, next->data.credentials.server_default);
    section_drop(first);
    section_drop(again);
    section_drop(next);
    next = build("tls: {ticket_lifetime: 0s}\n" BOTH, &cache, &keys, &problems);
    assert_null(next->data.credentials.ticket_keys);
    section_drop(next);
    credentials_free(&cache);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_is_refused),
        cmocka_unit_test(test_names_come_from_certificates),
        cmocka_unit_test(test_names_come_from_the_file),
        cmocka_unit_test(test_client_credentials),
        cmocka_unit_test(test_ticket_keys),
    };

    return cmocka_run_group_tests(tests, begin, scratch_end);
}
