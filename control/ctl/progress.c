/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "ctl/progress.h"

#include <unistd.h>

#define BAR        40
#define LINE_BEGIN "\r\033[K" /* to column 1, and clear to the end */

void progress_begin_as(struct progress *progress, FILE *out, bool terminal)
{
    *progress = (struct progress){.out = out, .on = terminal, .done = (size_t)-1};
}

void progress_begin(struct progress *progress, FILE *out)
{
    int fd = fileno(out);

    progress_begin_as(progress, out, fd >= 0 && isatty(fd) == 1);
}

void progress_show(struct progress *progress, const char *what, size_t done, size_t total)
{
    char bar[BAR + 1];
    size_t filled = total > 0 ? done * BAR / total : 0;

    if (!progress->on || (done == progress->done && total == progress->total))
        return;
    progress->done = done;
    progress->total = total;
    progress->shown = true;
    for (size_t i = 0; i < BAR; i++)
        bar[i] = i < filled ? '#' : '.';
    bar[BAR] = '\0';
    if (total > 0)
        fprintf(progress->out, LINE_BEGIN "%s [%s] %zu/%zu", what, bar, done, total);
    else
        fprintf(progress->out, LINE_BEGIN "%s", what);
    fflush(progress->out);
}

void progress_end(struct progress *progress)
{
    if (progress->shown)
        fputs(LINE_BEGIN, progress->out);
    fflush(progress->out);
    progress->shown = false;
}
