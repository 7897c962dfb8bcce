/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "daemon/capture_session.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/byte_ring.h"
#include "daemon/arena.h"
#include "daemon/capture_filter.h"
#include "daemon/pcapng.h"
#include "net/capture.h"

#define RING_BYTES         (4U << 20) /* of a core: 30 ms of a gigabit */
#define WRITE_BYTES        (256U << 10)
#define IDLE_NS            1000000
#define NAME_MAX_BYTES     200
#define COMMAND_TIMEOUT_US 1000000
/* Kept free of the limit for what ends the file. */
#define TAIL_BYTES 64

enum writer_order { WRITER_RUN, WRITER_FINISH };

struct capture_session {
    struct fleet *fleet;
    uint32_t count;
    struct capture captures[ASSAY_CORES_MAX]; /* counters: written by the cores */
    struct bpf_insn *filter;
    char *path, *filter_text;
    uint64_t max_bytes, max_packets;
    uint64_t started_s, end_ns; /* of the monotonic clock; 0: no end */
    bool running;
    pthread_t thread;
    int fd;
    struct text buffer; /* the writer's */
    _Atomic int order;  /* enum writer_order */
    /* the writer's, for all to read */
    _Atomic uint64_t packets, bytes, lost;
    _Atomic(const char *) ended; /* NULL: it goes on */
    char failure[128];           /* written before ended points to it */
};

static uint64_t clock_of(clockid_t clock)
{
    struct timespec now;

    clock_gettime(clock, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static uint64_t wall_ns(void)
{
    return clock_of(CLOCK_REALTIME);
}

/* --- the writer ------------------------------------------------------------------------------------------------------------- */

static void finish(struct capture_session *s, const char *why)
{
    const char *none = NULL;

    atomic_compare_exchange_strong(&s->ended, &none, why);
}

static bool finished(const struct capture_session *s)
{
    return atomic_load(&s->ended) != NULL;
}

static void flush(struct capture_session *s)
{
    const char *data = s->buffer.data;
    size_t len = s->buffer.len;

    while (len > 0) {
        ssize_t n = write(s->fd, data, len);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0) {
            snprintf(s->failure, sizeof(s->failure), "the file cannot be written: %s",
                     strerror(n < 0 ? errno : ENOSPC));
            finish(s, s->failure);
            break;
        }
        data += n;
        len -= (size_t)n;
    }
    text_clear(&s->buffer);
}

/* The ring whose first record is the oldest, or NULL when all are empty. */
static struct byte_ring *oldest(struct capture_session *s, struct slice *record)
{
    struct byte_ring *found = NULL;
    uint64_t first_ns = UINT64_MAX;

    for (uint32_t i = 0; i < s->count; i++) {
        const struct capture_record *head;
        struct slice bytes;

        if (!byte_ring_peek(s->captures[i].ring, &bytes))
            continue;
        head = (const struct capture_record *)bytes.data;
        if (head->wall_ns >= first_ns)
            continue;
        first_ns = head->wall_ns;
        found = s->captures[i].ring;
        *record = bytes;
    }
    return found;
}

static void write_record(struct capture_session *s, struct slice bytes)
{
    const struct capture_record *record = (const struct capture_record *)bytes.data;
    size_t len = bytes.len - sizeof(*record);
    uint64_t size = atomic_load(&s->bytes) + pcapng_packet_size(len);

    if (finished(s)) /* what came after the limit is emptied out */
        return;
    if (size + TAIL_BYTES > s->max_bytes) {
        finish(s, "the file has reached max_bytes");
        return;
    }
    pcapng_packet(&s->buffer, record->wall_ns, record->direction, slice_of(record->bytes, len), record->length);
    atomic_store(&s->bytes, size);
    if (atomic_fetch_add(&s->packets, 1) + 1 == s->max_packets)
        finish(s, "max_packets were captured");
}

static bool drain(struct capture_session *s)
{
    struct byte_ring *ring;
    struct slice record;
    bool worked = false;

    while (s->buffer.len < WRITE_BYTES && (ring = oldest(s, &record)) != NULL) {
        write_record(s, record);
        byte_ring_release(ring);
        worked = true;
    }
    flush(s);
    return worked;
}

static void count(const struct capture_session *s, uint64_t *seen, uint64_t *matched, uint64_t *dropped)
{
    *seen = *matched = *dropped = 0;
    for (uint32_t i = 0; i < s->count; i++) {
        *seen += __atomic_load_n(&s->captures[i].seen, __ATOMIC_RELAXED);
        *matched += __atomic_load_n(&s->captures[i].matched, __ATOMIC_RELAXED);
        *dropped += __atomic_load_n(&s->captures[i].dropped, __ATOMIC_RELAXED);
    }
}

static void write_tail(struct capture_session *s)
{
    uint64_t seen, matched, dropped;

    count(s, &seen, &matched, &dropped);
    /* after a limit the rings fill up: that is no loss */
    pcapng_statistics(&s->buffer, wall_ns(), seen, atomic_load(&s->lost));
    atomic_fetch_add(&s->bytes, s->buffer.len);
    flush(s);
}

static void *writer(void *arg)
{
    const struct timespec idle = {0, IDLE_NS};
    struct capture_session *s = arg;

    for (;;) {
        bool last = atomic_load(&s->order) == WRITER_FINISH; /* before draining */
        uint64_t seen, matched, dropped;

        if (s->end_ns != 0 && clock_of(CLOCK_MONOTONIC) >= s->end_ns)
            finish(s, "the time is over");
        if (!finished(s)) {
            count(s, &seen, &matched, &dropped);
            atomic_store(&s->lost, dropped);
        }
        if (drain(s))
            continue;
        if (last)
            break;
        nanosleep(&idle, NULL);
    }
    write_tail(s);
    return NULL;
}

/* --- start ------------------------------------------------------------------------------------------------------------------ */

static bool name_is_good(const char *name)
{
    size_t len = strlen(name);

    return len > 0 && len <= NAME_MAX_BYTES && name[0] != '.' &&
           strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._+-") == len;
}

/* Never over a file that is there, never through a link: whoever may ask for a capture is not who owns the files. */
static bool open_file(struct capture_session *s, const struct capture_options *options, char *error, size_t error_size)
{
    struct text path = {0};

    if (!name_is_good(options->file)) {
        snprintf(error, error_size,
                 "file: a name of letters, digits and ._+- is needed, without a folder: it is made in %s",
                 options->directory);
        return false;
    }
    text_printf(&path, "%s/%s", options->directory, options->file);
    s->path = path.data;
    (void)mkdir(options->directory, 0750); /* there already, or open() says what is wrong */
    s->fd = open(s->path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0640);
    if (s->fd < 0)
        snprintf(error, error_size, "%s: %s", s->path,
                 errno == EEXIST ? "is there already: choose another name" : strerror(errno));
    return s->fd >= 0;
}

static bool make_rings(struct capture_session *s, uint32_t snaplen, char *error, size_t error_size)
{
    for (uint32_t i = 0; i < s->fleet->count; i++) {
        s->captures[i] = (struct capture){.filter = s->filter, .snaplen = snaplen, .wall_ns = wall_ns};
        if (byte_ring_create(RING_BYTES, &s->captures[i].ring) != ASSAY_OK) {
            snprintf(error, error_size, "out of memory");
            return false;
        }
        s->count++;
    }
    return true;
}

static bool begin(struct capture_session *s, const struct capture_options *options, char *error, size_t error_size)
{
    struct capture *each[ASSAY_CORES_MAX];

    pcapng_section(&s->buffer, "assayd");
    pcapng_interface(&s->buffer, options->port, options->filter, options->snaplen);
    atomic_store(&s->bytes, s->buffer.len);
    if (pthread_create(&s->thread, NULL, writer, s) != 0) {
        snprintf(error, error_size, "no thread can be made");
        return false;
    }
    pthread_setname_np(s->thread, "assay-capture");
    s->running = true;
    for (uint32_t i = 0; i < s->count; i++)
        each[i] = &s->captures[i];
    if (fleet_capture(s->fleet, each, COMMAND_TIMEOUT_US) == ASSAY_OK)
        return true;
    /* some cores may have it, and it is theirs until they answer: it runs, and is stopped as soon as that can be done */
    finish(s, "a core did not answer");
    return true;
}

struct capture_session *capture_start(struct fleet *fleet, const struct capture_options *options, uint64_t now_s,
                                      char *error, size_t error_size)
{
    struct capture_session *s = memory_alloc(sizeof(*s));

    *s = (struct capture_session){.fleet = fleet,
                                  .fd = -1,
                                  .started_s = now_s,
                                  .max_bytes = options->max_bytes,
                                  .max_packets = options->max_packets};
    s->filter_text = strdup(options->filter);
    if (options->for_s > 0)
        s->end_ns = clock_of(CLOCK_MONOTONIC) + options->for_s * 1000000000;
    if (capture_filter_compile(options->filter, options->snaplen, &s->filter, error, error_size) &&
        open_file(s, options, error, error_size) && make_rings(s, options->snaplen, error, error_size) &&
        begin(s, options, error, error_size))
        return s;
    if (s->fd >= 0)
        (void)unlink(s->path);
    capture_free(s);
    return NULL;
}

/* --- afterwards -------------------------------------------------------------------------------------------------------------- */

enum assay_error capture_stop(struct capture_session *s)
{
    if (!s->running)
        return ASSAY_OK;
    if (s->fleet->running && fleet_capture(s->fleet, NULL, COMMAND_TIMEOUT_US) != ASSAY_OK)
        return ASSAY_ERR_BUSY;
    atomic_store(&s->order, WRITER_FINISH);
    pthread_join(s->thread, NULL);
    finish(s, "stopped");
    s->running = false;
    close(s->fd);
    s->fd = -1;
    return ASSAY_OK;
}

bool capture_tick(struct capture_session *s)
{
    return s != NULL && s->running && finished(s) && capture_stop(s) == ASSAY_OK;
}

bool capture_running(const struct capture_session *s)
{
    return s != NULL && s->running;
}

void capture_get_status(const struct capture_session *s, struct capture_status *out)
{
    const char *ended = atomic_load(&s->ended);

    *out = (struct capture_status){.running = s->running,
                                   .path = s->path,
                                   .filter = s->filter_text,
                                   .ended = ended != NULL ? ended : "",
                                   .started_s = s->started_s,
                                   .packets = atomic_load(&s->packets),
                                   .bytes = atomic_load(&s->bytes)};
    count(s, &out->seen, &out->matched, &out->dropped);
    if (ended != NULL)
        out->dropped = atomic_load(&s->lost);
}

void capture_free(struct capture_session *s)
{
    if (s == NULL)
        return;
    /* a core that still holds its ring would write into freed memory: better to lose it */
    if (s->running && capture_stop(s) != ASSAY_OK)
        return;
    if (s->fd >= 0)
        close(s->fd);
    for (uint32_t i = 0; i < s->count; i++)
        byte_ring_destroy(s->captures[i].ring);
    capture_filter_free(s->filter);
    text_free(&s->buffer);
    free(s->path);
    free(s->filter_text);
    free(s);
}
