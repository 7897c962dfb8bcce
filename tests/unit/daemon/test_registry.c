/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/byte_ring.h"
#include "forge.h"
#include "sightings.h"

#define NOW  FORGE_NOW
#define NODE "cucm.steven.lab"

static const struct registry_limits roomy = {100, 1 << 20, 86400};

static struct slice leaf(const char *name, enum forge_kind kind, unsigned index)
{
    return forge_certificate(&(struct forge){.subject = name, .key = forge_key(kind, index)});
}

static void what_is_no_record_is_counted(void **state)
{
    struct registry *registry = registry_create(&roomy);
    struct slice certificates[] = {leaf(NODE, FORGE_P256, 1)};
    struct slice good = sighting_bytes(&(struct sighting){NODE, 8443, certificates, 1, .at_s = NOW});
    uint8_t bytes[8192];
    struct chain_record *head = (struct chain_record *)(void *)bytes;

    memcpy(bytes, good.data, good.len);
    for (size_t len = 0; len < good.len; len++)
        assert_null(registry_take(registry, slice_of(bytes, len)));
    assert_null(registry_take(registry, slice_of(bytes, good.len + 1)));
    head->certificate_count = CHAIN_RECORD_CERTIFICATES + 1;
    assert_null(registry_take(registry, slice_of(bytes, good.len)));
    head->certificate_count = 1;
    head->certificate_length[0] = UINT32_MAX;
    assert_null(registry_take(registry, slice_of(bytes, good.len)));
    assert_int_equal(registry_stats(registry)->malformed, good.len + 3);
    assert_int_equal(registry_count(registry), 0);
    registry_free(registry);
}

static void an_entry_is_a_chain_of_an_origin(void **state)
{
    struct registry *registry = registry_create(&roomy);
    struct slice one[] = {leaf(NODE, FORGE_P256, 1)}, other[] = {leaf(NODE, FORGE_P256, 2)};
    struct registry_entry *entry;

    /* in few bytes, about one that never came whole */
    assert_null(sighting_take(registry, &(struct sighting){NODE, 8443, one, 1, .brief = true, .at_s = NOW}));
    assert_int_equal(registry_stats(registry)->unknown, 1);
    entry = sighting_take(
        registry, &(struct sighting){NODE, 8443, one, 1, .at_s = NOW, .epoch = 3, .chain_reason = X509_REASON_EXPIRED});
    assert_non_null(entry);
    assert_ptr_equal(sighting_take(registry, &(struct sighting){NODE, 8443, one, 1, .brief = true, .at_s = NOW + 5}),
                     entry);
    assert_ptr_equal(sighting_take(registry, &(struct sighting){NODE, 8443, one, 1, .in_use = true, .at_s = NOW + 9}),
                     entry);
    assert_int_equal(entry->handshakes, 2);
    assert_int_equal(entry->first_ns / 1000000000, NOW);
    assert_int_equal(entry->shown_ns / 1000000000, NOW + 5);
    assert_int_equal(entry->last_ns / 1000000000, NOW + 9);
    assert_int_equal(entry->seen_epoch, 3); /* a record without a verdict says nothing about it */
    assert_int_equal(entry->seen_chain_reason, X509_REASON_EXPIRED);
    assert_true(entry->leaf_parsed);
    /* another port, another chain, another host */
    sighting_take(registry, &(struct sighting){NODE, 6972, one, 1, .at_s = NOW});
    sighting_take(registry, &(struct sighting){NODE, 8443, other, 1, .at_s = NOW});
    sighting_take(registry, &(struct sighting){"imp.steven.lab", 8443, one, 1, .at_s = NOW});
    assert_int_equal(registry_count(registry), 4);
    assert_ptr_equal(registry_first(registry), entry);
    assert_null(sighting_take(registry, &(struct sighting){"no host!", 8443, one, 1, .at_s = NOW}));
    assert_int_equal(registry_count(registry), 4);
    registry_free(registry);
}

/* What was not seen for longest goes first, by number and by bytes; what is old goes by itself. */
static void it_is_bounded(void **state)
{
    struct registry_limits limits = {3, 1 << 20, 100};
    struct registry *registry = registry_create(&limits);
    struct slice chain[] = {leaf(NODE, FORGE_P256, 1)};
    struct registry_entry *entry;
    char host[32];

    for (unsigned i = 0; i < 5; i++) {
        snprintf(host, sizeof(host), "node%u.steven.lab", i);
        sighting_take(registry, &(struct sighting){host, 8443, chain, 1, .at_s = NOW + i});
        /* the first one stays in use */
        sighting_take(registry,
                      &(struct sighting){"node0.steven.lab", 8443, chain, 1, .in_use = true, .at_s = NOW + i});
    }
    assert_int_equal(registry_count(registry), 3);
    assert_int_equal(registry_stats(registry)->evicted, 2);
    assert_non_null(registry_of_origin(registry, "node0.steven.lab", 8443, NULL));
    assert_null(registry_of_origin(registry, "node1.steven.lab", 8443, NULL));
    limits.bytes = registry_bytes(registry) / 3;
    registry_set_limits(registry, &limits);
    assert_int_equal(registry_count(registry), 1);
    entry = registry_first(registry);
    assert_string_equal(entry->host, "node0.steven.lab");
    registry_age(registry, NOW + 4 + 100);
    assert_int_equal(registry_count(registry), 1);
    registry_age(registry, NOW + 4 + 101);
    assert_int_equal(registry_count(registry), 0);
    assert_int_equal(registry_bytes(registry), 0);
    assert_int_equal(registry_stats(registry)->aged, 1);
    limits.bytes = 10;
    registry_set_limits(registry, &limits);
    assert_null(sighting_take(registry, &(struct sighting){NODE, 8443, chain, 1, .at_s = NOW}));
    registry_free(registry);
}

static void a_renewed_certificate_supersedes_the_old_one(void **state)
{
    struct registry *registry = registry_create(&roomy);
    struct slice old[] = {leaf(NODE, FORGE_P256, 1)}, new[] = {leaf(NODE, FORGE_P256, 2)};
    struct slice rsa[] = {leaf(NODE, FORGE_RSA2048, 1)};
    struct registry_entry *entry = sighting_take(registry, &(struct sighting){NODE, 8443, old, 1, .at_s = NOW}), *later;

    /* the other type of key, another port, another address: beside it */
    sighting_take(registry, &(struct sighting){NODE, 8443, rsa, 1, .at_s = NOW + 1});
    sighting_take(registry, &(struct sighting){NODE, 6972, new, 1, .at_s = NOW + 1});
    later = sighting_take(registry, &(struct sighting){NODE, 8443, new, 1, .at_s = NOW + 1, .address = "198.18.2.12"});
    assert_false(registry_superseded(registry, entry));
    sighting_take(registry, &(struct sighting){NODE, 8443, new, 1, .at_s = NOW + 2});
    assert_true(registry_superseded(registry, entry));
    /* a connection of old is still in use: a new one would get the other certificate */
    sighting_take(registry, &(struct sighting){NODE, 8443, old, 1, .in_use = true, .at_s = NOW + 3});
    assert_true(registry_superseded(registry, entry));
    assert_false(registry_superseded(registry, later));
    /* shown again: two nodes take turns */
    sighting_take(registry, &(struct sighting){NODE, 8443, old, 1, .at_s = NOW + 4});
    assert_false(registry_superseded(registry, entry));
    registry_free(registry);
}

/* Another stapled response is no other chain: the entry has the last one, and is judged again. */
static void the_last_staple_counts(void **state)
{
    struct registry *registry = registry_create(&roomy);
    struct slice chain[] = {leaf(NODE, FORGE_P256, 1)};
    struct registry_entry *entry = sighting_take(registry, &(struct sighting){NODE, 8443, chain, 1, .at_s = NOW});
    uint64_t bytes = registry_bytes(registry);

    entry->judged.epoch = 1;
    assert_ptr_equal(sighting_take(registry, &(struct sighting){NODE, 8443, chain, 1, .at_s = NOW + 1}), entry);
    assert_int_equal(entry->judged.epoch, 1);
    assert_ptr_equal(
        sighting_take(registry, &(struct sighting){NODE, 8443, chain, 1, .at_s = NOW + 2, .staple = slice_text("one")}),
        entry);
    assert_int_equal(entry->judged.epoch, 0);
    assert_true(slice_equal(x509_chain_staple(entry->chain), slice_text("one")));
    assert_memory_equal(x509_chain_digests(entry->chain), &entry->digest, sizeof(entry->digest));
    assert_int_equal(registry_bytes(registry), bytes + 3);
    assert_ptr_equal(sighting_take(registry, &(struct sighting){NODE, 8443, chain, 1, .at_s = NOW + 3}), entry);
    assert_int_equal(registry_bytes(registry), bytes);
    assert_int_equal(entry->shown_count, 1);
    assert_int_equal(entry->handshakes, 4);
    registry_free(registry);
}

static void rings_are_emptied_in_pieces(void **state)
{
    struct registry *registry = registry_create(&roomy);
    struct slice chain[] = {leaf(NODE, FORGE_P256, 1)};
    struct byte_ring *ring;

    assert_int_equal(byte_ring_create(1 << 16, &ring), ASSAY_OK);
    for (unsigned i = 0; i < 5; i++) {
        struct slice bytes = sighting_bytes(&(struct sighting){NODE, 8443, chain, 1, .at_s = NOW + i});
        void *to = byte_ring_reserve(ring, bytes.len);

        assert_non_null(to);
        memcpy(to, bytes.data, bytes.len);
        byte_ring_commit(ring, bytes.len);
    }
    assert_int_equal(registry_drain(registry, ring, 3), 3);
    assert_int_equal(registry_drain(registry, ring, 3), 2);
    assert_int_equal(registry_drain(registry, ring, 3), 0);
    assert_int_equal(registry_first(registry)->handshakes, 5);
    byte_ring_destroy(ring);
    registry_free(registry);
}

static void failures_are_remembered(void **state)
{
    struct registry *registry = registry_create(&roomy);
    struct slice chain[] = {leaf(NODE, FORGE_P256, 1)};
    struct registry_entry *entry = sighting_take(registry, &(struct sighting){NODE, 8443, chain, 1, .at_s = NOW});

    registry_note_failures(entry, X509_REASON_EXPIRED, 1, 3);
    registry_note_failures(entry, X509_REASON_SELF_SIGNED_LEAF, 0, 1);
    assert_int_equal(entry->failures, 4);
    assert_int_equal(entry->failed_reason, X509_REASON_SELF_SIGNED_LEAF);
    assert_int_equal(entry->failed_ns, entry->last_ns);
    registry_free(registry);
}

static int end(void **state)
{
    forge_free();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_no_record_is_counted),
        cmocka_unit_test(an_entry_is_a_chain_of_an_origin),
        cmocka_unit_test(it_is_bounded),
        cmocka_unit_test(a_renewed_certificate_supersedes_the_old_one),
        cmocka_unit_test(the_last_staple_counts),
        cmocka_unit_test(rings_are_emptied_in_pieces),
        cmocka_unit_test(failures_are_remembered),
    };

    return cmocka_run_group_tests(tests, NULL, end);
}
