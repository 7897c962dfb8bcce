/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ASSAY_DAEMON_PREFLIGHT_H
#define ASSAY_DAEMON_PREFLIGHT_H
/* Which certificate does each origin show, and would assayd accept it? Asked through kernel sockets, before clients ask
 * (MRA S1, S7, S8, S34). The origins are those of a configuration: https rules of its nodes and allow list, edge-config
 * servers and origins of listeners; or those of a list of nodes. Names are resolved as assayd does it (dns.h), trust, client
 * certificates and ciphers are what assayd would use, so that the verdict is its verdict.
 * Made first (files are read, all faults reported), then turned until it is done: nothing of it waits by itself.
 * Owner: the caller. Thread: any one at a time; what is made of a running daemon is made and freed on the control thread, and
 * may be turned on another. Units: milliseconds of a monotonic clock, wall-clock seconds. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "probe/nodes.h"

struct access_set;
struct config;
struct names;
struct preflight;
struct problems;
struct section;

#define PREFLIGHT_JOBS_DEFAULT       32
#define PREFLIGHT_TIMEOUT_MS_DEFAULT 5000
#define PREFLIGHT_TRUST_MAX          32

struct preflight_settings {
    const char *config_file;                /* NULL: the defaults of a configuration, without nodes */
    const char *nodes_file;                 /* instead of the configuration's origins; NULL: those */
    const char *trust[PREFLIGHT_TRUST_MAX]; /* files and directories, instead of the configuration's trust directory */
    size_t trust_count;
    const char
        *state_directory;     /* of the assayd that fetches CRLs for this configuration; NULL: where it is by default */
    struct probe_ports ports; /* each node on these; none: the ports that rules of the node have */
    unsigned jobs;            /* connections at once */
    uint64_t timeout_ms;      /* of one connection */
};

/* NULL with problems: a file that cannot be read, or is wrong; nothing to ask. Where the configuration has CRLs fetched, those count that
 * assayd keeps on disk; where there are none, a warning says so. */
struct preflight *preflight_open(const struct preflight_settings *settings, uint64_t now_s, struct problems *problems);
/* Of what a daemon runs with: nothing is read but the client certificates, nothing is resolved again, nothing of it is
 * borrowed but the trust section, which is taken. skip: which origins to leave out, NULL: none. With an empty list of origins
 * it is done at once. */
struct preflight *preflight_of(const struct config *config, struct section *trust, const struct access_set *rules,
                               const struct names *names, const struct preflight_settings *settings,
                               bool (*skip)(const void *arg, const char *host, uint16_t port), const void *skip_arg,
                               uint64_t now_s, struct problems *problems);
void preflight_free(struct preflight *preflight);

/* Waits at most wait_ms and works on what happened. False: all is done. */
bool preflight_turn(struct preflight *preflight, uint64_t now_ms, int wait_ms);
/* Origins: how many are done, of how many; *total is 0 while names are resolved. */
void preflight_progress(const struct preflight *preflight, size_t *done, size_t *total);
/* What is offered to origins: {"string", "default", "lowest": "1.2" | "1.3"}. A new reference. */
json_t *preflight_ciphers(const struct config *config);
/* probe/report.h's, when all is done (without rows, when nothing was), and "ciphers"; by configuration "crl_cache" as well: {"directory",
 * "crls"}, null where none are fetched. A new reference. */
json_t *preflight_report(const struct preflight *preflight);

#endif
