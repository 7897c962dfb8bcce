/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "daemon/publisher.h"

static void empty_sections(struct section *sections[SECTION_COUNT])
{
    for (int kind = 0; kind < SECTION_COUNT; kind++)
        sections[kind] = section_create((enum section_kind)kind);
}

static void test_publish_replace_reap(void **state)
{
    _Atomic(const struct snapshot *) slot = NULL;
    struct section *sections[SECTION_COUNT], *same[SECTION_COUNT];
    struct publisher publisher;
    struct rcu *rcu;

    assert_int_equal(rcu_create(1, &rcu), ASSAY_OK);
    publisher_init(&publisher, &slot, rcu);
    assert_null(publisher_section(&publisher, SECTION_TRUST));
    empty_sections(sections);
    assert_true(publisher_publish(&publisher, sections));
    assert_int_equal(atomic_load(&slot)->generation, 1);
    assert_ptr_equal(atomic_load(&slot)->trust, &sections[SECTION_TRUST]->data.trust);

    /* the same sections again: nothing is published */
    for (int kind = 0; kind < SECTION_COUNT; kind++)
        same[kind] = section_take(publisher_section(&publisher, (enum section_kind)kind));
    assert_false(publisher_publish(&publisher, same));
    assert_int_equal(publisher.generation, 1);
    assert_int_equal(sections[0]->references, 1);

    assert_true(publisher_replace(&publisher, section_create(SECTION_ROUTE)));
    assert_int_equal(atomic_load(&slot)->generation, 2);
    assert_ptr_equal(atomic_load(&slot)->trust, &sections[SECTION_TRUST]->data.trust); /* shared with the old one */
    assert_int_equal(sections[SECTION_TRUST]->references, 2);
    assert_int_equal(publisher_reap(&publisher), 0); /* no reader is online */
    assert_int_equal(sections[SECTION_TRUST]->references, 1);
    publisher_free(&publisher);
    assert_null(atomic_load(&slot));
    rcu_destroy(rcu);
}

/* What a core may still look at is not freed. */
static void test_an_online_reader_holds_the_old_one(void **state)
{
    _Atomic(const struct snapshot *) slot = NULL;
    struct section *sections[SECTION_COUNT];
    struct publisher publisher;
    struct rcu *rcu;

    assert_int_equal(rcu_create(1, &rcu), ASSAY_OK);
    assert_int_equal(rcu_register(rcu, 0), ASSAY_OK);
    publisher_init(&publisher, &slot, rcu);
    empty_sections(sections);
    publisher_publish(&publisher, sections);
    rcu_online(rcu, 0);
    publisher_replace(&publisher, section_create(SECTION_ROUTE));
    publisher_replace(&publisher, section_create(SECTION_ROUTE));
    assert_int_equal(publisher_reap(&publisher), 2);
    rcu_quiescent(rcu, 0);
    assert_int_equal(publisher_reap(&publisher), 0);
    publisher_replace(&publisher, section_create(SECTION_ROUTE));
    assert_int_equal(publisher_reap(&publisher), 1);
    rcu_offline(rcu, 0);
    assert_int_equal(publisher_reap(&publisher), 0);
    publisher_free(&publisher);
    rcu_unregister(rcu, 0);
    rcu_destroy(rcu);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_publish_replace_reap),
                                       cmocka_unit_test(test_an_online_reader_holds_the_old_one)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
