/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ASSAY_DAEMON_CRL_FETCH_H
#define ASSAY_DAEMON_CRL_FETCH_H
/* Fetched CRLs in control: which certificates name lists, the turn that asks and takes in, the cache on disk, the lines in the
 * log. The lists themselves are in control->crls.sources. Nothing is fetched unless trust.revocation.fetch is on.
 *
 * Wanted are the lists of the configuration, those that certificates of the trust name, and those named along the paths of chains that
 * origins showed (registry.h), where revocation is asked for. Only by a chain that would be accepted if nothing were revoked,
 * for its name too: else a stranger's certificate would choose what we ask for. That is verified once in a round. A round begins with
 * each change of configuration or trust, and every CRL_ROUND_S for what time has changed; it takes in chains that come, and what is
 * not wanted any more goes when every chain has been looked at, which may take several turns.
 * Thread: control. Units: microseconds (budget), seconds of wall clock. Errors: log lines, and the text at each source. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct control;

#define CRL_ROUND_S 3600

struct crl_round {
    uint64_t number;  /* from 1 */
    uint64_t begun_s; /* wall clock */
    bool open;        /* what was wanted before the round is still there */
    bool full_said;   /* the log has been told that there are too many */
    bool pending;     /* chains are left to look at */
    uint64_t added;   /* registry_stats.added when pending was set last */
};

/* Makes the thread, where it is wanted; after privileges were dropped, which it then has dropped as well. False: it cannot be
 * made, and that is in the log. */
bool crl_fetch_start(struct control *control);
void crl_fetch_stop(struct control *control);

/* After a change of configuration or trust was published: begins a round. budget_us: for chains; those it does not reach are looked at
 * in the next turns. True: lists were found in the cache, or are not wanted any more, so that the trust section is to be built
 * again. */
bool crl_fetch_follow(struct control *control, uint64_t budget_us);

/* Every server is asked again at the next turn; returns how many. */
size_t crl_fetch_again(struct control *control);

/* Goes on with the round, takes in what came, asks for what is due. True: there is a new list, or one less. */
bool crl_fetch_turn(struct control *control, uint64_t now_s, uint64_t budget_us);

#endif
