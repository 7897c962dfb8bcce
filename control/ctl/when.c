/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "ctl/when.h"

#include <stdbool.h>
#include <string.h>
#include <time.h>

static bool digits_take(const char **text, int count, int *value)
{
    *value = 0;
    for (int i = 0; i < count; i++) {
        char c = (*text)[i];

        if (c < '0' || c > '9')
            return false;
        *value = *value * 10 + (c - '0');
    }
    *text += count;
    return true;
}

static bool char_take(const char **text, const char *any)
{
    if (**text == 0 || strchr(any, **text) == NULL)
        return false;
    ++*text;
    return true;
}

/* "Z", "+hh:mm" or "-hh:mm", and nothing after it; the offset in seconds. */
static bool zone_take(const char **text, int *offset)
{
    int sign = **text == '-' ? -1 : 1, hours, minutes;

    *offset = 0;
    if (char_take(text, "Zz"))
        return **text == 0;
    if (!char_take(text, "+-") || !digits_take(text, 2, &hours) || !char_take(text, ":") ||
        !digits_take(text, 2, &minutes) || hours > 23 || minutes > 59)
        return false;
    *offset = sign * (hours * 3600 + minutes * 60);
    return **text == 0;
}

static enum assay_error rfc3339_parse(const char *text, uint64_t *seconds)
{
    struct tm tm = {0}, normal;
    int offset, skipped, second;
    time_t at;

    if (!digits_take(&text, 4, &tm.tm_year) || !char_take(&text, "-") || !digits_take(&text, 2, &tm.tm_mon) ||
        !char_take(&text, "-") || !digits_take(&text, 2, &tm.tm_mday) || !char_take(&text, "Tt ") ||
        !digits_take(&text, 2, &tm.tm_hour) || !char_take(&text, ":") || !digits_take(&text, 2, &tm.tm_min) ||
        !char_take(&text, ":") || !digits_take(&text, 2, &tm.tm_sec))
        return ASSAY_ERR_MALFORMED;
    if (char_take(&text, ".")) {
        if (!digits_take(&text, 1, &skipped))
            return ASSAY_ERR_MALFORMED;
        while (digits_take(&text, 1, &skipped))
            ;
    }
    if (!zone_take(&text, &offset))
        return ASSAY_ERR_MALFORMED;
    tm.tm_year -= 1900;
    tm.tm_mon -= 1;
    second = tm.tm_sec;
    tm.tm_sec = 0;
    normal = tm;
    at = timegm(&normal) + second;
    /* timegm makes 2 March of 30 February. A leap second is the next minute's first. */
    if (normal.tm_mon != tm.tm_mon || normal.tm_mday != tm.tm_mday || tm.tm_hour > 23 || tm.tm_min > 59 || second > 60)
        return ASSAY_ERR_MALFORMED;
    at -= offset;
    if (at < 0)
        return ASSAY_ERR_RANGE;
    *seconds = (uint64_t)at;
    return ASSAY_OK;
}

enum assay_error ctl_when_parse(const char *text, uint64_t *seconds)
{
    uint64_t value = 0;
    size_t length = strlen(text);

    if (length == 0 || strspn(text, "0123456789") != length)
        return rfc3339_parse(text, seconds);
    if (length > 12) /* the year 33658; more would be milliseconds, or a mistake */
        return ASSAY_ERR_RANGE;
    for (size_t i = 0; i < length; i++)
        value = value * 10 + (uint64_t)(text[i] - '0');
    *seconds = value;
    return ASSAY_OK;
}
