/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "daemon/prober.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "daemon/arena.h"
#include "daemon/change_log.h"
#include "daemon/control.h"
#include "daemon/due.h"
#include "daemon/log.h"
#include "daemon/registry.h"
#include "x509/describe.h"

#define TURN_MS       100
#define LOG_LINES_MAX 100 /* of one run; the report has them all */

struct prober {
    struct preflight *run; /* NULL: none under way */
    pthread_t thread;
    atomic_bool stop, ended;
    _Atomic size_t done, total;
    bool idle_only;
    uint64_t started_s, finished_s; /* of the run in report; 0: there was none */
    uint64_t next_s;                /* when the timer begins the next one */
    uint64_t interval_s;            /* that next_s was reckoned with */
    json_t *report;                 /* of the last run that ended */
};

struct prober *prober_create(void)
{
    return memory_alloc(sizeof(struct prober));
}

/* --- a run -------------------------------------------------------------------------------------------------------------- */

static uint64_t now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static void *run(void *arg)
{
    struct prober *prober = arg;

    while (!atomic_load(&prober->stop) && preflight_turn(prober->run, now_ms(), TURN_MS)) {
        size_t done, total;

        preflight_progress(prober->run, &done, &total);
        atomic_store_explicit(&prober->done, done, memory_order_relaxed);
        atomic_store_explicit(&prober->total, total, memory_order_relaxed);
    }
    atomic_store(&prober->ended, true);
    return NULL;
}

static void end_run(struct prober *prober)
{
    preflight_free(prober->run);
    prober->run = NULL;
}

void prober_free(struct prober *prober)
{
    if (prober == NULL)
        return;
    atomic_store(&prober->stop, true);
    if (prober->run != NULL) {
        pthread_join(prober->thread, NULL);
        end_run(prober);
    }
    json_decref(prober->report);
    free(prober);
}

/* What traffic has shown within the interval needs no probe. */
struct seen {
    const struct registry *registry;
    uint64_t since_ns;
};

static bool was_seen(const void *arg, const char *host, uint16_t port)
{
    const struct seen *seen = arg;
    const struct registry_entry *entry = NULL;

    while (seen->registry != NULL && (entry = registry_of_origin(seen->registry, host, port, entry)) != NULL)
        if (entry->last_ns >= seen->since_ns)
            return true;
    return false;
}

static enum assay_error begin(struct prober *prober, struct control *control, const struct preflight_settings *settings,
                              const struct seen *seen, uint64_t now_s, struct problems *problems)
{
    struct section *trust = publisher_section(&control->publisher, SECTION_TRUST);
    const struct section *access = publisher_section(&control->publisher, SECTION_ACCESS);
    size_t done, total;

    if (prober->run != NULL)
        return ASSAY_ERR_BUSY;
    prober->run = preflight_of(control->config, trust, access->rules, &control->names, settings,
                               seen != NULL ? was_seen : NULL, seen, now_s, problems);
    if (prober->run == NULL)
        return ASSAY_ERR_MALFORMED;
    atomic_store(&prober->ended, false);
    preflight_progress(prober->run, &done, &total);
    atomic_store(&prober->done, done);
    atomic_store(&prober->total, total);
    prober->idle_only = seen != NULL;
    prober->started_s = now_s;
    if (pthread_create(&prober->thread, NULL, run, prober) == 0)
        return ASSAY_OK;
    end_run(prober);
    problems_add(problems, "preflight", 0, "its thread cannot be started");
    return ASSAY_ERR_MALFORMED;
}

enum assay_error prober_start(struct prober *prober, struct control *control, const struct preflight_settings *settings,
                              uint64_t now_s, struct problems *problems)
{
    return begin(prober, control, settings, NULL, now_s, problems);
}

/* --- what came of it ---------------------------------------------------------------------------------------------------- */

static const char *text(const json_t *row, const char *member)
{
    const char *value = json_string_value(json_object_get(row, member));

    return value != NULL ? value : "";
}

static void log_row(struct log *log, const json_t *row)
{
    bool fails = strcmp(text(row, "verdict"), "fail") == 0;

    log_event(log, fails ? "ERROR" : "WARNING", "%spreflight: %s:%lld (%s) %s: %s. What to do: %s",
              fails ? "ALARM: " : "", text(row, "node"), (long long)json_integer_value(json_object_get(row, "port")),
              text(row, "address"), fails ? "would fail" : "was not reached", text(row, "reason"), text(row, "action"));
}

static void log_report(const struct prober *prober, struct log *log)
{
    const json_t *summary = json_object_get(prober->report, "summary"), *row;
    unsigned lines = 0;
    size_t i;

    json_array_foreach(json_object_get(prober->report, "rows"), i, row)
    {
        const char *verdict = text(row, "verdict");

        if (!json_is_true(json_object_get(row, "now")) ||
            (strcmp(verdict, "fail") != 0 && strcmp(verdict, "unknown") != 0))
            continue;
        if (lines++ < LOG_LINES_MAX)
            log_row(log, row);
    }
    log_event(log, "INFO", "preflight of %s: %lld asked, %lld would fail, %lld not reached",
              prober->idle_only ? "origins without traffic" : "all origins",
              (long long)json_integer_value(json_object_get(summary, "origins")),
              (long long)json_integer_value(json_object_get(summary, "fail")),
              (long long)json_integer_value(json_object_get(summary, "unknown")));
}

static void take_report(struct prober *prober, struct control *control, uint64_t now_s)
{
    pthread_join(prober->thread, NULL);
    json_decref(prober->report);
    prober->report = preflight_report(prober->run);
    prober->finished_s = now_s;
    end_run(prober);
    if (control->log != NULL)
        log_report(prober, control->log);
}

/* The first run comes an interval after the start, or after the setting was changed: by then traffic has shown what is idle. */
static bool is_due(struct prober *prober, uint64_t interval_s, uint64_t now_s)
{
    if (interval_s != prober->interval_s)
        prober->next_s = now_s + interval_s;
    prober->interval_s = interval_s;
    return interval_s != 0 && due_take(&prober->next_s, now_s, interval_s);
}

void prober_tick(struct prober *prober, struct control *control, uint64_t now_s)
{
    const struct config_preflight *config = &control->config->root.preflight;
    struct preflight_settings settings = {.jobs = (unsigned)config->jobs, .timeout_ms = config->timeout / 1000};
    struct problems problems = {0};
    struct seen seen = {control->registry, 0};

    if (prober->run != NULL && atomic_load(&prober->ended))
        take_report(prober, control, now_s);
    if (!is_due(prober, config->interval / 1000000, now_s))
        return;
    seen.since_ns = now_s > prober->interval_s ? (now_s - prober->interval_s) * 1000000000ULL : 0;
    if (begin(prober, control, &settings, &seen, now_s, &problems) == ASSAY_ERR_MALFORMED && control->log != NULL)
        change_log_problems(control->log, &problems);
    problems_free(&problems);
}

/* --- views -------------------------------------------------------------------------------------------------------------- */

static json_t *time_json(uint64_t seconds)
{
    char out[X509_DESCRIBE_TIME_SIZE];

    if (seconds == 0)
        return json_null();
    x509_describe_time((int64_t)seconds, out, sizeof(out));
    return json_string(out);
}

json_t *prober_view(const struct prober *prober, bool brief)
{
    json_t *out = json_object();

    json_object_set_new(out, "running", json_boolean(prober->run != NULL));
    json_object_set_new(out, "done", json_integer((json_int_t)atomic_load(&prober->done)));
    json_object_set_new(out, "total", json_integer((json_int_t)atomic_load(&prober->total)));
    json_object_set_new(out, "started", time_json(prober->started_s));
    json_object_set_new(out, "finished", time_json(prober->finished_s));
    json_object_set_new(out, "idle_only", json_boolean(prober->idle_only));
    json_object_set_new(out, "interval_s", json_integer((json_int_t)prober->interval_s));
    json_object_set(out, "report",
                    prober->report != NULL && !(brief && prober->run != NULL) ? prober->report : json_null());
    return out;
}

const json_t *prober_rows(const struct prober *prober)
{
    return json_object_get(prober->report, "rows");
}

unsigned prober_failing(const struct prober *prober)
{
    return (unsigned)json_integer_value(json_object_get(json_object_get(prober->report, "summary"), "fail"));
}
