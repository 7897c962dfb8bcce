/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ASSAY_DAEMON_SWITCHES_H
#define ASSAY_DAEMON_SWITCHES_H
/* What an operator switched beside the configuration (`assayctl set verify`): how verdicts are used, for all origins, those
 * of a deployment, or one. A switch goes before what the file says of the same scope, not before a more specific one.
 * Owner: switches_free() frees what it points to. Thread: control. Units: wall-clock seconds. Source: MRA S6, S29. */
#include <stdbool.h>
#include <stdint.h>

#include "assay/snapshot.h"

struct verify_switch {
    bool set;
    enum verify_mode mode;
    uint64_t until_s; /* wall clock; 0: until switched back */
};

/* Whose: a deployment's, an origin's (host; port 0: all its ports); all NULL: of all. */
struct verify_target {
    const char *deployment;
    const char *host;
    uint16_t port;
};

struct verify_switch_of {
    struct verify_target target; /* copies */
    struct verify_switch verify; /* set */
};

struct verify_switches {
    struct verify_switch global;
    uint32_t count;
    struct verify_switch_of *items; /* in the order of switching; never the global one */
};

/* NULL: nothing is switched there. */
const struct verify_switch *switches_find(const struct verify_switches *switches, const struct verify_target *target);
/* Replaces; one that is not set takes away. */
void switches_put(struct verify_switches *switches, const struct verify_target *target, struct verify_switch verify);
/* Takes away those whose time is over; how many. */
unsigned switches_expire(struct verify_switches *switches, uint64_t now_s);
/* The clock was set back by so much: what is left of each time stays. */
void switches_shift(struct verify_switches *switches, uint64_t back_s);
struct verify_switches switches_copy(const struct verify_switches *switches);
void switches_free(struct verify_switches *switches);

#endif
