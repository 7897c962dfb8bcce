/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Clients and origins that do anything: pipeline, pause, cut, abort, answer early, late, wrongly or not at all, while trust
 * and limits change under them. Whatever they do: each request gets one answer, in order and from the origin it was sent
 * to, or its connection ends; bodies arrive intact or visibly broken; what is not idempotent is done once; nothing hangs
 * beyond the sum of the timeouts; nothing is left.
 * Environment: ASSAY_SEEDS how many seeds, ASSAY_SEED the first. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "rig.h"
#include "world.h"

enum { CLIENTS = 6, PIPELINE = 4, IDS = 4096, OUT_MAX = 400000, ORIGINS_MAX = WORLD_PEERS };

/* What a request is: a function of its number, so that whoever meets it knows what it must look like. */
struct plan {
    const char *method, *scheme, *host;
    unsigned port;
    bool head, idempotent, chunked;
    size_t body;
};

struct caller {
    struct world_peer *peer;
    uint32_t ids[PIPELINE];
    unsigned asked, answered, planned;
    bool pipelines, old; /* HTTP/1.0 */
    bool broken;         /* by itself: it expects nothing any more */
    bool last;           /* the answer that said Connection: close came */
    size_t parsed;       /* of received */
    char *out;
    size_t out_length, out_sent;
};

struct server {
    struct world_peer *peer;
    size_t parsed;
    char *out;
    size_t out_length, out_sent;
    uint64_t wake_us;
    bool early;
    enum { SERVER_READS, SERVER_ANSWERS, SERVER_SILENT, SERVER_GONE } state;
    enum { THEN_STAY, THEN_FINISH, THEN_CUT, THEN_ABORT } then;
};

struct play {
    struct world *w;
    uint64_t random;
    uint32_t next_id;
    uint8_t arrived[IDS];
    struct caller callers[CLIENTS];
    struct server servers[ORIGINS_MAX];
    uint32_t server_count;
    uint64_t answers, own_answers, breaks;
};

static uint32_t below(struct play *play, uint32_t limit)
{
    return rig_below(&play->random, limit);
}

static bool chance(struct play *play, uint32_t percent)
{
    return below(play, 100) < percent;
}

static char pattern(uint32_t id, size_t i)
{
    return (char)('a' + (id * 7 + i * 13 + i / 251) % 26);
}

static struct plan plan_of(uint32_t id)
{
    static const struct plan plans[] = {
        {"GET", "http", "cucm.steven.lab", 8000, false, true, false, 0},
        {"GET", "https", "cucm.steven.lab", 8443, false, true, false, 0},
        {"GET", "https", "cucm.steven.lab", 6972, false, true, false, 0},
        {"HEAD", "http", "198.18.2.11", 8000, true, true, false, 0},
        {"POST", "http", "cucm.steven.lab", 8000, false, false, false, 1},
        {"POST", "https", "198.18.2.11", 8443, false, false, true, 1},
        {"PUT", "http", "two.steven.lab", 8000, false, true, true, 1},
        {"DELETE", "http", "imp.steven.lab", 8000, false, true, false, 0},
        {"GET", "http", "hole.steven.lab", 8000, false, true, false, 0},
        {"GET", "http", "nowhere.steven.lab", 8000, false, true, false, 0},
        {"POST", "http", "198.18.2.13", 8000, false, false, false, 1},   /* no rule */
        {"GET", "https", "imp.steven.lab", 8443, false, true, false, 0}, /* not its name */
    };
    uint64_t random = id * 0x9e3779b97f4a7c15ULL;
    struct plan plan = plans[rig_below(&random, rig_below(&random, 3) == 0 ? 12 : 8)];

    if (plan.body != 0)
        plan.body = rig_below(&random, rig_below(&random, 4) == 0 ? 90000 : 2000);
    return plan;
}

/* --- text ---------------------------------------------------------------------------------------------------------------------- */

static void add(char **out, size_t *length, const void *bytes, size_t len)
{
    assert_in_range(*length + len, 0, OUT_MAX);
    if (*out == NULL)
        *out = malloc(OUT_MAX);
    assert_non_null(*out);
    memcpy(*out + *length, bytes, len);
    *length += len;
}

static void add_text(char **out, size_t *length, const char *text)
{
    add(out, length, text, strlen(text));
}

static void add_body(struct play *play, char **out, size_t *length, uint32_t id, size_t body, bool chunked)
{
    size_t at = 0;

    while (at < body) {
        size_t piece = chunked ? 1 + below(play, 9000) : body;
        char line[32], byte;

        if (piece > body - at)
            piece = body - at;
        snprintf(line, sizeof(line), "%zx%s\r\n", piece, chance(play, 10) ? ";ext=\"v\"" : "");
        if (chunked)
            add_text(out, length, line);
        for (size_t i = 0; i < piece; i++, at++) {
            byte = pattern(id, at);
            add(out, length, &byte, 1);
        }
        if (chunked)
            add_text(out, length, "\r\n");
    }
    if (chunked)
        add_text(out, length, chance(play, 10) ? "0\r\nTrailer: x\r\n\r\n" : "0\r\n\r\n");
}

/* A message at text: its head's length, 0 when it is not whole. */
static size_t head_length(const char *text)
{
    const char *end = strstr(text, "\r\n\r\n");

    return end != NULL ? (size_t)(end - text) + 4 : 0;
}

static bool field(const char *text, size_t head, const char *name, char *value, size_t capacity)
{
    const char *at = memmem(text, head, name, strlen(name));

    if (at == NULL)
        return false;
    at += strlen(name);
    snprintf(value, capacity, "%.*s", (int)strcspn(at, "\r"), at);
    return true;
}

enum body { BODY_WHOLE, BODY_MORE, BODY_WRONG };

/* A body of known framing behind the head: how long it is with its framing; its payload is compared with the pattern. */
static enum body read_body(const char *text, size_t available, bool chunked, size_t length, uint32_t id, bool compare,
                           size_t *used, size_t *payload)
{
    size_t at = 0, seen = 0;

    while (chunked) {
        const char *eol = memmem(text + at, available - at, "\r\n", 2);
        size_t size;

        if (eol == NULL)
            return BODY_MORE;
        size = strtoul(text + at, NULL, 16);
        at = (size_t)(eol - text) + 2;
        if (available < at + size + 2)
            return BODY_MORE;
        for (size_t i = 0; i < size && compare; i++)
            if (text[at + i] != pattern(id, seen + i))
                return BODY_WRONG;
        seen += size;
        at += size + 2;
        if (size == 0)
            break;
    }
    if (!chunked) {
        for (; at < length && at < available; at++)
            if (compare && text[at] != pattern(id, at))
                return BODY_WRONG;
        if (at < length)
            return BODY_MORE;
        seen = length;
    }
    *used = at;
    *payload = seen;
    return BODY_WHOLE;
}

/* --- clients ------------------------------------------------------------------------------------------------------------------- */

static void caller_ask(struct play *play, struct caller *c)
{
    uint32_t id = play->next_id++ % IDS;
    struct plan plan = plan_of(id);
    char path[64], line[512];

    c->ids[c->asked++] = id;
    snprintf(path, sizeof(path), "/r/%u", id);
    if (c->old)
        plan.chunked = false;
    snprintf(line, sizeof(line), "%s %s HTTP/1.%d\r\nHost: edge\r\n", plan.method,
             world_path(plan.scheme, plan.host, plan.port, path), c->old ? 0 : 1);
    add_text(&c->out, &c->out_length, line);
    if (chance(play, 10))
        add_text(&c->out, &c->out_length, "Connection: close\r\n");
    if (strcmp(plan.method, "POST") == 0 || strcmp(plan.method, "PUT") == 0) {
        snprintf(line, sizeof(line), plan.chunked ? "Transfer-Encoding: chunked\r\n" : "Content-Length: %zu\r\n",
                 plan.body);
        add_text(&c->out, &c->out_length, line);
    }
    add_text(&c->out, &c->out_length, "\r\n");
    if (plan.body > 0 || plan.chunked)
        add_body(play, &c->out, &c->out_length, id, plan.body, plan.chunked);
}

static void caller_begin(struct play *play, struct caller *c)
{
    bool tls = chance(play, 50);

    if (c->peer != NULL)
        tcp_close(play->w->far, c->peer->tcp);
    free(c->out);
    *c = (struct caller){.planned = 1 + below(play, PIPELINE), .pipelines = chance(play, 50), .old = chance(play, 10)};
    if (c->old)
        c->planned = 1;
    c->peer = world_open(play->w, "198.18.1.7", tls ? 8443 : 8080, tls);
    for (unsigned i = 0; i < (c->pipelines ? c->planned : 1); i++)
        caller_ask(play, c);
}

static bool caller_over(const struct caller *c)
{
    return c->peer == NULL || c->broken || c->peer->reset || c->peer->finished || c->peer->failed || c->peer->closed;
}

/* One whole response at the head of what came; false: not yet. */
static bool caller_response(struct play *play, struct caller *c)
{
    const char *text = c->peer->received + c->parsed;
    size_t head = head_length(text), left = c->peer->length - c->parsed, used, payload, length = 0;
    unsigned status = head > 0 ? (unsigned)strtoul(text + 9, NULL, 10) : 0;
    uint32_t id = c->ids[c->answered < c->asked ? c->answered : c->asked - 1];
    struct plan plan = plan_of(id);
    char value[64];
    bool ours, chunked, until_close = false;

    if (head == 0)
        return false;
    if (strncmp(text, "HTTP/1.1 ", 9) != 0 || c->answered == c->asked || c->last)
        fail_msg("request %u: an answer too many: %.60s", id, text);
    if (status < 200) {
        c->parsed += head;
        return true;
    }
    ours = !field(text, head, "\r\nX-Id: ", value, sizeof(value));
    if (!ours && strtoul(value, NULL, 10) != id)
        fail_msg("request %u got the answer to %s", id, value);
    if (ours && status < 400)
        fail_msg("request %u: %.60s", id, text);
    chunked = field(text, head, "\r\nTransfer-Encoding: chunked", value, sizeof(value));
    if (field(text, head, "\r\nContent-Length: ", value, sizeof(value)))
        length = strtoul(value, NULL, 10);
    else
        until_close = !chunked;
    if (plan.head || status == 204 || status == 304) {
        chunked = until_close = false;
        length = 0;
    }
    if (until_close && !c->old)
        fail_msg("request %u: no framing for an HTTP/1.1 client", id);
    if (until_close)
        length = left - head;
    switch (read_body(text + head, left - head, chunked, length, id, !ours, &used, &payload)) {
    case BODY_MORE: return false;
    case BODY_WRONG: fail_msg("request %u: not the body that was sent", id); break;
    case BODY_WHOLE: break;
    }
    if (until_close && !c->peer->finished && !c->peer->reset)
        return false;
    c->last = field(text, head, "\r\nConnection: close", value, sizeof(value));
    if (!ours && !plan.head && !until_close && status == 200) {
        assert_true(field(text, head, "\r\nX-Length: ", value, sizeof(value)));
        assert_int_equal(payload, strtoul(value, NULL, 10));
    }
    c->parsed += head + used;
    c->answered++;
    play->answers += !ours;
    play->own_answers += ours;
    return true;
}

static void caller_send(struct play *play, struct caller *c)
{
    size_t left = c->out_length - c->out_sent, some;

    if (left == 0 || chance(play, 20))
        return;
    some = chance(play, 30) ? 1 + below(play, 40) : 1 + below(play, 20000);
    if (some > left)
        some = left;
    c->out_sent += c->peer->secure ? world_tls_write(play->w, c->peer, c->out + c->out_sent, some)
                                   : tcp_write(play->w->far, c->peer->tcp, c->out + c->out_sent, some);
}

static void caller_misbehave(struct play *play, struct caller *c)
{
    if (below(play, 4000) == 0) {
        tcp_abort(play->w->far, c->peer->tcp);
        c->broken = true;
        play->breaks++;
    } else if (below(play, 4000) == 0) {
        if (c->peer->secure && chance(play, 70))
            world_tls_close_notify(play->w, c->peer);
        tcp_shutdown(play->w->far, c->peer->tcp); /* an answer to what is whole may still come */
        c->out_sent = c->out_length;
        play->breaks++;
    } else if (below(play, 500) == 0) {
        c->peer->paused = true;
    } else if (c->answered == c->planned && below(play, 50) == 0) {
        if (c->peer->secure && chance(play, 70))
            world_tls_close_notify(play->w, c->peer);
        tcp_close(play->w->far, c->peer->tcp);
        c->broken = true;
    }
}

static void caller_act(struct play *play, struct caller *c, bool begins)
{
    if (c->peer != NULL && !c->broken)
        while (caller_response(play, c))
            ;
    if (caller_over(c)) {
        if (begins && chance(play, 2))
            caller_begin(play, c);
        return;
    }
    if (c->peer->paused && below(play, 100) == 0)
        world_resume(play->w, c->peer);
    if (!c->peer->open)
        return;
    caller_send(play, c);
    if (begins && c->answered == c->asked && c->asked < c->planned && !c->last && c->out_sent == c->out_length)
        caller_ask(play, c);
    if (begins)
        caller_misbehave(play, c);
}

/* --- origins ------------------------------------------------------------------------------------------------------------------- */

static void server_answer(struct play *play, struct server *s, uint32_t id)
{
    struct plan plan = plan_of(id);
    uint32_t way = below(play, 100);
    size_t body = below(play, chance(play, 20) ? 150000 : 3000);
    bool chunked = chance(play, 30), until_close = !chunked && chance(play, 10),
         close = until_close || chance(play, 10);
    char line[128];

    s->out_length = s->out_sent = 0;
    s->state = SERVER_ANSWERS;
    s->then = until_close || (close && chance(play, 50)) ? THEN_FINISH : THEN_STAY;
    s->wake_us = play->w->now_us + (chance(play, 20) ? below(play, 350) * 1000 : 0);
    for (unsigned i = chance(play, 10) ? below(play, 20) : 0; i > 0; i--)
        add_text(&s->out, &s->out_length, "HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n");
    if (way < 3) {
        add_text(&s->out, &s->out_length, "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab");
        return;
    }
    snprintf(line, sizeof(line), "HTTP/1.1 %s\r\nX-Id: %u\r\nX-Length: %zu\r\n", way < 6 ? "204 No Content" : "200 OK",
             id, body);
    add_text(&s->out, &s->out_length, line);
    snprintf(line, sizeof(line), "Content-Length: %zu\r\n", body);
    if (way >= 6 && !until_close)
        add_text(&s->out, &s->out_length, chunked ? "Transfer-Encoding: chunked\r\n" : line);
    if (close)
        add_text(&s->out, &s->out_length, "Connection: close\r\n");
    add_text(&s->out, &s->out_length, "\r\n");
    if (way >= 6 && !plan.head)
        add_body(play, &s->out, &s->out_length, id, body, chunked);
    if (way < 10 && !until_close)
        add_text(&s->out, &s->out_length, "\r\ngarbage that nobody asked for\r\n\r\n");
    if (way >= 90) { /* it breaks off somewhere */
        s->out_length = below(play, (uint32_t)s->out_length);
        s->then = until_close || way < 94 ? THEN_ABORT : way < 97 ? THEN_CUT : THEN_STAY;
    }
}

/* A whole request (or only its head, for an origin that answers early). */
static void server_read(struct play *play, struct server *s)
{
    const char *text = s->peer->received + s->parsed;
    size_t head = head_length(text), left = s->peer->length - s->parsed, used = 0, payload, length = 0;
    char value[64];
    struct plan plan;
    uint32_t id;
    bool chunked;

    if (head == 0)
        return;
    if (!field(text, head, "/r/", value, sizeof(value)))
        fail_msg("no request: %.60s", text);
    id = (uint32_t)strtoul(value, NULL, 10);
    plan = plan_of(id);
    assert_int_equal(strncmp(text, plan.method, strlen(plan.method)), 0);
    snprintf(value, sizeof(value), "\r\nHost: %s:%u\r\n", plan.host, plan.port);
    assert_non_null(memmem(text, head, value, strlen(value)));
    chunked = field(text, head, "\r\nTransfer-Encoding: chunked", value, sizeof(value));
    if (field(text, head, "\r\nContent-Length: ", value, sizeof(value)))
        length = strtoul(value, NULL, 10);
    if (below(play, 400) != 0) {
        switch (read_body(text + head, left - head, chunked, length, id, true, &used, &payload)) {
        case BODY_MORE: return;
        case BODY_WRONG: fail_msg("request %u: not the body that was sent", id); break;
        case BODY_WHOLE: assert_int_equal(payload, plan.body); break;
        }
        s->parsed += head + used;
    } else {
        s->early = true; /* what still comes is of no interest, and it never answers again */
    }
    if (++play->arrived[id] > (plan.idempotent ? 2 : 1))
        fail_msg("request %u came %u times", id, play->arrived[id]);
    if (chance(play, 4))
        s->state = SERVER_SILENT;
    else
        server_answer(play, s, id);
}

static void server_send(struct play *play, struct server *s)
{
    size_t left = s->out_length - s->out_sent, some;

    if (play->w->now_us < s->wake_us || chance(play, 20))
        return;
    if (left > 0) {
        some = chance(play, 20) ? 1 + below(play, 60) : 1 + below(play, 30000);
        if (some > left)
            some = left;
        s->out_sent += s->peer->secure ? world_tls_write(play->w, s->peer, s->out + s->out_sent, some)
                                       : tcp_write(play->w->far, s->peer->tcp, s->out + s->out_sent, some);
        return;
    }
    switch (s->then) {
    case THEN_STAY: s->state = s->early ? SERVER_SILENT : SERVER_READS; return;
    case THEN_ABORT: tcp_abort(play->w->far, s->peer->tcp); break;
    case THEN_FINISH:
        if (s->peer->secure)
            world_tls_close_notify(play->w, s->peer);
        tcp_shutdown(play->w->far, s->peer->tcp);
        break;
    case THEN_CUT: tcp_shutdown(play->w->far, s->peer->tcp); break;
    }
    s->state = SERVER_GONE;
}

static void server_act(struct play *play, struct server *s)
{
    if (s->state == SERVER_GONE || s->peer->reset)
        return;
    if (s->peer->finished && s->state == SERVER_READS) {
        tcp_close(play->w->far, s->peer->tcp);
        s->state = SERVER_GONE;
        return;
    }
    if (s->state == SERVER_READS)
        server_read(play, s);
    if (s->state == SERVER_ANSWERS)
        server_send(play, s);
    if (s->state == SERVER_READS && below(play, 2000) == 0) {
        tcp_shutdown(play->w->far, s->peer->tcp);
        s->state = SERVER_GONE;
    }
}

/* --- the play ------------------------------------------------------------------------------------------------------------------- */

static void play_settings(struct play *play)
{
    struct settings_section *settings = &play->w->settings;

    settings->origin_connections_max = 1 + below(play, 4);
    settings->origin_queue_max = below(play, 5);
    settings->handshakes_max = 1 + below(play, 4);
    settings->clients_max = 3 + below(play, 6);
    settings->requests_per_connection_max = chance(play, 20) ? 2 : 0;
    settings->client_handshake_us = 400000;
    settings->client_head_us = settings->client_body_us = settings->origin_head_us = settings->origin_body_us = 300000;
    settings->client_idle_us = 800000;
    settings->client_send_us = 400000;
    settings->origin_connect_us = settings->origin_queue_us = 250000;
    settings->origin_idle_us = 700000;
    play->w->trust.revoke_grace_us = 100000;
    play->w->origin_tickets = chance(play, 50);
    play->w->tls12 = chance(play, 30);
    world_trust(play->w, WORLD_TRUST_ROOT | WORLD_TRUST_SELF);
}

static void play_control(struct play *play)
{
    struct world *w = play->w;

    if (below(play, 1000) != 0 || w->store_count >= WORLD_STORES - 2)
        return;
    switch (below(play, 4)) {
    case 0: world_trust(w, below(play, 4)); break;
    case 1: world_mode(w, (enum verify_mode)below(play, 3)); break;
    case 2: world_trust(w, WORLD_TRUST_ROOT | WORLD_TRUST_SELF); break;
    default: w->settings.maintenance = chance(play, 20); break;
    }
}

static void play_turn(struct play *play, bool begins)
{
    struct world_peer *accepted;

    world_step(play->w);
    while ((accepted = world_accept(play->w)) != NULL)
        play->servers[play->server_count++] = (struct server){.peer = accepted};
    for (int i = 0; i < CLIENTS; i++)
        caller_act(play, &play->callers[i], begins);
    for (uint32_t i = 0; i < play->server_count; i++)
        server_act(play, &play->servers[i]);
    if (begins)
        play_control(play);
}

static void play_expect_all_answered(struct play *play)
{
    for (int i = 0; i < CLIENTS; i++) {
        struct caller *c = &play->callers[i];

        if (c->peer == NULL || caller_over(c) || c->peer->paused)
            continue;
        fail_msg("client %d waits: request %u, %u of %u answered, %zu of %zu sent", i,
                 c->ids[c->answered < c->asked ? c->answered : 0], c->answered, c->asked, c->out_sent, c->out_length);
    }
    assert_int_equal(world_counters(play->w)->client_connections_now, 0);
    assert_int_equal(world_counters(play->w)->origin_connections_now, 0);
    assert_int_equal(world_counters(play->w)->requests_now, 0);
}

static void play_seed(uint64_t seed)
{
    struct play *play = calloc(1, sizeof(*play));
    bool drains;

    assert_non_null(play);
    play->random = seed * 0x2545f4914f6cdd1dULL;
    play->w = world_create();
    play_settings(play);
    drains = chance(play, 20);
    while (play->w->now_us < 4000000 && play->w->peer_count < WORLD_PEERS - 60)
        play_turn(play, true);
    if (drains)
        world_drain(play->w);
    /* Nobody asks any more; whoever paused stays so. */
    while (play->w->now_us < 12000000)
        play_turn(play, false);
    play_expect_all_answered(play);
    if (getenv("ASSAY_SEEDS") != NULL)
        printf("seed %llu: %llu forwarded, %llu of our own, %llu broke off, %u connections to origins\n",
               (unsigned long long)seed, (unsigned long long)play->answers, (unsigned long long)play->own_answers,
               (unsigned long long)play->breaks, play->server_count);
    assert_true(play->answers > 0);
    for (int i = 0; i < CLIENTS; i++)
        free(play->callers[i].out);
    for (uint32_t i = 0; i < play->server_count; i++)
        free(play->servers[i].out);
    world_free(play->w);
    free(play);
}

static void whatever_both_sides_do_every_request_is_answered_once_or_its_connection_ends(void **state)
{
    const char *seeds = getenv("ASSAY_SEEDS"), *first = getenv("ASSAY_SEED");
    uint64_t seed = first != NULL ? strtoull(first, NULL, 10) : 1,
             count = seeds != NULL ? strtoull(seeds, NULL, 10) : 4;

    for (uint64_t end = seed + count; seed < end; seed++) {
        print_message("seed %llu\n", (unsigned long long)seed);
        play_seed(seed);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whatever_both_sides_do_every_request_is_answered_once_or_its_connection_ends),
    };

    return cmocka_run_group_tests(tests, world_start, world_stop);
}
