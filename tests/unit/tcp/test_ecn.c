/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "fixture.h"
#include "tcp/ecn.h"

#define SETUP (TCP_FLAG_ECE | TCP_FLAG_CWR)

static struct tcp tcp;
static struct tcp_connection c;

static int start(void **state)
{
    memset(&tcp, 0, sizeof(tcp));
    memset(&c, 0, sizeof(c));
    tcp_config_default(&tcp.config);
    TAILQ_INIT(&tcp.output);
    return 0;
}

/* §6.1.1, of a listener: what comes, and what the SYN-ACK then says. */
static void a_listener_agrees_to_who_asks(void **state)
{
    static const struct {
        enum tcp_ecn setting;
        uint8_t flags, answer, ecn;
    } rows[] = {
        {TCP_ECN_OFF, SETUP, 0, 0},
        {TCP_ECN_PASSIVE, 0, 0, 0},
        {TCP_ECN_PASSIVE, TCP_FLAG_ECE, 0, 0},
        {TCP_ECN_PASSIVE, TCP_FLAG_CWR, 0, 0},
        {TCP_ECN_PASSIVE, SETUP, TCP_FLAG_ECE, ECN_ON | ECN_ECT},
        {TCP_ECN_ON, SETUP, TCP_FLAG_ECE, ECN_ON | ECN_ECT},
        {TCP_ECN_ON, 0, 0, 0},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        start(state);
        tcp.config.ecn = rows[i].setting;
        assert_int_equal(ecn_asked(&tcp, TCP_FLAG_SYN | rows[i].flags), rows[i].ecn != 0);
        ecn_take_syn(&tcp, &c, TCP_FLAG_SYN | rows[i].flags);
        assert_int_equal(c.ecn, rows[i].ecn);
        assert_int_equal(ecn_syn_flags(&c), rows[i].answer);
    }
}

/* §6.1.1, of an active open; fallen_back: our SYN went out again, without. */
static void a_peer_that_agrees_is_believed(void **state)
{
    static const struct {
        enum tcp_ecn setting;
        bool fallen_back;
        uint8_t flags, ecn;
    } rows[] = {
        {TCP_ECN_PASSIVE, false, TCP_FLAG_ACK | TCP_FLAG_ECE, 0},
        {TCP_ECN_ON, false, TCP_FLAG_ACK | TCP_FLAG_ECE, ECN_ON | ECN_ECT},
        {TCP_ECN_ON, false, TCP_FLAG_ACK, 0},
        {TCP_ECN_ON, false, TCP_FLAG_ACK | SETUP, 0},
        {TCP_ECN_ON, false, TCP_FLAG_ACK | TCP_FLAG_CWR, 0},
        {TCP_ECN_ON, true, TCP_FLAG_ACK, 0},
        {TCP_ECN_ON, true, TCP_FLAG_ACK | TCP_FLAG_ECE, ECN_ON},
        {TCP_ECN_ON, false, SETUP, ECN_ON | ECN_ECT}, /* both open at once */
        {TCP_ECN_ON, false, TCP_FLAG_ECE, 0},
        {TCP_ECN_ON, true, SETUP, 0},
        {TCP_ECN_PASSIVE, false, SETUP, 0},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        start(state);
        tcp.config.ecn = rows[i].setting;
        c.state = TCP_SYN_SENT;
        ecn_ask(&tcp, &c);
        assert_int_equal(ecn_syn_flags(&c), rows[i].setting == TCP_ECN_ON ? SETUP : 0);
        if (rows[i].fallen_back) {
            ecn_fall_back(&tcp, &c);
            ecn_fall_back(&tcp, &c);
            assert_int_equal(ecn_syn_flags(&c), 0);
            assert_int_equal(tcp.counters.ecn_fallbacks, 1);
        }
        ecn_take_syn(&tcp, &c, TCP_FLAG_SYN | rows[i].flags);
        assert_int_equal(c.ecn, rows[i].ecn);
    }
}

static void what_no_longer_asks_gets_none(void **state)
{
    (void)state;
    c.ecn = ECN_ON | ECN_ECT;
    ecn_syn_again(&c, TCP_FLAG_SYN | SETUP);
    assert_int_equal(c.ecn, ECN_ON | ECN_ECT);
    ecn_syn_again(&c, TCP_FLAG_SYN);
    assert_int_equal(c.ecn, 0);
    c.ecn = ECN_ON | ECN_ECT;
    ecn_syn_answered(&c, TCP_FLAG_ACK | TCP_FLAG_ECE);
    assert_int_equal(c.ecn, ECN_ON | ECN_ECT);
    ecn_syn_answered(&c, TCP_FLAG_ACK | SETUP);
    assert_int_equal(c.ecn, 0);
}

/* §6.1.3. */
static void marks_are_echoed_until_cwr(void **state)
{
    static const struct {
        uint8_t flags;
        bool marked, echo, at_once;
    } rows[] = {
        {0, false, false, false},
        {0, true, true, true},
        {0, false, true, false},
        {0, true, true, false},
        {TCP_FLAG_CWR, true, true, true}, /* marked since */
        {TCP_FLAG_CWR, false, false, true},
        {TCP_FLAG_CWR, false, false, true},
    };

    (void)state;
    c.ecn = ECN_ON;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        c.flags &= ~(uint32_t)CONN_ACK_NOW;
        ecn_input(&tcp, &c, TCP_FLAG_ACK | rows[i].flags, rows[i].marked);
        assert_int_equal((c.ecn & ECN_ECHO) != 0, rows[i].echo);
        assert_int_equal(conn_has(&c, CONN_ACK_NOW), rows[i].at_once);
    }
    assert_int_equal(tcp.counters.ecn_marked_in, 3);
}

/* §6.1.2: until something sent after the reduction is acknowledged, an echo is of what was before it. */
static void a_reduction_holds_for_what_was_in_flight(void **state)
{
    (void)state;
    c.ecn = ECN_ON | ECN_ECT;
    c.snd_una = UINT32_MAX - 1000; /* the numbers wrap meanwhile */
    c.snd_nxt = 9000;
    c.flags = CONN_UNDO;
    c.frto = TCP_FRTO_WAIT;
    ecn_window_reduced(&c);
    assert_int_equal(c.ecn, ECN_ON | ECN_ECT | ECN_CWR | ECN_HOLD);
    c.ecn |= ECN_REDUCING;
    c.cwnd = 4000;
    c.ssthresh = 7000;
    c.snd_una = 9000;
    ecn_on_ack(&tcp, &c, false);
    assert_true(conn_has(&c, CONN_UNDO));
    assert_int_equal(c.ecn & (ECN_HOLD | ECN_REDUCING), ECN_HOLD | ECN_REDUCING);
    ecn_on_ack(&tcp, &c, true);
    assert_false(conn_has(&c, CONN_UNDO)); /* congestion it was */
    assert_int_equal(c.frto, TCP_FRTO_OFF);
    assert_int_equal(c.cwnd, 4000);
    c.snd_una = 9001;
    ecn_on_ack(&tcp, &c, false);
    assert_int_equal(c.ecn, ECN_ON | ECN_ECT | ECN_CWR);
    assert_int_equal(c.cwnd, 7000);
    ecn_window_reduced(&c);
    ecn_window_restored(&c);
    assert_int_equal(c.ecn, ECN_ON | ECN_ECT);
}

/* Without ECT there is nothing that a peer could have marked. */
static void without_ect_nobody_is_told(void **state)
{
    (void)state;
    c.ecn = ECN_ON;
    ecn_window_reduced(&c);
    assert_int_equal(c.ecn, ECN_ON);
    c.ecn = 0;
    ecn_window_reduced(&c);
    assert_int_equal(c.ecn, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_listener_agrees_to_who_asks, start),
        cmocka_unit_test_setup(a_peer_that_agrees_is_believed, start),
        cmocka_unit_test_setup(what_no_longer_asks_gets_none, start),
        cmocka_unit_test_setup(marks_are_echoed_until_cwr, start),
        cmocka_unit_test_setup(a_reduction_holds_for_what_was_in_flight, start),
        cmocka_unit_test_setup(without_ect_nobody_is_told, start),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
