/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "daemon/control_ticks.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "daemon/capture_session.h"
#include "daemon/control.h"
#include "daemon/control_publish.h"
#include "daemon/control_registry.h"
#include "daemon/due.h"
#include "daemon/expiry.h"
#include "daemon/log.h"
#include "daemon/prober.h"
#include "daemon/state.h"

#define EXPIRY_AGAIN_S    60
#define TRUST_AGAIN_S     10    /* after a failure */
#define CLOCK_STEP_S      60    /* less is how clocks are kept right */
#define CRL_PATHS_TICK_US 20000 /* of a tick: verifying paths for the CRLs that they name */

/* --- certificates that end ------------------------------------------------------------------------------------------------ */

/* A line for each certificate that will end soon. */
static void warn_of_ends(struct control *control, uint64_t now_s)
{
    struct expiry_list list;
    struct text lines = {0};
    char *at, *end;

    expiry_collect(control, &list);
    if (control->expiry_said == NULL)
        control->expiry_said = memory_alloc(sizeof(*control->expiry_said));
    expiry_warn(control->expiry_said, &list, now_s, &lines);
    for (at = lines.data; control->log != NULL && at != NULL && (end = strchr(at, '\n')) != NULL; at = end + 1)
        log_event(control->log, "WARNING", "%.*s", (int)(end - at), at);
    text_free(&lines);
    expiry_free(&list);
}

static void watch_ends(struct control *control, uint64_t now_s)
{
    if (due_take(&control->expiry_due_s, now_s, EXPIRY_AGAIN_S))
        warn_of_ends(control, now_s);
}

/* --- ticket keys -------------------------------------------------------------------------------------------------------- */

static uint64_t tickets_period_s(const struct control *control)
{
    return control->config->root.tls.ticket_rotate / 1000000;
}

void control_rotate_tickets(struct control *control, uint64_t now_s)
{
    struct tls_ticket_keys *keys = &control->tickets;

    memmove(&keys->keys[1], &keys->keys[0], sizeof(keys->keys[0]) * (TLS_TICKET_KEYS_MAX - 1));
    /* 48 bytes at once are never cut short (getrandom(2)); without randomness there is no TLS at all */
    if (getrandom(&keys->keys[0], sizeof(keys->keys[0]), 0) != sizeof(keys->keys[0]))
        abort();
    if (keys->count < TLS_TICKET_KEYS_MAX)
        keys->count++;
    control->tickets_rotate_s = now_s + tickets_period_s(control);
}

static void publish_tickets(struct control *control, uint64_t now_s, struct change *change)
{
    struct section *section;

    control_rotate_tickets(control, now_s);
    section = section_build_credentials(control->config, control->cores, &control->credentials, &control->tickets,
                                        now_s, &change->problems);
    if (section != NULL)
        control_publish_section(control, section, change);
}

/* --- the clock ------------------------------------------------------------------------------------------------------------ */

/* Set back, a clock would make a switch "for 4 hours" one for years. (Set forward it ends early, and everything is verified again.) */
static void watch_clock(struct control *control, uint64_t now_s)
{
    uint64_t back_s = now_s < control->now_s ? control->now_s - now_s : 0;

    control->now_s = now_s;
    if (back_s < CLOCK_STEP_S)
        return;
    switches_shift(&control->verify, back_s);
    control->started_s -= back_s < control->started_s ? back_s : control->started_s;
    if (control->log != NULL)
        log_event(control->log, "WARNING", "the clock was set back by %llu s", (unsigned long long)back_s);
}

/* --- the tick ------------------------------------------------------------------------------------------------------------ */

/* What changes nothing that cores see. */
static void keep_house(struct control *control, uint64_t now_s)
{
    if (capture_tick(control->capture))
        control_capture_ended(control);
    control_registry_tick(control, now_s);
    watch_ends(control, now_s);
    prober_tick(control->prober, control, now_s);
    publisher_reap(&control->publisher);
    credentials_reap(&control->credentials);
}

/* Does the trust section change? *what says why. */
static bool trust_is_due(struct control *control, uint64_t now_s, struct change *change, const char **what)
{
    if (control->trust_owed) {
        *what = "the change that failed";
        return due_take(&control->trust_again_s, now_s, TRUST_AGAIN_S);
    }
    if (switches_expire(&control->verify, now_s) > 0) {
        *what = "set verify: the time is over";
        state_save_verify(control->state_directory, control->config_file, &control->verify, &change->problems);
        return true;
    }
    if (control->revoked_changed) {
        *what = "revoked by OCSP";
        control->revoked_changed = false;
        return true;
    }
    *what = "fetched CRLs";
    return crl_fetch_turn(control, now_s, CRL_PATHS_TICK_US);
}

/* What a tick changes nobody else asks for again: it is owed until it is done. */
static void publish_trust(struct control *control, uint64_t now_s, struct change *change)
{
    control->trust_owed = !control_publish_trust(control, control->trust, change);
    control->trust_again_s = now_s + TRUST_AGAIN_S;
}

bool control_tick(struct control *control, uint64_t now_s, struct change *change, const char **what)
{
    *change = (struct change){.generation = control->publisher.generation};
    watch_clock(control, now_s);
    keep_house(control, now_s);
    /* at most one change a tick */
    if (trust_is_due(control, now_s, change, what)) {
        publish_trust(control, now_s, change);
    } else if (due_now(control->tickets_rotate_s, now_s, tickets_period_s(control))) {
        *what = "ticket key rotated";
        publish_tickets(control, now_s, change);
    }
    return change->published || problems_any(&change->problems);
}
