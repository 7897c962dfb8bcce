/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "report/values.h"

#include "x509/describe.h"

json_t *report_number(uint64_t value)
{
    return json_integer(value > INT64_MAX ? INT64_MAX : (json_int_t)value);
}

json_t *report_time(uint64_t seconds)
{
    char text[X509_DESCRIBE_TIME_SIZE];

    x509_describe_time((int64_t)seconds, text, sizeof(text));
    return json_string(text);
}

json_t *report_sha256(const uint8_t sha256[32])
{
    char text[X509_DESCRIBE_HEX_SIZE];

    x509_describe_hex(slice_of(sha256, 32), text, sizeof(text));
    return json_string(text);
}
