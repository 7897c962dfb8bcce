/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include <string.h>

#include "probe/nodes.h"

static void test_bad_lines(void **state)
{
    static const char *const lines[] = {
        "a..b",         "-a",         "a b c",         "host cucm 8443 more", "host 0",
        "host 65536",   "host 8443,", "host ,8443",    "host 8443,,1",        "host cucm cucm",
        "host +443",    "host 08443", "1.2.3",         "[2001:db8::1",        "2001:db8::g",
        "host\xc3\xa9", "host:8443",  "host nonsense", "host 8443 cucm",
    };

    for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
        struct probe_nodes_reader reader;
        struct probe_node node;
        const char *fault = NULL;

        probe_nodes_begin(&reader, slice_text(lines[i]));
        assert_int_equal(probe_nodes_next(&reader, &node, &fault), ASSAY_ERR_MALFORMED);
        assert_non_null(fault);
        assert_int_equal(reader.line, 1);
        assert_int_equal(probe_nodes_next(&reader, &node, &fault), ASSAY_ERR_NOT_FOUND);
    }
}

static void test_lines(void **state)
{
    static const char text[] = "\n# a comment\r\nCUCM.Steven.lab\tcucm\r\n  198.18.2.11 8443,6972,8443 # twice\n"
                               "[2001:DB8::1] Unity 7443\nbad..name\n::ffff:198.18.2.12\n\n";
    static const struct {
        const char *host;
        int type;
        size_t ports;
        uint16_t first;
        size_t line;
    } expected[] = {
        {"cucm.steven.lab", 0, 0, 0, 3}, {"198.18.2.11", -1, 2, 8443, 4},
        {"2001:db8::1", 2, 1, 7443, 5},  {NULL, 0, 0, 0, 6},
        {"198.18.2.12", -1, 0, 0, 7},
    };
    struct probe_nodes_reader reader;
    struct probe_node node;
    const char *fault;

    probe_nodes_begin(&reader, slice_text(text));
    for (size_t i = 0; i < sizeof(expected) / sizeof(expected[0]); i++) {
        enum assay_error error = probe_nodes_next(&reader, &node, &fault);

        assert_int_equal(error, expected[i].host != NULL ? ASSAY_OK : ASSAY_ERR_MALFORMED);
        assert_int_equal(reader.line, expected[i].line);
        if (error != ASSAY_OK)
            continue;
        assert_null(fault);
        assert_string_equal(node.host, expected[i].host);
        assert_int_equal(node.type, expected[i].type);
        assert_int_equal(node.ports.count, expected[i].ports);
        assert_int_equal(node.ports.ports[0], expected[i].first);
    }
    assert_int_equal(probe_nodes_next(&reader, &node, &fault), ASSAY_ERR_NOT_FOUND);
}

static void test_ports(void **state)
{
    struct probe_ports ports;
    char text[512] = "";

    assert_int_equal(probe_ports_parse(slice_text(""), &ports), ASSAY_ERR_MALFORMED);
    assert_int_equal(probe_ports_parse(slice_text(","), &ports), ASSAY_ERR_MALFORMED);
    assert_int_equal(probe_ports_parse(slice_text("1,2 "), &ports), ASSAY_ERR_MALFORMED);
    assert_int_equal(probe_ports_parse(slice_text("443,443,8443"), &ports), ASSAY_OK);
    assert_int_equal(ports.count, 2);
    assert_int_equal(ports.ports[1], 8443);
    for (int i = 1; i <= PROBE_PORTS_MAX; i++)
        snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s%d", i > 1 ? "," : "", i);
    assert_int_equal(probe_ports_parse(slice_text(text), &ports), ASSAY_OK);
    assert_int_equal(ports.count, PROBE_PORTS_MAX);
    strcat(text, ",9999");
    assert_int_equal(probe_ports_parse(slice_text(text), &ports), ASSAY_ERR_LIMIT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bad_lines),
        cmocka_unit_test(test_lines),
        cmocka_unit_test(test_ports),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
