/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "daemon/survey.h"

#include <time.h>

#include "daemon/registry.h"
#include "daemon/registry_judge.h"

static uint64_t clock_us(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

static void drop(struct survey *survey)
{
    section_drop(survey->running);
    section_drop(survey->candidate);
    survey->running = survey->candidate = NULL;
}

void survey_begin(struct survey *survey, const struct control *control, struct section *candidate)
{
    drop(survey);
    survey->running = section_take(publisher_section(&control->publisher, SECTION_TRUST));
    survey->candidate = candidate;
    survey->round = registry_new_round(control->registry);
    survey->begun++;
}

bool survey_is_current(const struct survey *survey, const struct control *control)
{
    return survey->running != NULL && survey->running == publisher_section(&control->publisher, SECTION_TRUST);
}

bool survey_run(struct survey *survey, const struct control *control, uint64_t now_s, uint64_t budget_us)
{
    const struct trust_section *running = &survey->running->data.trust;
    uint64_t begin_us = clock_us(), spent_us;

    if (survey->begun >= SURVEY_BEGUN_MAX)
        budget_us = UINT64_MAX;
    if (!registry_judge_rest(control->registry, running, now_s, budget_us))
        return false;
    if (survey->candidate == NULL)
        return true;
    spent_us = clock_us() - begin_us;
    return registry_judge_candidate(control->registry, running, &survey->candidate->data.trust, now_s, survey->round,
                                    budget_us > spent_us ? budget_us - spent_us : 0);
}

void survey_end(struct survey *survey)
{
    drop(survey);
    problems_free(&survey->problems);
    *survey = (struct survey){0};
}
