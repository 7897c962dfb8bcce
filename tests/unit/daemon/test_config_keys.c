/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "daemon/config_table.h"
#include "scratch.h"

static void test_every_default_is_valid(void **state)
{
    struct arena arena = {0};
    const struct config_value_context context = {&arena, ""};

    for (size_t i = 0; i < config_key_count; i++) {
        const struct config_key *key = &config_keys[i];
        union {
            uint64_t number;
            char room[64];
        } field = {0};
        const char *fault;

        assert_true(key->min <= key->max);
        assert_true(strlen(key->help) > 5);
        assert_int_equal(key->kind == CONFIG_WORD, key->words != NULL);
        if (key->initial == NULL)
            continue;
        fault = config_value_parse(&context, key, key->initial, &field);
        if (fault != NULL)
            fail_msg("%s: %s", key->name, fault);
        assert_int_equal(key->need, CONFIG_OPTIONAL);
    }
    arena_free(&arena);
}

static void test_every_key_once(void **state)
{
    for (size_t i = 0; i < config_key_count; i++)
        for (size_t k = 0; k < i; k++)
            assert_false(config_keys[i].group == config_keys[k].group &&
                         strcmp(config_keys[i].name, config_keys[k].name) == 0);
}

/* docs/configuration.md holds exactly what the table prints, between its introduction and what follows. */
static void test_reference_is_current(void **state)
{
    static const char begin[] = "<!-- assayctl check --keys -->\n", end[] = "<!-- end -->\n";
    struct text keys = {0}, page = {0};
    const char *from, *to;

    config_print_keys(&keys);
    assert_int_equal(text_read_file(&page, ASSAY_DOCS "/configuration.md", 1 << 20), ASSAY_OK);
    from = strstr(text_get(&page), begin);
    to = strstr(text_get(&page), end);
    assert_non_null(from);
    assert_non_null(to);
    from += strlen(begin);
    if (!slice_equal(slice_of(from, (size_t)(to - from)), text_slice(&keys)))
        fail_msg("docs/configuration.md is not what `assayctl check --keys` prints");
    text_free(&keys);
    text_free(&page);
}

/* A change that a reload cannot make is named. */
static void test_restart_keys(void **state)
{
    static const struct {
        const char *more, *keys;
    } cases[] = {
        {"", ""},
        {"limits: {head_max: 8KiB}\n", ""},
        {"maintenance: on\n", ""},
        {"cores: [0, 1]\n", "cores"},
        {"memory: {size: 1GiB, heap: 512MiB}\ntcp: {sack: off}\n", "memory.size, memory.heap, tcp.sack"},
        {"user: nobody\neal: [-n, 4]\n", "eal, user"},
        {"limits: {clients_max: 5, head_max: 8KiB}\n", "limits.clients_max"},
    };
    struct config *running = scratch_config("");

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct config *next = scratch_config(cases[i].more);
        struct text keys = {0};

        config_restart_keys(running, next, &keys);
        assert_string_equal(text_get(&keys), cases[i].keys);
        text_free(&keys);
        config_free(next);
    }
    config_free(running);
}

static void test_equality(void **state)
{
    static const char *const different[] = {
        "cores: 1\n",
        "allow_list: a.csv\n",
        "domains: [{name: a.lab}]\n",
        "domains: [{name: a.lab, edge_config: \"https://b\"}]\n",
        "dns: {servers: 198.18.2.53}\n",
        "dns: {hosts: [{name: a, addresses: 198.18.0.1}]}\n",
        "client_credentials: [{chain: a, key: b}]\n",
        "client_credentials: [{chain: a, key: b, origins: c}]\n",
        "verify: {mode: permissive}\n",
        "eal: a\n",
        "memory: {hugepages: on}\n",
    };
    size_t count = sizeof(different) / sizeof(different[0]);
    struct config *base = scratch_config("");

    for (size_t i = 0; i < count; i++) {
        struct config *a = scratch_config(different[i]), *b = scratch_config(different[i]);

        assert_true(config_group_equal(CONFIG_GROUP_root, &a->root, &b->root));
        assert_false(config_group_equal(CONFIG_GROUP_root, &a->root, &base->root));
        b->root.listeners.items[0].clients.any = true;
        assert_false(config_group_equal(CONFIG_GROUP_root, &a->root, &b->root));
        config_free(a);
        config_free(b);
    }
    config_free(base);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_default_is_valid),
        cmocka_unit_test(test_every_key_once),
        cmocka_unit_test(test_reference_is_current),
        cmocka_unit_test(test_restart_keys),
        cmocka_unit_test(test_equality),
    };

    return cmocka_run_group_tests(tests, scratch_begin, scratch_end);
}
