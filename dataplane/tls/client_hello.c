/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tls/client_hello.h"

#include <string.h>

#include "tls/alerts.h"

enum extension {
    EXTENSION_SERVER_NAME = 0,
    EXTENSION_SUPPORTED_GROUPS = 10,
    EXTENSION_EC_POINT_FORMATS = 11,
    EXTENSION_SIGNATURE_ALGORITHMS = 13,
    EXTENSION_ALPN = 16,
    EXTENSION_ENCRYPT_THEN_MAC = 22,
    EXTENSION_EXTENDED_MASTER_SECRET = 23,
    EXTENSION_PRE_SHARED_KEY = 41,
    EXTENSION_EARLY_DATA = 42,
    EXTENSION_SUPPORTED_VERSIONS = 43,
    EXTENSION_COOKIE = 44,
    EXTENSION_PSK_KEY_EXCHANGE_MODES = 45,
    EXTENSION_POST_HANDSHAKE_AUTH = 49,
    EXTENSION_SIGNATURE_ALGORITHMS_CERT = 50,
    EXTENSION_KEY_SHARE = 51,
    EXTENSION_RENEGOTIATION_INFO = 0xff01,
};

/* --- reading: a vector is taken whole, or nothing is ------------------------------------------------------------------- */

static bool take(struct slice *from, size_t len, struct slice *out)
{
    if (from->len < len)
        return false;
    *out = slice_of(from->data, len);
    *from = slice_of(from->data + len, from->len - len);
    return true;
}

static bool take_number(struct slice *from, size_t bytes, uint32_t *out)
{
    struct slice number;

    if (!take(from, bytes, &number))
        return false;
    *out = 0;
    for (size_t i = 0; i < bytes; i++)
        *out = *out << 8 | number.data[i];
    return true;
}

/* A vector with a length of length_bytes, which holds at least min bytes. */
static bool take_vector(struct slice *from, size_t length_bytes, size_t min, struct slice *out)
{
    uint32_t len;

    return take_number(from, length_bytes, &len) && len >= min && take(from, len, out);
}

/* The same where nothing may follow it. */
static bool whole_vector(struct slice from, size_t length_bytes, size_t min, struct slice *out)
{
    return take_vector(&from, length_bytes, min, out) && from.len == 0;
}

static uint16_t number_at(struct slice list, size_t index)
{
    return (uint16_t)(list.data[2 * index] << 8 | list.data[2 * index + 1]);
}

static bool list_has(struct slice list, uint16_t value)
{
    for (size_t i = 0; i < list.len / 2; i++)
        if (number_at(list, i) == value)
            return true;
    return false;
}

/* --- extensions: 0 when sound, or the alert --------------------------------------------------------------------------------- */

static bool is_name_byte(uint8_t c)
{
    uint8_t lower = ascii_lower(c);

    return (lower >= 'a' && lower <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
}

bool client_hello_is_host_name(struct slice name)
{
    size_t label = 0;

    if (name.len == 0 || name.len > 253)
        return false;
    for (size_t i = 0; i < name.len; i++) {
        if (name.data[i] == '.') {
            if (label == 0)
                return false;
            label = 0;
        } else if (!is_name_byte(name.data[i]) || ++label > 63) {
            return false;
        }
    }
    return label > 0;
}

/* RFC 6066 knows one type of name only, and no type may come twice: so there is one name. */
static uint8_t read_server_name(struct slice body, struct client_hello *out)
{
    struct slice list;
    uint32_t type;

    if (!whole_vector(body, 2, 1, &list) || !take_number(&list, 1, &type))
        return TLS_ALERT_DECODE_ERROR;
    if (type != 0)
        return TLS_ALERT_DECODE_ERROR;
    if (!take_vector(&list, 2, 1, &out->sni))
        return TLS_ALERT_DECODE_ERROR;
    if (list.len != 0)
        return TLS_ALERT_ILLEGAL_PARAMETER;
    return client_hello_is_host_name(out->sni) ? 0 : TLS_ALERT_ILLEGAL_PARAMETER;
}

static uint8_t read_alpn(struct slice body, struct client_hello *out)
{
    struct slice list, name;

    if (!whole_vector(body, 2, 2, &list))
        return TLS_ALERT_DECODE_ERROR;
    out->alpn = list;
    while (list.len > 0)
        if (!take_vector(&list, 1, 1, &name))
            return TLS_ALERT_DECODE_ERROR;
    return 0;
}

/* A list of two-byte values with a length of length_bytes. */
static uint8_t read_values(struct slice body, size_t length_bytes, struct slice *out)
{
    if (!whole_vector(body, length_bytes, 2, out) || out->len % 2 != 0)
        return TLS_ALERT_DECODE_ERROR;
    return 0;
}

static uint8_t read_groups(struct slice body, struct client_hello *out)
{
    uint8_t alert = read_values(body, 2, &out->groups);

    if (alert != 0)
        return alert;
    return out->groups.len / 2 > CLIENT_HELLO_GROUPS_MAX ? TLS_ALERT_ILLEGAL_PARAMETER : 0;
}

static uint8_t read_versions(struct slice body, struct client_hello *out)
{
    struct slice list;
    uint8_t alert = read_values(body, 1, &list);

    if (alert == 0)
        out->offers_tls13 = list_has(list, 0x0304);
    return alert;
}

/* "Clients MUST NOT offer multiple KeyShareEntry values for the same group": the library takes the last and keeps both. */
static uint8_t read_key_shares(struct slice body, struct client_hello *out)
{
    uint16_t seen[CLIENT_HELLO_SHARES_MAX];
    struct slice list, key;
    size_t count = 0;
    uint32_t group;

    if (!whole_vector(body, 2, 0, &list))
        return TLS_ALERT_DECODE_ERROR;
    out->has_key_share = true;
    out->key_shares = list;
    while (list.len > 0) {
        if (!take_number(&list, 2, &group) || !take_vector(&list, 2, 1, &key))
            return TLS_ALERT_DECODE_ERROR;
        if (count == CLIENT_HELLO_SHARES_MAX)
            return TLS_ALERT_ILLEGAL_PARAMETER;
        for (size_t i = 0; i < count; i++)
            if (seen[i] == group)
                return TLS_ALERT_ILLEGAL_PARAMETER;
        seen[count++] = (uint16_t)group;
    }
    return 0;
}

/* As many binders as identities, each of a digest's size. */
static uint8_t read_psk(struct slice body, struct client_hello *out)
{
    struct slice identities, binders, item;
    size_t identity_count = 0, binder_count = 0;
    uint32_t age;

    out->has_psk = true;
    if (!take_vector(&body, 2, 7, &identities) || !whole_vector(body, 2, 33, &binders))
        return TLS_ALERT_DECODE_ERROR;
    for (; identities.len > 0; identity_count++)
        if (!take_vector(&identities, 2, 1, &item) || !take_number(&identities, 4, &age))
            return TLS_ALERT_DECODE_ERROR;
    for (; binders.len > 0; binder_count++)
        if (!take_vector(&binders, 1, 32, &item))
            return TLS_ALERT_DECODE_ERROR;
    return identity_count == binder_count ? 0 : TLS_ALERT_ILLEGAL_PARAMETER;
}

static uint8_t read_extension(uint16_t type, struct slice body, struct client_hello *out)
{
    struct slice list;

    switch (type) {
    case EXTENSION_SERVER_NAME: return read_server_name(body, out);
    case EXTENSION_ALPN: return read_alpn(body, out);
    case EXTENSION_SUPPORTED_GROUPS: return read_groups(body, out);
    case EXTENSION_SUPPORTED_VERSIONS: return read_versions(body, out);
    case EXTENSION_KEY_SHARE: return read_key_shares(body, out);
    case EXTENSION_PRE_SHARED_KEY: return read_psk(body, out);
    case EXTENSION_SIGNATURE_ALGORITHMS:
    case EXTENSION_SIGNATURE_ALGORITHMS_CERT: return read_values(body, 2, &list);
    case EXTENSION_PSK_KEY_EXCHANGE_MODES:
        out->has_psk_modes = true;
        return whole_vector(body, 1, 1, &list) ? 0 : TLS_ALERT_DECODE_ERROR;
    case EXTENSION_EC_POINT_FORMATS: return whole_vector(body, 1, 1, &list) ? 0 : TLS_ALERT_DECODE_ERROR;
    case EXTENSION_RENEGOTIATION_INFO: return whole_vector(body, 1, 0, &list) ? 0 : TLS_ALERT_DECODE_ERROR;
    case EXTENSION_COOKIE: return whole_vector(body, 2, 1, &list) ? 0 : TLS_ALERT_DECODE_ERROR;
    case EXTENSION_ENCRYPT_THEN_MAC:
    case EXTENSION_EXTENDED_MASTER_SECRET:
    case EXTENSION_EARLY_DATA:
    case EXTENSION_POST_HANDSHAKE_AUTH: return body.len == 0 ? 0 : TLS_ALERT_DECODE_ERROR;
    default: return 0;
    }
}

static uint8_t read_extensions(struct slice extensions, struct client_hello *out)
{
    uint16_t seen[CLIENT_HELLO_EXTENSIONS_MAX];
    size_t count = 0;

    while (extensions.len > 0) {
        struct slice body;
        uint32_t type;
        uint8_t alert;

        if (!take_number(&extensions, 2, &type) || !take_vector(&extensions, 2, 0, &body))
            return TLS_ALERT_DECODE_ERROR;
        if (out->has_psk) /* it covers all before it, and must be the last (RFC 8446 §4.2.11) */
            return TLS_ALERT_ILLEGAL_PARAMETER;
        if (count == CLIENT_HELLO_EXTENSIONS_MAX)
            return TLS_ALERT_ILLEGAL_PARAMETER;
        for (size_t i = 0; i < count; i++)
            if (seen[i] == type)
                return TLS_ALERT_ILLEGAL_PARAMETER;
        seen[count++] = (uint16_t)type;
        alert = read_extension((uint16_t)type, body, out);
        if (alert != 0)
            return alert;
    }
    return 0;
}

/* --- what the parts must be together (RFC 8446 §4.2.8, §4.2.9, §9.2) ---------------------------------------------------------- */

static uint8_t check_shares_against_groups(const struct client_hello *hello)
{
    struct slice list = hello->key_shares, key;
    uint32_t group;

    while (list.len > 0) {
        if (!take_number(&list, 2, &group) || !take_vector(&list, 2, 1, &key))
            return TLS_ALERT_DECODE_ERROR;
        if (!list_has(hello->groups, (uint16_t)group))
            return TLS_ALERT_ILLEGAL_PARAMETER;
    }
    return 0;
}

static uint8_t check_together(const struct client_hello *hello, struct slice compression)
{
    if (memchr(compression.data, 0, compression.len) == NULL)
        return TLS_ALERT_ILLEGAL_PARAMETER;
    if (!hello->offers_tls13)
        return 0;
    if (compression.len != 1)
        return TLS_ALERT_ILLEGAL_PARAMETER;
    if (hello->has_psk && !hello->has_psk_modes)
        return TLS_ALERT_MISSING_EXTENSION;
    if (hello->has_key_share != (hello->groups.len > 0))
        return TLS_ALERT_MISSING_EXTENSION;
    return check_shares_against_groups(hello);
}

static uint8_t read_hello(struct slice message, struct client_hello *out)
{
    struct slice body, suites, compression, extensions = {NULL, 0};
    uint32_t type, version;

    if (!take_number(&message, 1, &type) || type != 1)
        return TLS_ALERT_UNEXPECTED_MESSAGE;
    if (!whole_vector(message, 3, 0, &body))
        return TLS_ALERT_DECODE_ERROR;
    if (!take_number(&body, 2, &version) || !take(&body, 32, &out->random) ||
        !take_vector(&body, 1, 0, &out->session_id) || out->session_id.len > 32)
        return TLS_ALERT_DECODE_ERROR;
    out->legacy_version = (uint16_t)version;
    if (!take_vector(&body, 2, 2, &suites) || suites.len % 2 != 0 || !take_vector(&body, 1, 1, &compression))
        return TLS_ALERT_DECODE_ERROR;
    /* A hello without extensions is sound in TLS 1.2; the library decides whether it will do. */
    if (body.len > 0) {
        uint8_t alert;

        if (!whole_vector(body, 2, 0, &extensions))
            return TLS_ALERT_DECODE_ERROR;
        alert = read_extensions(extensions, out);
        if (alert != 0)
            return alert;
    }
    return check_together(out, compression);
}

enum assay_error client_hello_parse(struct slice message, struct client_hello *out, uint8_t *alert)
{
    *out = (struct client_hello){0};
    *alert = read_hello(message, out);
    if (*alert == 0)
        return ASSAY_OK;
    *out = (struct client_hello){0};
    return ASSAY_ERR_MALFORMED;
}
