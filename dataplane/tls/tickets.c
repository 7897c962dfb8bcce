/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tls/tickets.h"

#include <string.h>

#include <wolfssl/options.h>
#include <wolfssl/wolfcrypt/aes.h>
#include <wolfssl/wolfcrypt/hmac.h>

#include "base/thread_slot.h"

#define NONCE        12
#define TAG          16
#define SALT         (TLS_TICKET_MAC - TAG)
#define CLOCK_SKEW_S 60 /* between the nodes of a cluster */
#define LABEL        "assay ticket 1"
#define BOUND_MAX    (sizeof(LABEL) + TLS_TICKET_NAME + TLS_TICKET_IV + TLS_CREDENTIAL_ID + 1 + 255)

/* What is authenticated beside the content: no field can be read as part of another. */
static size_t bound_data(const struct tls_ticket_binding *binding, const struct tls_ticket *ticket,
                         uint8_t out[BOUND_MAX])
{
    uint8_t *at = out;

    at = mempcpy(at, LABEL, sizeof(LABEL));
    at = mempcpy(at, ticket->name, TLS_TICKET_NAME);
    at = mempcpy(at, ticket->iv, TLS_TICKET_IV);
    at = mempcpy(at, binding->credential_id, TLS_CREDENTIAL_ID);
    *at++ = (uint8_t)binding->server_name.len;
    if (binding->server_name.len > 0)
        at = mempcpy(at, binding->server_name.data, binding->server_name.len);
    return (size_t)(at - out);
}

static bool ticket_cipher(const struct tls_ticket_key *key, const uint8_t *salt, Aes *aes)
{
    uint8_t derived[WC_SHA256_DIGEST_SIZE];
    bool ok;
    Hmac hmac;

    if (wc_HmacInit(&hmac, NULL, INVALID_DEVID) != 0)
        return false;
    ok = wc_HmacSetKey(&hmac, WC_SHA256, key->secret, sizeof(key->secret)) == 0 &&
         wc_HmacUpdate(&hmac, salt, SALT) == 0 && wc_HmacFinal(&hmac, derived) == 0;
    wc_HmacFree(&hmac);
    ok = ok && wc_AesInit(aes, NULL, INVALID_DEVID) == 0;
    if (ok && wc_AesGcmSetKey(aes, derived, sizeof(derived)) != 0) {
        wc_AesFree(aes);
        ok = false;
    }
    explicit_bzero(derived, sizeof(derived));
    return ok;
}

static uint32_t issued_s(const struct tls_ticket *ticket)
{
    const uint8_t *at = ticket->iv + NONCE;

    return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

static void set_issued_s(struct tls_ticket *ticket, uint32_t now_s)
{
    for (int i = 0; i < 4; i++)
        ticket->iv[NONCE + i] = (uint8_t)(now_s >> (24 - 8 * i));
}

enum assay_error tls_ticket_seal(const struct tls_ticket_keys *keys, const struct tls_ticket_binding *binding,
                                 uint64_t now_s, struct tls_ticket *ticket)
{
    uint8_t bound[BOUND_MAX];
    size_t bound_length;
    int failed;
    Aes aes;

    if (keys == NULL || keys->count == 0)
        return ASSAY_ERR_NOT_FOUND;
    if (binding->server_name.len > 255)
        return ASSAY_ERR_RANGE;
    memcpy(ticket->name, keys->keys[0].name, TLS_TICKET_NAME);
    slot_random(ticket->iv, NONCE);
    set_issued_s(ticket, (uint32_t)now_s);
    slot_random(ticket->mac + TAG, SALT);
    bound_length = bound_data(binding, ticket, bound);
    if (!ticket_cipher(&keys->keys[0], ticket->mac + TAG, &aes))
        return ASSAY_ERR_CRYPTO;
    failed = wc_AesGcmEncrypt(&aes, ticket->content, ticket->content, (word32)ticket->len, ticket->iv, NONCE,
                              ticket->mac, TAG, bound, (word32)bound_length);
    wc_AesFree(&aes);
    return failed ? ASSAY_ERR_CRYPTO : ASSAY_OK;
}

static const struct tls_ticket_key *find_key(const struct tls_ticket_keys *keys, const uint8_t *name)
{
    for (uint32_t i = 0; keys != NULL && i < keys->count && i < TLS_TICKET_KEYS_MAX; i++)
        if (memcmp(keys->keys[i].name, name, TLS_TICKET_NAME) == 0)
            return &keys->keys[i];
    return NULL;
}

enum assay_error tls_ticket_open(const struct tls_ticket_keys *keys, const struct tls_ticket_binding *binding,
                                 uint64_t now_s, uint32_t lifetime_s, struct tls_ticket *ticket, bool *renew)
{
    const struct tls_ticket_key *key = find_key(keys, ticket->name);
    uint64_t issued = issued_s(ticket);
    uint8_t bound[BOUND_MAX];
    size_t bound_length;
    int failed;
    Aes aes;

    *renew = false;
    if (key == NULL)
        return ASSAY_ERR_NOT_FOUND;
    if (binding->server_name.len > 255)
        return ASSAY_ERR_RANGE;
    /* The time is not trusted yet, but a forged one does not open below. */
    if (issued > now_s + CLOCK_SKEW_S || now_s > issued + lifetime_s)
        return ASSAY_ERR_STALE;
    bound_length = bound_data(binding, ticket, bound);
    if (!ticket_cipher(key, ticket->mac + TAG, &aes))
        return ASSAY_ERR_CRYPTO;
    failed = wc_AesGcmDecrypt(&aes, ticket->content, ticket->content, (word32)ticket->len, ticket->iv, NONCE,
                              ticket->mac, TAG, bound, (word32)bound_length);
    wc_AesFree(&aes);
    if (failed)
        return ASSAY_ERR_MALFORMED;
    *renew = key != &keys->keys[0];
    return ASSAY_OK;
}
