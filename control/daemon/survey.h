/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ASSAY_DAEMON_SURVEY_H
#define ASSAY_DAEMON_SURVEY_H
/* Verdicts on every chain of the registry, under the trust section that runs and under one that is only thought of, for an answer that
 * needs all of them. With thousands of chains that is seconds of work: it is done a piece at a time, between which control does what
 * else it has to. What is published meanwhile makes a survey stale: it is begun again.
 * Owner: the struct holds references of both sections until survey_end(). Thread: control. One at a time runs; another one that runs
 * in between undoes what was judged under the candidate. Units: microseconds, seconds of wall clock. */
#include <stdbool.h>
#include <stdint.h>

#include "daemon/control.h"

/* Begun so often, it is done in one piece: trust may change faster than a piece after the other gets ready. */
#define SURVEY_BEGUN_MAX 3

struct survey {
    struct section *running, *candidate; /* the latter NULL: what runs alone */
    uint64_t round;                      /* of registry_judge_candidate() */
    unsigned begun;
    uint64_t first_us;        /* what the one who asks may spend at once */
    struct problems problems; /* of its beginning */
};

/* Takes over the reference of candidate. */
void survey_begin(struct survey *survey, const struct control *control, struct section *candidate);
/* Is it about what runs now? false as well where it was not begun. */
bool survey_is_current(const struct survey *survey, const struct control *control);
/* A piece of a survey that is current. true: everything is judged. */
bool survey_run(struct survey *survey, const struct control *control, uint64_t now_s, uint64_t budget_us);
void survey_end(struct survey *survey);

#endif
