/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "daemon/credentials.h"
#include "forge.h"
#include "scratch.h"

static int begin(void **state)
{
    struct forge other = {.subject = "other.steven.lab",
                          .key = forge_key(FORGE_P256, 1),
                          .extensions = {forge_san(forge_dns("other.steven.lab"))}};

    if (scratch_begin(state) != 0)
        return -1;
    scratch_good();
    SCRATCH_PEM("other.pem", forge_certificate(&other));
    scratch_key("other.key", other.key);
    scratch_write("empty.pem", "");
    return 0;
}

static struct credential_request request(const char *chain, const char *key)
{
    return (struct credential_request){.side = CREDENTIAL_TOWARD_CLIENTS,
                                       .name = "edge",
                                       .chain_file = scratch_path(chain),
                                       .key_file = scratch_path(key),
                                       .version_min = TLS_VERSION_1_2,
                                       .ticket_lifetime_s = 3600,
                                       .where = "a.yaml",
                                       .line = 5};
}

static void test_files_that_are_refused(void **state)
{
    static const struct {
        const char *chain, *key;
    } cases[] = {{"nowhere.pem", "server.key"}, {"server.pem", "nowhere.key"}, {"empty.pem", "server.key"},
                 {"server.key", "server.key"},  {"server.pem", "server.pem"},  {"server.pem", "other.key"}};
    struct credential_cache cache = {0};

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct credential_request wrong = request(cases[i].chain, cases[i].key);
        struct problems problems = {0};

        assert_null(credentials_get(&cache, &wrong, 1, FORGE_NOW, &problems));
        assert_int_equal(problems.count, 1);
        assert_memory_equal(problems.items[0], "a.yaml:5: ", 10);
        problems_free(&problems);
    }
    {
        struct credential_request wrong = request("server.pem", "server.key");
        struct problems problems = {0};

        wrong.ciphers = "NO-SUCH-CIPHER";
        assert_null(credentials_get(&cache, &wrong, 1, FORGE_NOW, &problems));
        assert_int_equal(problems.count, 1);
        problems_free(&problems);
    }
    assert_int_equal(credentials_count(&cache), 0);
}

static void test_same_material_same_credential(void **state)
{
    struct credential_request first = request("server.pem", "server.key"), second = request("other.pem", "other.key");
    struct credential_cache cache = {0};
    struct problems problems = {0};
    struct credential *a = credentials_get(&cache, &first, 2, FORGE_NOW, &problems);
    struct credential *b = credentials_get(&cache, &first, 2, FORGE_NOW, &problems);
    struct credential *c = credentials_get(&cache, &second, 2, FORGE_NOW, &problems);
    struct credential *d;

    assert_non_null(a);
    assert_ptr_equal(a, b);
    assert_ptr_not_equal(a, c);
    assert_int_not_equal(a->tls.id, c->tls.id);
    assert_non_null(a->tls.contexts[0]);
    assert_non_null(a->tls.contexts[1]);
    assert_null(a->tls.contexts[2]);
    first.ticket_lifetime_s = 7200; /* another context */
    d = credentials_get(&cache, &first, 2, FORGE_NOW, &problems);
    assert_ptr_not_equal(a, d);
    assert_int_equal(problems.count, 0);
    assert_int_equal(credentials_count(&cache), 3);
    credentials_free(&cache);
}

/* Freed when no section names it and no core has a connection with it. */
static void test_reaping_waits_for_connections(void **state)
{
    struct credential_request wanted = request("server.pem", "server.key");
    struct credential_cache cache = {0};
    struct problems problems = {0};
    struct credential *credential = credentials_get(&cache, &wanted, 2, FORGE_NOW, &problems);

    assert_non_null(credential);
    assert_int_equal(credentials_reap(&cache), 0);
    assert_int_equal(credentials_count(&cache), 1); /* named */
    atomic_store(&credential->tls.users[1], 1);
    credentials_drop(credential);
    assert_int_equal(credentials_reap(&cache), 1);
    assert_int_equal(credentials_count(&cache), 1);                                          /* used */
    assert_ptr_equal(credentials_get(&cache, &wanted, 2, FORGE_NOW, &problems), credential); /* and wanted again */
    credentials_drop(credential);
    atomic_store(&credential->tls.users[1], 0);
    assert_int_equal(credentials_reap(&cache), 0);
    assert_int_equal(credentials_count(&cache), 0);
}

static void test_toward_origins_without_a_certificate(void **state)
{
    struct credential_request none = {
        .side = CREDENTIAL_TOWARD_ORIGINS, .name = "none", .version_min = TLS_VERSION_1_2, .where = "a.yaml"};
    struct credential_cache cache = {0};
    struct problems problems = {0};
    struct credential *credential = credentials_get(&cache, &none, 1, FORGE_NOW, &problems);

    assert_non_null(credential);
    assert_null(credential->leaf_der);
    credentials_free(&cache);
}

static void test_an_expired_one_is_a_warning(void **state)
{
    struct credential_request wanted = request("server.pem", "server.key");
    struct credential_cache cache = {0};
    struct problems problems = {0};

    assert_non_null(credentials_get(&cache, &wanted, 1, FORGE_NOW + 3 * FORGE_YEAR, &problems));
    assert_int_equal(problems.count, 0);
    assert_int_equal(problems.warning_count, 1);
    problems_free(&problems);
    credentials_free(&cache);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_files_that_are_refused),
        cmocka_unit_test(test_same_material_same_credential),
        cmocka_unit_test(test_reaping_waits_for_connections),
        cmocka_unit_test(test_toward_origins_without_a_certificate),
        cmocka_unit_test(test_an_expired_one_is_a_warning),
    };

    return cmocka_run_group_tests(tests, begin, scratch_end);
}
