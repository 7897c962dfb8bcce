/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "ctl/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum assay_error ctl_file_read(const char *path, uint8_t **data, size_t *size)
{
    return ctl_file_read_max(path, CTL_FILE_MAX, data, size);
}

enum assay_error ctl_file_read_max(const char *path, size_t max, uint8_t **data, size_t *size)
{
    size_t room = 65536, used = 0;
    uint8_t *buffer = malloc(room), *larger;
    enum assay_error error = ASSAY_ERR_IO;
    int fd = -1, saved;

    if (buffer == NULL)
        return ASSAY_ERR_NO_MEMORY;
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        goto out;
    /* Read to the end, not to a stat()ed size: a pipe (<(...)) is a file here too. */
    for (;;) {
        ssize_t got = read(fd, buffer + used, room - used);

        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            goto out;
        if (got == 0)
            break;
        used += (size_t)got;
        if (used < room)
            continue;
        if (room >= max) {
            error = ASSAY_ERR_LIMIT;
            goto out;
        }
        larger = realloc(buffer, room * 2);
        if (larger == NULL) {
            error = ASSAY_ERR_NO_MEMORY;
            goto out;
        }
        buffer = larger;
        room *= 2;
    }
    close(fd);
    *data = buffer;
    *size = used;
    return ASSAY_OK;
out:
    saved = errno;
    if (fd >= 0)
        close(fd);
    free(buffer);
    errno = saved;
    return error;
}

const char *ctl_file_fault(enum assay_error error)
{
    return error == ASSAY_ERR_IO ? strerror(errno) : assay_error_text(error);
}
