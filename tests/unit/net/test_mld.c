/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "fixture.h"

#include "net/mld.h"

static void reads_queries(void **state)
{
    static const struct {
        uint16_t code;
        uint32_t ms;
    } rows[] = {{0, 0}, {10000, 10000}, {0x7fff, 0x7fff}, {0x8000, 32768}, {0x8001, 32776}, {0xffff, 8387584}};
    uint8_t message[MLD_QUERY_BYTES + 4] = {MLD_QUERY, [8] = 0xff, 0x02, [23] = 0x16};
    struct assay_address group = ip6("ff02::16");
    struct mld_query query;

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        write_be16(message + 4, rows[i].code);
        assert_true(mld_read_query(slice_of(message, sizeof(message)), &query));
        assert_int_equal(query.delay_max_ms, rows[i].ms);
        assert_true(address_equal(&query.group, &group));
    }
    for (size_t len = 0; len < MLD_QUERY_BYTES; len++) {
        uint8_t *exact = malloc(len + 1);

        memcpy(exact, message, len);
        assert_false(mld_read_query(slice_of(exact, len), &query));
        free(exact);
    }
    message[1] = 1;
    assert_false(mld_read_query(slice_of(message, sizeof(message)), &query));
    message[1] = 0;
    message[0] = MLD_REPORT;
    assert_false(mld_read_query(slice_of(message, sizeof(message)), &query));
}

static void writes_reports(void **state)
{
    struct assay_address groups[MLD_RECORDS_MAX] = {ip6("ff02::1:ff00:10"), ip6("ff02::1:ff00:11")};
    uint8_t out[IP6_MTU_MIN];

    assert_int_equal(mld_write_report(out, groups, 2, MLD_BECAME_MEMBER), 8 + 8 + 40);
    assert_memory_equal(out, ((uint8_t[]){58, 0, 5, 2, 0, 0, 1, 0, 143, 0, 0, 0, 0, 0, 0, 2, 4, 0, 0, 0}), 20);
    assert_memory_equal(out + 20, groups[0].bytes, 16);
    assert_memory_equal(out + 36, ((uint8_t[]){4, 0, 0, 0}), 4);
    assert_memory_equal(out + 40, groups[1].bytes, 16);
    assert_true(mld_write_report(out, groups, MLD_RECORDS_MAX, MLD_IS_MEMBER) + IP6_BYTES <= IP6_MTU_MIN);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_queries),
        cmocka_unit_test(writes_reports),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
