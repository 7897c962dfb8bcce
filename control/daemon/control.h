/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ASSAY_DAEMON_CONTROL_H
#define ASSAY_DAEMON_CONTROL_H
/* What runs: configuration, trust, rules, names, own credentials, and how each change becomes the next snapshot. A change is
 * whole or not at all: where anything is wrong, nothing is published and the running snapshot stays (DESIGN, "Snapshots").
 * The way of a change: control.c takes it in, candidate.c makes sections of it, control_publish.c hands them to the cores; what time
 * changes begins in control_ticks.c.
 * No sockets, no packets: dns.h, admin.h and daemon.h call in here.
 * Owner: control owns everything it points to but the fleet and the log. Thread: the control thread.
 * Units: wall-clock seconds; microseconds. Errors: false, with every fault in the change's problems. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "assay/error.h"
#include "daemon/config.h"
#include "daemon/crl_fetch.h"
#include "daemon/crl_fetcher.h"
#include "daemon/crls.h"
#include "daemon/fleet.h"
#include "daemon/names.h"
#include "daemon/publisher.h"
#include "daemon/sections.h"
#include "daemon/trust.h"
#include "tls/tls.h"

struct capture_session;
struct eal_pools;
struct expiry_said;
struct log;
struct registry;
struct prober;

#define CONTROL_ADOPT_TIMEOUT_US 2000000

struct control {
    const char *config_file;
    struct config *config;
    struct trust *trust; /* trust_load_all(): that of all, behind it those of deployments */
    struct names names;
    struct credential_cache credentials;
    struct crls crls;
    struct crl_fetcher *fetcher; /* NULL: nothing is fetched */
    bool fetcher_allowed;        /* privileges were dropped: it may be made */
    struct crl_round crl_round;
    struct publisher publisher;
    struct fleet *fleet;
    struct registry *registry;       /* chains that origins showed (registry.h) */
    bool revoked_changed;            /* control_revoked.h: the trust section is to be published anew */
    uint64_t registry_due_s;         /* when it is looked through again, though nothing came */
    uint64_t registry_save_s;        /* when it is written to the state directory */
    struct expiry_said *expiry_said; /* warnings that were given (expiry.h) */
    uint64_t expiry_due_s;
    struct log *log;                 /* may be NULL */
    struct capture_session *capture; /* the running capture, or the last one; NULL: none yet */
    struct prober *prober;           /* the preflight of a running daemon */
    const struct eal_pools *pools;   /* may be NULL: for the status alone */
    uint32_t cores;
    struct verify_switches verify;
    struct tls_ticket_keys tickets;
    uint64_t tickets_rotate_s;
    bool trust_owed;        /* a tick wanted a trust section and did not get it */
    uint64_t trust_again_s; /* when it tries again */
    char *fallback;         /* why the last good configuration runs instead of the file; NULL: it does not */
    uint64_t reloads, refused;
    uint64_t started_s, now_s;   /* the latter: of the last tick */
    bool names_changed;          /* the configuration or the rules changed: the resolver has to look */
    const char *state_directory; /* NULL: nothing survives a restart */
};

/* What came of a change. */
struct change {
    bool published; /* false: nothing differs from what runs, or refused */
    uint64_t generation;
    bool adopted; /* every core had it within the timeout */
    double adopted_ms;
    struct text restart_keys; /* keys that act at the next start only */
    struct problems problems;
};
void change_free(struct change *change);

/* Reads the file and everything it names, without publishing. false: problems say why. With fallback the last good
 * configuration of the state directory (NULL: none) is taken when the file is bad: then an alarm is set and the problems are kept. */
bool control_load(struct control *control, const char *config_file, const char *state_directory, bool fallback,
                  uint64_t now_s, struct problems *problems);
/* Attaches what is there once the port runs, and publishes the first snapshot (before the cores run). */
bool control_start(struct control *control, struct core_shared *shared, struct fleet *fleet, uint64_t now_s,
                   struct change *change);
void control_free(struct control *control);

bool control_reload(struct control *control, uint64_t now_s, struct change *change);
/* Adds the certificates of a PEM bundle or DER to the store of a deployment (NULL: of all); *added says which, with their
 * roles (trust_free() it). */
bool control_trust_add(struct control *control, const char *deployment, struct slice data, int role,
                       struct trust **added, struct change *change);
/* NOT_FOUND, DUPLICATE (ambiguous), MALFORMED for the fingerprint; else IO with problems. removed: 64 hex digits. */
enum assay_error control_trust_remove(struct control *control, const char *deployment, const char *fingerprint,
                                      char removed[65], struct change *change) ASSAY_MUST_USE;
/* Switches how verdicts are used, of the target or of all (switches.h). until_s 0: until switched again. Survives a restart.
 * Where more specific scopes keep another mode, the change's warnings say so. */
bool control_set_verify(struct control *control, const struct verify_target *target, enum verify_mode mode,
                        uint64_t until_s, struct change *change);
/* Takes such a switch back: the configuration counts again. */
bool control_unset_verify(struct control *control, const struct verify_target *target, struct change *change);
/* The trust section of a configuration that is only thought of: the text, or where it is empty the file on disk; every fault of the
 * rest of it is found as well. section_drop() it. NULL with problems. Nothing that runs changes. */
struct section *control_try_config(struct control *control, struct slice text, uint64_t now_s,
                                   struct problems *problems);
/* Addresses changed: a new route section, nothing else. */
bool control_route_changed(struct control *control, struct change *change);

/* It has ended, by itself or by command: the log hears of it. */
void control_capture_ended(struct control *control);

const char *verify_mode_name(enum verify_mode mode);

#endif
