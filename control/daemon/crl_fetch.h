/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ASSAY_DAEMON_CRL_FETCH_H
#define ASSAY_DAEMON_CRL_FETCH_H
/* Fetched CRLs in control: which certificates name lists, the turn that asks and takes in, the cache on disk, the lines in the
 * log. The lists themselves are in control->crls.sources. Nothing is fetched unless trust.revocation.fetch is on.
 * Thread: control. Errors: log lines, and the text at each source. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/slice.h"
#include "daemon/problems.h"

struct control;

/* Makes the thread, where it is wanted; after privileges were dropped, which it then has dropped as well. False: it cannot be
 * made, and that is in the log. */
bool crl_fetch_start(struct control *control);
void crl_fetch_stop(struct control *control);

/* After a change of configuration or trust: which lists are wanted now. True: lists were found in the cache, or are not wanted any
 * more, so that the trust section is to be built again. */
bool crl_fetch_follow(struct control *control);

/* A path that was built for an origin, leaf first: the lists that its certificates name are wanted until the next follow, which
 * asks for every path again. Only for paths that hold, whatever their revocation status: else a stranger's certificate
 * would choose what we ask for. */
void crl_fetch_want_path(struct control *control, const struct slice *path, size_t count);

/* Every server is asked again at the next turn; returns how many. */
size_t crl_fetch_again(struct control *control);

/* Takes in what came, asks for what is due. True: there is a new list. */
bool crl_fetch_turn(struct control *control, uint64_t now_s);

#endif
