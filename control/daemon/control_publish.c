/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "daemon/control_publish.h"

#include <string.h>
#include <time.h>

#include "daemon/candidate.h"
#include "daemon/control.h"
#include "daemon/control_registry.h"

static double elapsed_ms(const struct timespec *from)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)(now.tv_sec - from->tv_sec) * 1e3 + (double)(now.tv_nsec - from->tv_nsec) / 1e6;
}

static void await(struct control *control, bool published, struct change *change)
{
    struct timespec start;

    clock_gettime(CLOCK_MONOTONIC, &start);
    change->published = published;
    change->generation = control->publisher.generation;
    change->adopted = true;
    if (published && control->fleet != NULL && control->fleet->running)
        change->adopted = fleet_wait(control->fleet, change->generation, CONTROL_ADOPT_TIMEOUT_US) == ASSAY_OK;
    change->adopted_ms = elapsed_ms(&start);
    publisher_reap(&control->publisher);
    credentials_reap(&control->credentials);
}

void control_publish_candidate(struct control *control, struct candidate *candidate, struct change *change)
{
    bool published;

    control_registry_precompute(control, candidate->sections[SECTION_TRUST]);
    published = publisher_publish(&control->publisher, candidate->sections);

    memset(candidate->sections, 0, sizeof(candidate->sections));
    await(control, published, change);
}

void control_publish_section(struct control *control, struct section *next, struct change *change)
{
    struct section *chosen = section_choose(publisher_section(&control->publisher, next->kind), next);

    control_registry_precompute(control, chosen);
    await(control, publisher_replace(&control->publisher, chosen), change);
}

bool control_publish_trust(struct control *control, const struct trust *trust, struct change *change)
{
    struct section *section;

    /* only a reload is about the files of CRLs */
    control->crls.lasting = true;
    section = section_build_trust(control->config, trust, &control->verify, &control->crls, &change->problems);
    control->crls.lasting = false;
    if (section == NULL)
        return false;
    control_publish_section(control, section, change);
    return true;
}
