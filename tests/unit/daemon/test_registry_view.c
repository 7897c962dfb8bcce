/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "daemon/registry_view.h"
#include "forge.h"
#include "running.h"
#include "scratch.h"
#include "sightings.h"

#define NOW  FORGE_NOW
#define NODE "cucm.steven.lab"

static const char *text_of(const json_t *object, const char *member)
{
    const char *text = json_string_value(json_object_get(object, member));

    return text != NULL ? text : "(none)";
}

static void an_entry(void **state)
{
    struct running running;
    struct slice chain[] = {forge_certificate(&(struct forge){.subject = NODE, .key = forge_key(FORGE_P256, 1)}),
                            slice_text("junk")};
    struct registry_entry *entry;
    json_t *json, *row;

    running_start(&running, NOW);
    entry = sighting_take(running.control.registry, &(struct sighting){NODE, 8443, chain, 2, .at_s = NOW, .epoch = 1,
                                                                       .chain_reason = X509_REASON_SELF_SIGNED_LEAF});
    registry_note_failures(entry, X509_REASON_SELF_SIGNED_LEAF, 0, 1);
    json = registry_view(&running.control, NULL, 0, 10);
    assert_int_equal(json_integer_value(json_object_get(json, "count")), 1);
    assert_true(json_is_false(json_object_get(json, "more")));
    row = json_array_get(json_object_get(json, "entries"), 0);
    assert_string_equal(text_of(row, "host"), NODE);
    assert_string_equal(text_of(row, "address"), "198.18.2.11");
    assert_string_equal(text_of(row, "first_seen"), "2023-11-14T22:13:20Z");
    assert_int_equal(json_integer_value(json_object_get(row, "handshakes")), 1);
    assert_true(json_is_false(json_object_get(row, "superseded")));
    assert_true(json_is_false(json_object_get(json_object_get(row, "verdict"), "accepted")));
    assert_string_equal(text_of(json_object_get(row, "verdict"), "error"), "self signed certificate");
    assert_string_equal(text_of(json_object_get(row, "failed"), "reason"), "SELF_SIGNED_LEAF");
    assert_string_equal(text_of(json_array_get(json_object_get(row, "certificates"), 0), "common_name"), NODE);
    assert_string_equal(text_of(json_array_get(json_object_get(row, "certificates"), 1), "malformed"),
                        "not a DER certificate");
    json_decref(json);
    running_stop(&running);
}

static void chosen_by_host_and_port(void **state)
{
    static const struct {
        const char *host;
        uint16_t port;
        size_t max, rows;
        bool more;
    } cases[] = {
        {NULL, 0, 10, 3, false},
        {NULL, 0, 2, 2, true},
        {NODE, 0, 10, 2, false},
        {NODE, 6972, 10, 1, false},
        {"imp.steven.lab", 6972, 10, 0, false},
    };
    struct running running;
    struct slice chain[] = {forge_certificate(&(struct forge){.subject = NODE, .key = forge_key(FORGE_P256, 1)})};

    running_start(&running, NOW);
    sighting_take(running.control.registry, &(struct sighting){NODE, 8443, chain, 1, .at_s = NOW});
    sighting_take(running.control.registry, &(struct sighting){NODE, 6972, chain, 1, .at_s = NOW});
    sighting_take(running.control.registry, &(struct sighting){"imp.steven.lab", 8443, chain, 1, .at_s = NOW});
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        json_t *json = registry_view(&running.control, cases[i].host, cases[i].port, cases[i].max);

        assert_int_equal(json_array_size(json_object_get(json, "entries")), cases[i].rows);
        assert_int_equal(json_is_true(json_object_get(json, "more")), cases[i].more);
        json_decref(json);
    }
    running_stop(&running);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_entry),
        cmocka_unit_test(chosen_by_host_and_port),
    };

    return cmocka_run_group_tests(tests, scratch_begin_good, scratch_end);
}
