/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "access/access.h"

struct row {
    bool https;
    const char *host;
    uint16_t port;
    const char *method, *path;
    bool allowed;
};

static struct access_set *set_of(enum access_node_type type, const char *host)
{
    struct access_builder *builder = access_builder_create();
    struct access_set *set;
    const char *fault;

    assert_int_equal(access_builder_add_node(builder, type, slice_text(host), "1", &fault), ASSAY_OK);
    assert_int_equal(access_builder_finish(builder, 1, &set), ASSAY_OK);
    access_builder_free(builder);
    return set;
}

static void check(enum access_node_type type, const char *node, const struct row *rows, size_t count)
{
    struct access_set *set = set_of(type, node);

    for (size_t i = 0; i < count; i++) {
        struct access_request request = {slice_text(rows[i].method), rows[i].https,
                                         slice_text(rows[i].host),   rows[i].port,
                                         slice_text(rows[i].path),   NULL};
        struct access_decision decision;

        access_decide(set, 0, &request, &decision);
        if (decision.allowed != rows[i].allowed)
            fail_msg("%s:%u%s: %s", rows[i].host, rows[i].port, rows[i].path, decision.reason);
    }
    access_set_free(set);
}

static void refuses_bad_hosts(void **state)
{
    struct access_builder *builder = access_builder_create();
    const char *fault;

    assert_int_equal(access_builder_add_node(builder, ACCESS_NODE_CUCM, slice_text("a b"), "1", &fault),
                     ASSAY_ERR_MALFORMED);
    assert_int_equal(access_builder_add_node(builder, ACCESS_NODE_CUCM, slice_text(""), "1", &fault),
                     ASSAY_ERR_MALFORMED);
    /* nothing of a node is left when its deployment is bad */
    assert_int_equal(access_builder_add_node(builder, ACCESS_NODE_CUCM, slice_text("h"), "", &fault),
                     ASSAY_ERR_MALFORMED);
    assert_int_equal(access_builder_add_node(builder, ACCESS_NODE_CUCM, slice_text("h"), "1", &fault), ASSAY_OK);
    access_builder_free(builder);
}

static void cucm(void **state)
{
    static const struct row rows[] = {
        {true, "cucm.steven.lab", 8443, "POST", "/axl/", false},
        {true, "cucm.steven.lab", 443, "POST", "/axl/", false},
        {true, "cucm.steven.lab", 8443, "GET", "/", false},
        {true, "cucm.steven.lab", 8443, "GET", "/ccmadmin/", false},
        {true, "cucm.steven.lab", 8443, "GET", "/cucm-uds", false},
        {true, "cucm.steven.lab", 8443, "GET", "/cucm-udsx/", false},
        {false, "cucm.steven.lab", 8443, "GET", "/cucm-uds/x", false},
        {true, "other.steven.lab", 8443, "GET", "/cucm-uds/x", false},
        {true, "cucm.steven.lab", 22, "GET", "/", false},
        {true, "cucm.steven.lab", 6972, "PUT", "/CSFemusk.cnf.xml", false},
        {true, "cucm.steven.lab", 6970, "GET", "/CSFemusk.cnf.xml", false},
        {true, "cucm.steven.lab", 8443, "GET", "/cucm-uds/user/emusk/devices?max=100", true},
        {true, "cucm.steven.lab", 443, "PUT", "/cucm-uds/options", true},
        {false, "cucm.steven.lab", 6970, "GET", "/CSFemusk.cnf.xml", true},
        {true, "cucm.steven.lab", 6971, "HEAD", "/CSFemusk.cnf.xml", true},
        {true, "cucm.steven.lab", 6972, "GET", "/CSFemusk.cnf.xml", true},
        {true, "cucm.steven.lab", 9444, "GET", "/", true},
    };

    check(ACCESS_NODE_CUCM, "CUCM.steven.lab", rows, sizeof(rows) / sizeof(rows[0]));
}

static void the_others(void **state)
{
    static const struct row tftp[] = {
        {true, "2001:db8::1", 8443, "GET", "/cucm-uds/x", false},
        {true, "2001:db8::1", 6972, "GET", "/a.xml", true},
        {false, "2001:db8::1", 6970, "GET", "/a.xml", true},
    };
    static const struct row imp[] = {
        {true, "10.48.36.216", 8443, "POST", "/axl/", false},
        {true, "10.48.36.216", 8443, "GET", "/", false},
        {true, "10.48.36.216", 8443, "POST", "/EPASSoap/service/v80", true},
        {true, "10.48.36.216", 7336, "GET", "/file", true},
    };
    static const struct row unity[] = {
        {true, "unity", 443, "POST", "/axl/", false},        {true, "unity", 8443, "GET", "/cuadmin/", false},
        {true, "unity", 8443, "GET", "/vmrest/users", true}, {true, "unity", 443, "DELETE", "/vmrest/messages/0", true},
        {false, "unity", 7080, "GET", "/x", true},           {true, "unity", 7443, "POST", "/x", true},
    };

    check(ACCESS_NODE_TFTP, "2001:db8:0::1", tftp, sizeof(tftp) / sizeof(tftp[0]));
    check(ACCESS_NODE_IMP, "10.48.36.216", imp, sizeof(imp) / sizeof(imp[0]));
    check(ACCESS_NODE_UNITY, "unity", unity, sizeof(unity) / sizeof(unity[0]));
}

/* MRA S21: the rule and the words of the log line. */
static void names_its_rule_as_the_log_shows_it(void **state)
{
    struct access_set *set = set_of(ACCESS_NODE_CUCM, "cucm.steven.lab");
    struct access_request request = {
        slice_text("GET"), true, slice_text("cucm.steven.lab"), 8443, slice_text("/cucm-uds/user/emusk/devices"), NULL};
    struct access_decision decision;

    access_decide(set, 0, &request, &decision);
    assert_true(decision.allowed);
    assert_string_equal(decision.reason, "In allow list");
    assert_string_equal(decision.rule->url, "https://cucm.steven.lab:8443/cucm-uds/user/");
    assert_int_equal(decision.rule->match, ACCESS_MATCH_PREFIX);
    assert_int_equal(decision.rule->source, ACCESS_SOURCE_AUTOMATIC);
    assert_string_equal(decision.rule->description, "Automatically generated rule for CUCM server");
    assert_string_equal(decision.rule->deployment, "1");
    assert_int_equal(decision.rule->line, 0);
    access_set_free(set);
}

static void a_node_may_come_twice(void **state)
{
    struct access_builder *builder = access_builder_create();
    struct access_set *set;
    const char *fault;
    size_t count;

    assert_int_equal(access_builder_add_node(builder, ACCESS_NODE_CUCM, slice_text("h"), "1", &fault), ASSAY_OK);
    assert_int_equal(access_builder_finish(builder, 1, &set), ASSAY_OK);
    count = access_set_count(set);
    access_set_free(set);
    assert_int_equal(access_builder_add_node(builder, ACCESS_NODE_TFTP, slice_text("H"), "1", &fault), ASSAY_OK);
    assert_int_equal(access_builder_finish(builder, 1, &set), ASSAY_OK);
    assert_int_equal(access_set_count(set), count);
    access_set_free(set);
    access_builder_free(builder);
}

/* The https ports of its rules, each once: what a probe of the node asks. */
static void https_ports(void **state)
{
    static const struct {
        enum access_node_type type;
        size_t count;
        uint16_t ports[5];
    } cases[] = {
        {ACCESS_NODE_CUCM, 5, {8443, 443, 6971, 6972, 9444}},
        {ACCESS_NODE_TFTP, 2, {6971, 6972}},
        {ACCESS_NODE_IMP, 2, {8443, 7336}},
        {ACCESS_NODE_UNITY, 3, {8443, 443, 7443}},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        uint16_t ports[8] = {0};

        assert_int_equal(access_node_https_ports(cases[i].type, ports, 8), cases[i].count);
        assert_memory_equal(ports, cases[i].ports, cases[i].count * sizeof(ports[0]));
        ports[1] = 0;
        assert_int_equal(access_node_https_ports(cases[i].type, ports, 1), cases[i].count);
        assert_int_equal(ports[1], 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(refuses_bad_hosts),
        cmocka_unit_test(cucm),
        cmocka_unit_test(the_others),
        cmocka_unit_test(names_its_rule_as_the_log_shows_it),
        cmocka_unit_test(a_node_may_come_twice),
        cmocka_unit_test(https_ports),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
