/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ASSAY_DAEMON_CANDIDATE_H
#define ASSAY_DAEMON_CANDIDATE_H
/* A configuration on its way to be the running one: read and checked, with the trust that it names, then built into sections, before
 * anything that runs is touched. Each step is taken only when the one before it was good.
 * Owner: the candidate owns what it points to, until somebody takes it out (and leaves NULL). Thread: control.
 * Errors: false, with every fault in problems. */
#include <stdbool.h>
#include <stdint.h>

#include "daemon/config.h"
#include "daemon/problems.h"
#include "daemon/sections.h"
#include "daemon/trust.h"

struct control;

struct candidate {
    struct config *config;
    struct trust *trust;
    struct section *sections[SECTION_COUNT];
};

/* Takes config over (NULL: it could not be read, and problems say why), checks its values, reads its trust. known: trust that was
 * read before, whose certificates need not be read again; NULL: none. */
bool candidate_read(struct candidate *candidate, struct config *config, const struct trust *known,
                    struct problems *problems);
/* All sections but the route; a section that would be the same as the running one is the running one. */
bool candidate_build(struct candidate *candidate, struct control *control, uint64_t now_s, struct problems *problems);
/* The route, which comes last: it holds the names that the rules use, and control has to know these. Nothing can go wrong from here
 * on but the memory. */
bool candidate_finish(struct candidate *candidate, struct control *control, struct problems *problems);
void candidate_free(struct candidate *candidate);

#endif
