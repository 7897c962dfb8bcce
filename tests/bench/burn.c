/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Takes so much of a processor, and does nothing with it: what a neighbour costs, for publish.sh.
 * usage: burn CPU-US EVERY-MS COUNT: COUNT times CPU-US microseconds of processor time at a stretch, one each EVERY-MS milliseconds.
 * Its last line is what it took, in microseconds of processor time. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static uint64_t clock_us(clockid_t clock)
{
    struct timespec now;

    clock_gettime(clock, &now);
    return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

int main(int argc, char **argv)
{
    long burst_us = argc == 4 ? atol(argv[1]) : -1, every_ms = argc == 4 ? atol(argv[2]) : 0;
    long count = argc == 4 ? atol(argv[3]) : 0;
    uint64_t next_us = clock_us(CLOCK_MONOTONIC), taken_us = 0;

    if (burst_us < 0 || every_ms <= 0 || count <= 0) {
        fprintf(stderr, "usage: burn CPU-US EVERY-MS COUNT\n");
        return 2;
    }
    for (long i = 1; i <= count; i++) {
        struct timespec until;

        while (clock_us(CLOCK_PROCESS_CPUTIME_ID) < taken_us + (uint64_t)burst_us)
            ;
        taken_us = clock_us(CLOCK_PROCESS_CPUTIME_ID);
        next_us += (uint64_t)every_ms * 1000;
        until = (struct timespec){(time_t)(next_us / 1000000), (long)(next_us % 1000000) * 1000};
        clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL);
    }
    printf("%llu\n", (unsigned long long)taken_us);
    return 0;
}
