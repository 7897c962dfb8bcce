/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Modes, stores and policies of a deployment or an origin (MRA S29), and rules of one deployment: over whole exchanges. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "proxy/internal.h"
#include "world.h"
#include "x509/scope.h"

#define NODE "cucm.steven.lab"

/* Deployment 2 has a scope of its own, [1]; what is set in it after this acts with the next world_publish(). */
static void give_deployment_two_a_scope(struct world *w, struct x509_policy *policy, unsigned trust)
{
    *policy = *w->scopes[0].policy;
    policy->id = w->scopes[0].policy->id + 1;
    w->scopes[1] = (struct trust_scope){.name = "deployment 2", .policy = policy};
    w->deployments[0] = (struct trust_deployment){.number = x509_scope_deployment(slice_text("2")), .scope = 1};
    w->trust.scope_count = 2;
    w->trust.deployment_count = 1;
    world_trust(w, trust);
    w->scopes[1].store = w->scopes[0].store;
}

static struct world_peer *ask_of(struct world *w, struct world_peer *client, const char *domain, unsigned port)
{
    world_forget(client);
    world_request(w, client, "GET", world_path_of(domain, "https", NODE, port, "/x"), "\r\n");
    world_run(w, 20);
    return world_accept(w);
}

static void two_deployments_share_neither_verdicts_nor_connections(void **state)
{
    struct world *w = world_create();
    struct world_peer *client, *one;
    struct x509_policy policy;
    struct world_record line;

    give_deployment_two_a_scope(w, &policy, 0); /* in its store: nothing */
    world_trust(w, WORLD_TRUST_ROOT);           /* in the global one: the root */
    client = world_connect_tls(w, "edge.steven.lab", NULL);
    one = ask_of(w, client, "steven.lab", 8443);
    assert_non_null(one);
    world_forget(one);
    world_answer(w, one, "ok");
    world_expect(client, WORLD_200);
    assert_non_null(ask_of(w, client, "two.lab", 8443));
    world_expect(client, WORLD_502);
    assert_int_equal(one->length, 0);
    assert_int_equal(world_counters(w)->verify_checks, 2);
    assert_int_equal(world_counters(w)->verify_cached, 0);
    assert_int_equal(world_counters(w)->requests_verified, 1);
    assert_int_equal(world_counters(w)->verify_failed_chain, 1);
    assert_int_equal(world_records(w->alarm_log, LOG_VERIFY_FAILED, &line), 1);
    assert_int_equal(line.head.action, LOG_ACTION_TERMINATE);
    assert_string_equal(line.strings[1], "unable to get local issuer certificate");
    /* The first one's pooled connection is as good as before. */
    assert_null(ask_of(w, client, "steven.lab", 8443));
    assert_true(world_starts(one, "GET /x"));
    world_answer(w, one, "ok");
    world_expect(client, WORLD_200);
    assert_int_equal(world_counters(w)->verify_rejudged, 0);
    world_free(w);
}

static void a_session_is_offered_within_its_deployment_only(void **state)
{
    static const char *const domains[] = {"steven.lab", "steven.lab", "two.lab", "two.lab"};
    struct world *w = world_create();
    struct world_peer *client, *origin;
    struct x509_policy policy;

    w->origin_tickets = true;
    give_deployment_two_a_scope(w, &policy, WORLD_TRUST_ROOT);
    client = world_connect_tls(w, "edge.steven.lab", NULL);
    for (size_t i = 0; i < sizeof(domains) / sizeof(domains[0]); i++) {
        origin = ask_of(w, client, domains[i], 8443);
        assert_non_null(origin);
        assert_int_equal(origin->resumed, i % 2 == 1);
        world_send(w, origin, "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
        world_expect(client, WORLD_200);
    }
    world_free(w);
}

static void a_mode_of_one_origin_acts_on_it_alone_and_at_once(void **state)
{
    struct world *w = world_create();
    struct world_peer *client, *origin, *other;
    struct world_record line;
    uint64_t epoch;

    /* Port 6972 is permissive, 8443 is not; nothing is trusted. */
    w->scopes[1] = w->scopes[0];
    w->scopes[1].mode = VERIFY_PERMISSIVE;
    w->trust_origins[0] = (struct trust_origin){.host = NODE, .port = 6972, .scope = 1};
    w->trust.scope_count = 2;
    w->trust.origin_count = 1;
    w->trust.revision++;
    world_publish(w);
    epoch = w->trust.epoch;
    client = world_connect_tls(w, "edge.steven.lab", NULL);
    assert_non_null(world_ask(w, client, NODE, 8443));
    world_expect(client, WORLD_502);
    origin = world_exchange(w, client, NODE, 6972, NULL);
    world_exchange(w, client, NODE, 6972, origin);
    assert_int_equal(world_records(w->alarm_log, LOG_VERIFY_FAILED, &line), 2);
    assert_int_equal(line.head.action, LOG_ACTION_CONTINUE); /* the last: once for two requests */
    assert_int_equal(line.head.peer_port, 6972);
    assert_int_equal(world_counters(w)->verify_continued, 2);
    assert_int_equal(world_counters(w)->verify_failed, 1);
    /* Enforced as well now: the pooled connection goes, its verdict is known without another look. */
    w->scopes[1].mode = VERIFY_ENFORCED;
    w->trust.revision++;
    world_publish(w);
    world_run(w, 5);
    assert_true(origin->finished);
    assert_non_null(world_ask(w, client, NODE, 6972));
    world_expect(client, WORLD_502);
    assert_int_equal(w->trust.epoch, epoch);
    assert_int_equal(world_counters(w)->verify_checks, 2); /* two certificates: one each */
    /* And the other way round: only the global scope changes. */
    world_mode(w, VERIFY_PERMISSIVE);
    other = world_exchange(w, client, NODE, 8443, NULL);
    assert_non_null(world_ask(w, client, NODE, 6972));
    world_expect(client, WORLD_502);
    assert_false(other->finished);
    world_free(w);
}

static void another_policy_of_an_origin_judges_its_connections_again_in_the_same_epoch(void **state)
{
    struct world *w = world_create();
    struct world_peer *client, *origin, *other;
    struct x509_policy pinned;

    world_trust(w, WORLD_TRUST_ROOT | WORLD_TRUST_SELF);
    client = world_connect_tls(w, "edge.steven.lab", NULL);
    origin = world_exchange(w, client, NODE, 8443, NULL);
    other = world_exchange(w, client, NODE, 6972, NULL);
    pinned = *w->scopes[0].policy;
    pinned.id++;
    pinned.pin_count = 1; /* of no key there is */
    w->scopes[1] = w->scopes[0];
    w->scopes[1].policy = &pinned;
    w->trust_origins[0] = (struct trust_origin){.host = NODE, .port = 8443, .scope = 1};
    w->trust.scope_count = 2;
    w->trust.origin_count = 1;
    w->trust.revision++;
    world_publish(w);
    world_run(w, 5);
    assert_true(origin->finished);
    assert_false(other->finished);
    assert_non_null(world_ask(w, client, NODE, 8443));
    world_expect(client, WORLD_502);
    world_exchange(w, client, NODE, 6972, other);
    assert_int_equal(world_counters(w)->verify_checks, 3);
    world_free(w);
}

static void a_request_of_another_deployment_than_its_rule_is_refused(void **state)
{
    struct world *w = world_create();
    struct world_peer *client = world_connect_tls(w, "edge.steven.lab", NULL);
    struct world_record line;

    world_request(w, client, "GET", world_path_of("two.lab", "https", "imp.steven.lab", 8443, "/x"), "\r\n");
    world_run(w, 20);
    world_expect(client, "HTTP/1.1 403 Forbidden\r\n");
    assert_null(world_accept(w));
    assert_int_equal(world_records(w->alarm_log, LOG_ACCESS_DENIED, &line), 1);
    assert_string_equal(line.strings[1], "2");
    assert_string_equal(line.strings[4], "Only in the allow list of another deployment");
    world_free(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(two_deployments_share_neither_verdicts_nor_connections),
        cmocka_unit_test(a_session_is_offered_within_its_deployment_only),
        cmocka_unit_test(a_mode_of_one_origin_acts_on_it_alone_and_at_once),
        cmocka_unit_test(another_policy_of_an_origin_judges_its_connections_again_in_the_same_epoch),
        cmocka_unit_test(a_request_of_another_deployment_than_its_rule_is_refused),
    };

    return cmocka_run_group_tests(tests, world_start, world_stop);
}
