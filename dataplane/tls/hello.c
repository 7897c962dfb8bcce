/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Reassembly of a ClientHello over segments and records (tls_hello_* of tls.h). */
#include "tls/hello.h"

#include <string.h>

#include "base/thread_slot.h"
#include "tls/alerts.h"
#include "tls/client_hello.h"

#define RECORD_HEADER      5
#define MESSAGE_HEADER     4
#define RECORD_PAYLOAD_MAX 16384
#define CAPACITY_FIRST     768 /* most hellos; a hybrid key share or many tickets make it grow */
#define NAME_MAX_BYTES     253

enum record_type { RECORD_CHANGE_CIPHER_SPEC = 20, RECORD_ALERT = 21, RECORD_HANDSHAKE = 22 };
enum hello_state { HELLO_COLLECTING, HELLO_COMPLETE, HELLO_FAILED };

struct tls_hello {
    uint8_t *buffer;           /* room for a record header, then the message */
    uint32_t capacity, length; /* of the message */
    uint32_t record_left;
    enum hello_state state;
    uint8_t header[RECORD_HEADER];
    uint8_t header_length;
    uint8_t alert, alert_received;
    bool second, cipher_spec_seen;
    uint8_t name_length;
    uint8_t name[NAME_MAX_BYTES];
};

struct tls_hello *tls_hello_create(void)
{
    struct tls_hello *hello = slot_alloc(sizeof(*hello));

    if (hello == NULL)
        return NULL;
    memset(hello, 0, sizeof(*hello));
    return hello;
}

void tls_hello_free(struct tls_hello *hello)
{
    if (hello == NULL)
        return;
    slot_free(hello->buffer);
    slot_free(hello);
}

void tls_hello_expect_second(struct tls_hello *hello)
{
    hello->length = 0;
    hello->header_length = 0;
    hello->state = HELLO_COLLECTING;
    hello->second = true;
}

uint8_t tls_hello_alert_received(const struct tls_hello *hello)
{
    return hello->alert_received;
}

struct slice tls_hello_sni(const struct tls_hello *hello)
{
    return slice_of(hello->name, hello->name_length);
}

struct slice tls_hello_record(const struct tls_hello *hello)
{
    if (hello->state != HELLO_COMPLETE)
        return slice_of(NULL, 0);
    return slice_of(hello->buffer, RECORD_HEADER + hello->length);
}

static uint8_t grow(struct tls_hello *hello, size_t need)
{
    uint32_t capacity = hello->capacity > 0 ? hello->capacity : CAPACITY_FIRST;
    uint8_t *buffer;

    while (capacity < need)
        capacity *= 2;
    if (capacity == hello->capacity)
        return 0;
    buffer = slot_alloc(RECORD_HEADER + capacity);
    if (buffer == NULL)
        return TLS_ALERT_INTERNAL_ERROR;
    if (hello->buffer != NULL)
        memcpy(buffer, hello->buffer, RECORD_HEADER + hello->length);
    slot_free(hello->buffer);
    hello->buffer = buffer;
    hello->capacity = capacity;
    return 0;
}

/* --- records ---------------------------------------------------------------------------------------------------------------- */

/* A complete header: may such a record come here? */
static uint8_t check_header(struct tls_hello *hello)
{
    uint32_t len = (uint32_t)hello->header[3] << 8 | hello->header[4];
    uint8_t type = hello->header[0];

    hello->record_left = len;
    if (type == RECORD_CHANGE_CIPHER_SPEC && hello->second && !hello->cipher_spec_seen && hello->length == 0 &&
        len == 1)
        return 0;
    if (type == RECORD_ALERT && len == 2 && hello->length == 0)
        return 0;
    if (type != RECORD_HANDSHAKE || hello->header[1] != 3 || len == 0)
        return TLS_ALERT_UNEXPECTED_MESSAGE;
    return len > RECORD_PAYLOAD_MAX ? TLS_ALERT_RECORD_OVERFLOW : 0;
}

/* Wrong types are recognised by the first byte: a plain HTTP request may be shorter than a record header. */
static uint8_t check_first_byte(const struct tls_hello *hello)
{
    uint8_t type = hello->header[0];

    if (type == RECORD_HANDSHAKE || type == RECORD_ALERT || (type == RECORD_CHANGE_CIPHER_SPEC && hello->second))
        return 0;
    return TLS_ALERT_UNEXPECTED_MESSAGE;
}

static uint8_t take_header(struct tls_hello *hello, struct slice *in)
{
    while (hello->header_length < RECORD_HEADER && in->len > 0) {
        hello->header[hello->header_length++] = in->data[0];
        *in = slice_tail(*in, 1);
        if (hello->header_length == 1 && check_first_byte(hello) != 0)
            return TLS_ALERT_UNEXPECTED_MESSAGE;
    }
    return hello->header_length == RECORD_HEADER ? check_header(hello) : 0;
}

/* A peer that gives up says so in the clear: level and description. Any alert ends it: there is nothing to warn of yet. */
static uint8_t take_alert(struct tls_hello *hello, uint8_t byte)
{
    if (hello->record_left > 0)
        return 0;
    hello->alert_received = byte;
    return TLS_ALERT_UNEXPECTED_MESSAGE;
}

static uint8_t take_cipher_spec(struct tls_hello *hello, uint8_t byte)
{
    hello->cipher_spec_seen = true;
    return byte == 1 ? 0 : TLS_ALERT_UNEXPECTED_MESSAGE;
}

/* --- the message ------------------------------------------------------------------------------------------------------------- */

static uint32_t message_length(const struct tls_hello *hello)
{
    const uint8_t *header = hello->buffer + RECORD_HEADER;

    return MESSAGE_HEADER + ((uint32_t)header[1] << 16 | (uint32_t)header[2] << 8 | header[3]);
}

/* Refuses by the header already, before room is made for what it announces. */
static uint8_t check_message_header(const struct tls_hello *hello)
{
    if (hello->length >= 1 && hello->buffer[RECORD_HEADER] != 1)
        return TLS_ALERT_UNEXPECTED_MESSAGE;
    if (hello->length >= MESSAGE_HEADER && message_length(hello) > TLS_HELLO_MAX)
        return TLS_ALERT_DECODE_ERROR;
    return 0;
}

static uint8_t take_message(struct tls_hello *hello, struct slice *in)
{
    while (in->len > 0 && hello->record_left > 0) {
        uint32_t want = hello->length < MESSAGE_HEADER ? MESSAGE_HEADER : message_length(hello);
        size_t n = want - hello->length;
        uint8_t alert;

        if (n == 0) /* the record goes on behind the message */
            return TLS_ALERT_UNEXPECTED_MESSAGE;
        n = n < hello->record_left ? n : hello->record_left;
        n = n < in->len ? n : in->len;
        alert = grow(hello, hello->length + n);
        if (alert != 0)
            return alert;
        memcpy(hello->buffer + RECORD_HEADER + hello->length, in->data, n);
        hello->length += (uint32_t)n;
        hello->record_left -= (uint32_t)n;
        *in = slice_tail(*in, n);
        alert = check_message_header(hello);
        if (alert != 0)
            return alert;
    }
    return 0;
}

static bool message_complete(const struct tls_hello *hello)
{
    return hello->record_left == 0 && hello->length >= MESSAGE_HEADER && hello->length == message_length(hello);
}

static uint8_t finish(struct tls_hello *hello)
{
    uint8_t *header = hello->buffer;
    struct client_hello parsed;
    uint8_t alert;

    if (client_hello_parse(slice_of(hello->buffer + RECORD_HEADER, hello->length), &parsed, &alert) != ASSAY_OK)
        return alert;
    /* The certificate was chosen by the first hello's name, and tickets are bound to it. */
    if (hello->second && !slice_equal_nocase(parsed.sni, tls_hello_sni(hello)))
        return TLS_ALERT_ILLEGAL_PARAMETER;
    hello->name_length = (uint8_t)parsed.sni.len;
    for (size_t i = 0; i < parsed.sni.len; i++)
        hello->name[i] = ascii_lower(parsed.sni.data[i]);
    header[0] = RECORD_HANDSHAKE;
    header[1] = 3;
    header[2] = hello->second ? 3 : 1; /* as clients do; the library insists */
    header[3] = (uint8_t)(hello->length >> 8);
    header[4] = (uint8_t)hello->length;
    hello->state = HELLO_COMPLETE;
    return 0;
}

/* As far as the input goes, but not beyond the hello. */
static uint8_t take_records(struct tls_hello *hello, struct slice *in)
{
    uint8_t alert = 0;

    while (alert == 0 && in->len > 0 && hello->state == HELLO_COLLECTING) {
        if (hello->header_length < RECORD_HEADER) {
            alert = take_header(hello, in);
            continue;
        }
        if (hello->header[0] == RECORD_HANDSHAKE) {
            alert = take_message(hello, in);
        } else {
            uint8_t byte = in->data[0];

            *in = slice_tail(*in, 1);
            hello->record_left--;
            alert = hello->header[0] == RECORD_ALERT ? take_alert(hello, byte) : take_cipher_spec(hello, byte);
        }
        if (alert == 0 && hello->record_left == 0)
            hello->header_length = 0;
        if (alert == 0 && message_complete(hello))
            alert = finish(hello);
    }
    return alert;
}

enum tls_status tls_hello_feed(struct tls_hello *hello, struct slice in, size_t *used, uint8_t *alert)
{
    size_t len = in.len;

    *used = 0;
    *alert = 0;
    if (hello->state == HELLO_COLLECTING) {
        hello->alert = take_records(hello, &in);
        *used = len - in.len;
        if (hello->alert != 0)
            hello->state = HELLO_FAILED;
    }
    if (hello->state == HELLO_FAILED) {
        hello->name_length = 0;
        *alert = hello->alert;
        return TLS_STATUS_FAILED;
    }
    return hello->state == HELLO_COMPLETE ? TLS_STATUS_OK : TLS_STATUS_WANT_INPUT;
}
