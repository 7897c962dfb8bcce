/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "daemon/log.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "daemon/arena.h"
#include "daemon/log_format.h"

#define BUFFER_BYTES (512U << 10)
#define IDLE_NS      2000000L

struct log {
    pthread_mutex_t lock; /* everything below: the log's thread and whoever has an event */
    int fd;
    bool own_fd;
    char *path; /* NULL: standard error */
    bool reopen;
    bool torn;     /* the file ends within a line */
    uint64_t lost; /* failures that no line has told of */
    bool stop;
    struct log_stats stats;
    struct log_context context;
    uint64_t offset_quarter; /* the quarter of an hour the UTC offset was asked for */
    char host[256];
    char *buffer;
    size_t used;
    /* the log's thread alone */
    pthread_t thread;
    bool running;
    struct byte_ring *rings[LOG_RINGS_MAX];
    uint32_t ring_count;
};

/* --- time zone --------------------------------------------------------------------------------------------------------------------- */

/* localtime_r() locks and looks at the zone file: a quarter of an hour is short enough, no zone changes within one. */
static void set_offset(struct log *log, uint64_t wall_ns)
{
    uint64_t quarter = wall_ns / (900 * 1000000000ULL) + 1;
    time_t seconds = (time_t)(wall_ns / 1000000000ULL);
    struct tm tm;

    if (quarter == log->offset_quarter)
        return;
    log->offset_quarter = quarter;
    if (localtime_r(&seconds, &tm) != NULL)
        log->context.utc_offset_s = (int32_t)tm.tm_gmtoff;
}

/* --- the file ------------------------------------------------------------------------------------------------------------------- */

/* Where the new one cannot be opened the one before goes on: what happens then is what an operator will want to read. */
static bool open_file(struct log *log)
{
    int fd = STDERR_FILENO;

    if (log->path != NULL)
        fd = open(log->path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0640);
    if (fd < 0)
        return false;
    if (log->own_fd)
        close(log->fd);
    log->own_fd = fd != STDERR_FILENO;
    log->fd = fd;
    log->torn = false;
    return true;
}

static uint64_t wall_ns_now(void)
{
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    return (uint64_t)now.tv_sec * 1000000000ULL + (uint64_t)now.tv_nsec;
}

/* There is room. */
static void add_line(struct log *log, uint64_t wall_ns, const char *level, struct slice text)
{
    set_offset(log, wall_ns);
    log->used += log_format_event(wall_ns, level, text, &log->context, log->buffer + log->used, LOG_LINE_MAX);
    log->stats.lines++;
}

static void flush(struct log *log)
{
    size_t done = 0;

    /* the file was full in the middle of a line: what follows is a line of its own */
    if (log->torn && log->used > 0 && write(log->fd, "\n", 1) == 1)
        log->torn = false;
    while (done < log->used) {
        ssize_t n = write(log->fd, log->buffer + done, log->used - done);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0) {
            log->stats.write_failures++;
            log->stats.failing = n < 0 ? errno : ENOSPC;
            log->lost++;
            log->torn |= done > 0 && log->buffer[done - 1] != '\n';
            break;
        }
        done += (size_t)n;
    }
    if (log->used > 0 && done == log->used)
        log->stats.failing = 0;
    log->stats.bytes += done;
    log->used = 0;
}

/* It can be written again: a reader must know that something is missing here. */
static void say_lost(struct log *log)
{
    char text[128];

    if (log->lost == 0 || log->stats.failing != 0)
        return;
    snprintf(text, sizeof(text), "the log could not be written %llu times: lines are missing before this one",
             (unsigned long long)log->lost);
    log->lost = 0;
    add_line(log, wall_ns_now(), "ERROR", slice_text(text));
}

static void add_event(struct log *log, uint64_t wall_ns, const char *level, struct slice text)
{
    say_lost(log);
    if (BUFFER_BYTES - log->used < LOG_LINE_MAX)
        flush(log);
    add_line(log, wall_ns, level, text);
    flush(log);
}

static void reopen_if_asked(struct log *log)
{
    char text[LOG_STRING_MAX];

    if (!log->reopen)
        return;
    flush(log);
    log->reopen = false;
    if (open_file(log))
        return;
    snprintf(text, sizeof(text), "log.file %s cannot be opened: %s: the one before goes on", log->path,
             strerror(errno));
    add_event(log, wall_ns_now(), "ERROR", slice_text(text));
}

/* --- draining ------------------------------------------------------------------------------------------------------------------------ */

/* The ring whose oldest record is the oldest of all; NULL: all are empty. A core's two rings interleave that way. */
static struct byte_ring *oldest(struct log *log, struct slice *bytes)
{
    struct byte_ring *best = NULL;
    uint64_t best_ns = 0;

    for (uint32_t i = 0; i < log->ring_count; i++) {
        struct log_record record;
        struct slice found;
        uint64_t wall_ns = 0;

        if (!byte_ring_peek(log->rings[i], &found))
            continue;
        if (found.len >= sizeof(record)) {
            memcpy(&record, found.data, sizeof(record));
            wall_ns = record.wall_ns;
        }
        if (best != NULL && wall_ns >= best_ns)
            continue;
        best = log->rings[i];
        best_ns = wall_ns;
        *bytes = found;
    }
    return best;
}

static void write_record(struct log *log, struct slice bytes)
{
    struct slice strings[LOG_STRINGS];
    struct log_record record;
    size_t len;

    if (!log_record_parse(bytes, &record, strings)) {
        log->stats.malformed++;
        return;
    }
    set_offset(log, record.wall_ns);
    if (BUFFER_BYTES - log->used < LOG_LINE_MAX)
        flush(log);
    len = log_format(&record, strings, &log->context, log->buffer + log->used, LOG_LINE_MAX);
    log->used += len;
    log->stats.lines += len > 0;
}

/* One buffer full at most, so that events and reopening get their turn. */
static bool drain(struct log *log)
{
    bool worked = false;

    pthread_mutex_lock(&log->lock);
    reopen_if_asked(log);
    say_lost(log);
    while (BUFFER_BYTES - log->used >= LOG_LINE_MAX) {
        struct slice bytes;
        struct byte_ring *ring = oldest(log, &bytes);

        if (ring == NULL)
            break;
        write_record(log, bytes);
        byte_ring_release(ring);
        worked = true;
    }
    flush(log);
    pthread_mutex_unlock(&log->lock);
    return worked;
}

static bool stopping(struct log *log)
{
    bool stop;

    pthread_mutex_lock(&log->lock);
    stop = log->stop;
    pthread_mutex_unlock(&log->lock);
    return stop;
}

static void *log_thread(void *arg)
{
    const struct timespec idle = {0, IDLE_NS};
    struct log *log = arg;

    for (;;) {
        bool last = stopping(log); /* before draining: what was there when it was said is written */

        if (drain(log))
            continue;
        if (last)
            break;
        nanosleep(&idle, NULL);
    }
    return NULL;
}

/* --- from outside ------------------------------------------------------------------------------------------------------------------- */

struct log *log_create(const char *path)
{
    struct log *log = memory_alloc(sizeof(*log));

    pthread_mutex_init(&log->lock, NULL);
    log->buffer = memory_alloc(BUFFER_BYTES);
    log->path = path != NULL ? strdup(path) : NULL;
    log->fd = STDERR_FILENO;
    if (gethostname(log->host, sizeof(log->host) - 1) != 0 || log->host[0] == '\0')
        memcpy(log->host, "localhost", sizeof("localhost"));
    /* the prefix has the short name */
    log->host[strcspn(log->host, ".")] = '\0';
    log->context = (struct log_context){.host = log->host, .pid = (uint32_t)getpid()};
    if (!open_file(log))
        fprintf(stderr, "assayd: log file %s: %s; writing to standard error\n", log->path, strerror(errno));
    return log;
}

void log_free(struct log *log)
{
    if (log == NULL)
        return;
    log_stop(log);
    if (log->own_fd)
        close(log->fd);
    pthread_mutex_destroy(&log->lock);
    free(log->path);
    free(log->buffer);
    free(log);
}

enum assay_error log_start(struct log *log, struct byte_ring *const *rings, uint32_t count)
{
    if (count > LOG_RINGS_MAX)
        return ASSAY_ERR_RANGE;
    memcpy(log->rings, rings, count * sizeof(*rings));
    log->ring_count = count;
    log->stop = false;
    if (pthread_create(&log->thread, NULL, log_thread, log) != 0)
        return ASSAY_ERR_SYSTEM;
    pthread_setname_np(log->thread, "assay-log");
    log->running = true;
    return ASSAY_OK;
}

void log_stop(struct log *log)
{
    if (!log->running)
        return;
    pthread_mutex_lock(&log->lock);
    log->stop = true;
    pthread_mutex_unlock(&log->lock);
    pthread_join(log->thread, NULL);
    log->running = false;
    log->ring_count = 0;
}

void log_reopen(struct log *log, const char *path)
{
    pthread_mutex_lock(&log->lock);
    free(log->path);
    log->path = path != NULL ? strdup(path) : NULL;
    log->reopen = true;
    if (!log->running)
        reopen_if_asked(log);
    pthread_mutex_unlock(&log->lock);
}

void log_event(struct log *log, const char *level, const char *format, ...)
{
    char text[LOG_STRING_MAX];
    va_list args;
    int len;

    va_start(args, format);
    len = vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    if (len < 0)
        return;
    pthread_mutex_lock(&log->lock);
    add_event(log, wall_ns_now(), level, slice_of(text, (size_t)len < sizeof(text) ? (size_t)len : sizeof(text) - 1));
    pthread_mutex_unlock(&log->lock);
}

void log_get_stats(struct log *log, struct log_stats *out)
{
    pthread_mutex_lock(&log->lock);
    *out = log->stats;
    pthread_mutex_unlock(&log->lock);
}
