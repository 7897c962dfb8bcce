/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The log under ThreadSanitizer: a core fills its rings, control writes events and reopens the file, the log's thread drains. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "assay/log_record.h"
#include "daemon/log.h"

#define RECORDS 20000
#define EVENTS  300

static struct byte_ring *rings[2];

static void *core(void *arg)
{
    for (unsigned i = 0; i < RECORDS; i++) {
        struct log_record record = {.kind = LOG_SSL_FAILED, .wall_ns = i, .string_length = {4}};
        uint8_t *out = byte_ring_reserve(rings[i % 2], sizeof(record) + 4);

        if (out == NULL) { /* full: a core drops it, a test waits */
            usleep(500);
            i--;
            continue;
        }
        memcpy(out, &record, sizeof(record));
        memcpy(out + sizeof(record), "name", 4);
        byte_ring_commit(rings[i % 2], sizeof(record) + 4);
    }
    return NULL;
}

int main(void)
{
    char path[] = P_tmpdir "/assay-race-XXXXXX";
    int fd = mkstemp(path);
    struct log_stats stats;
    struct log *log;
    pthread_t thread;

    if (fd < 0 || byte_ring_create(65536, &rings[0]) != ASSAY_OK || byte_ring_create(65536, &rings[1]) != ASSAY_OK)
        return 1;
    close(fd);
    log = log_create(path);
    if (log_start(log, rings, 2) != ASSAY_OK || pthread_create(&thread, NULL, core, NULL) != 0)
        return 1;
    for (int i = 0; i < EVENTS; i++) {
        log_event(log, "INFO", "event %d", i);
        if (i % 10 == 0)
            log_reopen(log, path);
        log_get_stats(log, &stats);
        usleep(100);
    }
    pthread_join(thread, NULL);
    log_stop(log);
    log_get_stats(log, &stats);
    printf("%llu lines, %llu malformed, %llu failures\n", (unsigned long long)stats.lines,
           (unsigned long long)stats.malformed, (unsigned long long)stats.write_failures);
    log_free(log);
    byte_ring_destroy(rings[0]);
    byte_ring_destroy(rings[1]);
    unlink(path);
    return stats.lines == RECORDS + EVENTS && stats.malformed == 0 && stats.write_failures == 0 ? 0 : 1;
}
