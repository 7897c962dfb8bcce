/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the library calls back: bytes, the peer's chain, tickets. Each finds its connection and writes only into it. */
#include "tls/wolf.h"

#include <string.h>

#include "tls/alerts.h"

/* --- bytes ------------------------------------------------------------------------------------------------------------------- */

/* The library asks for a header's five bytes at the start of each record. A peer may send many records that carry no data
 * (RFC 8446 §5.1 warns of them): they must not keep a core busy. */
static bool too_many_idle_records(struct tls_connection *tls, int capacity)
{
    if (tls->state != TLS_STATE_ESTABLISHED || capacity != RECORD_HEADER_SZ)
        return false;
    return ++tls->idle_records > TLS_IDLE_RECORDS_MAX;
}

int wolf_receive(WOLFSSL *ssl, char *buffer, int capacity, void *arg)
{
    struct tls_connection *tls = arg;
    enum pull_result result;
    size_t length;

    result = connection_pull(tls, (uint8_t *)buffer, (size_t)capacity, &length);
    if (result == PULL_REFUSED)
        return WOLFSSL_CBIO_ERR_GENERAL;
    if (length == 0)
        return WOLFSSL_CBIO_ERR_WANT_READ;
    if (too_many_idle_records(tls, capacity)) {
        tls->gate_alert = TLS_ALERT_UNEXPECTED_MESSAGE;
        return WOLFSSL_CBIO_ERR_GENERAL;
    }
    return (int)length;
}

int wolf_send(WOLFSSL *ssl, char *data, int len, void *arg)
{
    struct tls_connection *tls = arg;

    if (connection_push(tls, (const uint8_t *)data, (size_t)len) != ASSAY_OK)
        return WOLFSSL_CBIO_ERR_GENERAL;
    return len;
}

/* --- the peer's chain -------------------------------------------------------------------------------------------------------- */

/* Faults of certificates that the library knows and that the verifier judges itself, by its own parser and policy. What is
 * not listed leaves the library without the peer's key, or in a state that must not go on. */
static bool verifier_takes_over(int error)
{
    switch (error) {
    case ASN_BEFORE_DATE_E:
    case ASN_AFTER_DATE_E:
    case ASN_DATE_SZ_E:
    case ASN_TIME_E:
    case ASN_SIG_CONFIRM_E:
    case ASN_SIG_HASH_E:
    case ASN_SIG_KEY_E:
    case ASN_SIG_OID_E:
    case ASN_NO_SIGNER_E:
    case ASN_SELF_SIGNED_E:
    case ASN_CRIT_EXT_E:
    case ASN_ALT_NAME_E:
    case ASN_NAME_INVALID_E:
    case ASN_NO_SKID:
    case ASN_NO_AKID:
    case ASN_NO_KEYUSAGE:
    case ASN_PATHLEN_SIZE_E:
    case ASN_PATHLEN_INV_E:
    case ASN_UNKNOWN_OID_E:
    case ASN_VERSION_E:
    case EXTKEYUSAGE_E:
    case KEYUSAGE_E:
    case CERTPOLICIES_E:
    case KEYUSE_SIGNATURE_E:
    case KEYUSE_ENCIPHER_E:
    case EXTKEYUSE_AUTH_E: return true;
    default: return false;
    }
}

static uint8_t judge(struct tls_connection *tls, int ok, const WOLFSSL_X509_STORE_CTX *store)
{
    struct slice certificates[MAX_CHAIN_DEPTH], staple = tls->staple;
    bool sound = ok || verifier_takes_over(store->error);
    size_t count = 0;
    uint8_t alert;

    tls->staple = slice_of(NULL, 0);
    if (store->totalCerts < 0 || store->totalCerts > MAX_CHAIN_DEPTH)
        return TLS_ALERT_BAD_CERTIFICATE;
    sound = sound && store->totalCerts > 0;
    for (; count < (size_t)store->totalCerts; count++)
        certificates[count] = slice_of(store->certs[count].buffer, store->certs[count].length);
    /* A response is still to come? Nothing of ours leaves before it is here. */
    if (sound && wolfSSL_AwaitsStapledStatus(tls->library))
        return connection_hold(tls, certificates, count) ? 0 : TLS_ALERT_INTERNAL_ERROR;
    alert = connection_judge(tls, certificates, count, staple);
    return alert != 0 || sound ? alert : TLS_ALERT_BAD_CERTIFICATE;
}

/* The alert goes out once, and only from here: the library itself would send none (TLS 1.3) or handshake_failure (TLS 1.2). */
static void refuse(struct tls_connection *tls, uint8_t alert)
{
    if (tls->verdict_sent)
        return;
    tls->verdict_sent = true;
    wolf_send_alert(tls, alert);
}

/* Called once for the leaf, perhaps twice. */
int wolf_verify(int ok, WOLFSSL_X509_STORE_CTX *store)
{
    struct tls_connection *tls = store->userCtx;
    uint8_t alert = judge(tls, ok, store);

    if (alert == 0)
        return 1;
    refuse(tls, alert);
    return 0;
}

/* TLS 1.3: a moment before wolf_verify(), out of the same message. TLS 1.2: behind it, perhaps with nothing. */
int wolf_stapled(WOLFSSL *ssl, const unsigned char *response, unsigned int len)
{
    struct tls_connection *tls = wolfSSL_GetIOReadCtx(ssl);
    struct slice staple = slice_of(response, len);
    uint8_t alert;

    if (wolfSSL_GetVersion(ssl) == WOLFSSL_TLSV1_3) {
        tls->staple = staple;
        return 0;
    }
    if (tls->held == NULL) /* no chain came before it */
        return OUT_OF_ORDER_E;
    alert = connection_judge_held(tls, staple);
    if (alert == 0)
        return 0;
    refuse(tls, alert);
    return VERIFY_CERT_ERROR;
}

/* --- tickets ------------------------------------------------------------------------------------------------------------------- */

int wolf_ticket_received(WOLFSSL *ssl, const unsigned char *ticket, int len, void *arg)
{
    struct tls_connection *tls = arg;

    tls->ticket_received = true;
    return 0;
}

int wolf_ticket(WOLFSSL *ssl, unsigned char *name, unsigned char *iv, unsigned char *mac, int seal,
                unsigned char *content, int in_length, int *out_length, void *arg)
{
    struct tls_connection *tls = wolfSSL_GetIOReadCtx(ssl);
    struct tls_ticket_binding binding = {slice_of(tls->name, tls->name_length), tls->context->credential_id};
    struct tls_ticket ticket = {name, iv, mac, content, (size_t)in_length};
    const struct tls_ticket_keys *keys = tls->io != NULL ? tls->io->ticket_keys : NULL;
    bool renew = false;

    /* LowResTimer() is the library's own wall clock: it measures the age of TLS 1.3 tickets by it as well.
     * The library reads the mac at whatever length the client wrote into the ticket, which may be beyond its end: ours
     * all have one length. */
    if (in_length != (int)sizeof(InternalTicket))
        return WOLFSSL_TICKET_RET_REJECT;
    *out_length = in_length;
    if (seal)
        return tls_ticket_seal(keys, &binding, LowResTimer(), &ticket) == ASSAY_OK ? WOLFSSL_TICKET_RET_OK
                                                                                   : WOLFSSL_TICKET_RET_FATAL;
    if (tls->context->ticket_lifetime_s == 0 ||
        tls_ticket_open(keys, &binding, LowResTimer(), tls->context->ticket_lifetime_s, &ticket, &renew) != ASSAY_OK)
        return WOLFSSL_TICKET_RET_REJECT;
    /* In TLS 1.3 a new ticket is sent anyway, and the library takes RET_CREATE for a refusal. */
    return renew && wolfSSL_GetVersion(ssl) != WOLFSSL_TLSV1_3 ? WOLFSSL_TICKET_RET_CREATE : WOLFSSL_TICKET_RET_OK;
}
