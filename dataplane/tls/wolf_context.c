/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Contexts: credential, versions, ciphers, and the hooks that make the library ours. */
#include "tls/wolf.h"

#include <stdlib.h>
#include <string.h>

#include <wolfssl/wolfcrypt/sha256.h>

#include "tls/ciphers.h"

#define DH_MIN_BITS           2048
#define TICKET_LIFETIME_MAX_S 604800 /* RFC 8446 §4.6.1 */
#define CLIENT_SESSION_S      7200   /* where the origin does not say how long its ticket lives */

/* A fault's text that names a word of the string lives as long as the thread's next call: contexts are made one by one. */
static const char fault_cipher[] = "ciphers: unknown word, or nothing is left";
static const char fault_library[] = "the TLS library refused the context";
static const char fault_version[] = "versions: the lowest is above the highest";
static const char fault_certificate[] = "certificate: missing or not readable";
static const char fault_key[] = "key: missing or not readable (unencrypted PEM is needed)";
static const char fault_match[] = "key: does not belong to the certificate";
static const char fault_lifetime[] = "tickets: they live 7 days at the most";
static const char fault_memory[] = "out of memory";

/* Does internal.h describe the library that is linked? */
static bool wolf_layout_matches(void)
{
    return wolfSSL_GetObjectSize() == (int)sizeof(WOLFSSL) && wolfSSL_CTX_GetObjectSize() == (int)sizeof(WOLFSSL_CTX);
}

static WOLFSSL_METHOD *method_for(const struct tls_context_settings *settings, bool server)
{
    bool only12 = settings->version_max == TLS_VERSION_1_2, only13 = settings->version_min == TLS_VERSION_1_3;

    if (server)
        return only12 ? wolfTLSv1_2_server_method() : only13 ? wolfTLSv1_3_server_method() : wolfTLS_server_method();
    return only12 ? wolfTLSv1_2_client_method() : only13 ? wolfTLSv1_3_client_method() : wolfTLS_client_method();
}

static enum assay_error set_versions(struct tls_context *context, const struct tls_context_settings *settings,
                                     const char **fault)
{
    *fault = fault_version;
    if (settings->version_min > settings->version_max || settings->version_min < TLS_VERSION_1_2 ||
        settings->version_max > TLS_VERSION_1_3)
        return ASSAY_ERR_RANGE;
    *fault = fault_library;
    context->library = wolfSSL_CTX_new(method_for(settings, context->is_server));
    if (context->library == NULL)
        return ASSAY_ERR_NO_MEMORY;
    if (wolfSSL_CTX_SetMinVersion(context->library,
                                  settings->version_min == TLS_VERSION_1_3 ? WOLFSSL_TLSV1_3 : WOLFSSL_TLSV1_2) !=
        WOLFSSL_SUCCESS)
        return ASSAY_ERR_INTERNAL;
    return ASSAY_OK;
}

static enum assay_error set_credential(struct tls_context *context, const struct tls_context_settings *settings,
                                       const char **fault)
{
    struct slice chain = settings->chain_pem, key = settings->key_pem;

    if (chain.len == 0 && key.len == 0 && !context->is_server)
        return ASSAY_OK; /* an empty Certificate answers a request for one */
    *fault = fault_certificate;
    if (chain.len == 0 ||
        wolfSSL_CTX_use_certificate_chain_buffer(context->library, chain.data, (long)chain.len) != WOLFSSL_SUCCESS)
        return ASSAY_ERR_MALFORMED;
    *fault = fault_key;
    if (key.len == 0 || wolfSSL_CTX_use_PrivateKey_buffer(context->library, key.data, (long)key.len,
                                                          WOLFSSL_FILETYPE_PEM) != WOLFSSL_SUCCESS)
        return ASSAY_ERR_MALFORMED;
    *fault = fault_match;
    if (wolfSSL_CTX_check_private_key(context->library) != WOLFSSL_SUCCESS)
        return ASSAY_ERR_MALFORMED;
    *fault = fault_library;
    if (wc_Sha256Hash(chain.data, (word32)chain.len, context->credential_id) != 0)
        return ASSAY_ERR_CRYPTO;
    return ASSAY_OK;
}

/* The order acts in TLS 1.3, and in TLS 1.2 where a server looks at it. */
static enum assay_error set_signatures(struct tls_context *context, const struct tls_ciphers *ciphers)
{
    Suites *suites = context->library->suites;

    if (suites == NULL || ciphers->signature_count * 2 > sizeof(suites->hashSigAlgo))
        return ASSAY_ERR_INTERNAL;
    for (size_t i = 0; i < ciphers->signature_count; i++) {
        suites->hashSigAlgo[2 * i] = (byte)(ciphers->signatures[i] >> 8);
        suites->hashSigAlgo[2 * i + 1] = (byte)ciphers->signatures[i];
    }
    suites->hashSigAlgoSz = (word16)(ciphers->signature_count * 2);
    return ASSAY_OK;
}

static enum assay_error set_ciphers(struct tls_context *context, const struct tls_context_settings *settings,
                                    const char **fault)
{
    const char *string = settings->ciphers;
    struct tls_ciphers ciphers;
    struct slice word;
    enum assay_error error;

    if (string == NULL)
        string = context->is_server ? tls_ciphers_default_server : tls_ciphers_default_client;
    *fault = fault_cipher;
    error = tls_ciphers_parse(string, &ciphers, &word);
    if (error != ASSAY_OK)
        return error;
    if (!ciphers.has_tls12 && settings->version_max == TLS_VERSION_1_2)
        return ASSAY_ERR_UNSUPPORTED;
    *fault = fault_library;
    if (wolfSSL_CTX_set_cipher_list(context->library, ciphers.names) != WOLFSSL_SUCCESS)
        return ASSAY_ERR_INTERNAL;
    /* A server signs with what its certificate is, whatever is preferred. */
    return context->is_server ? ASSAY_OK : set_signatures(context, &ciphers);
}

static enum assay_error set_groups(struct tls_context *context)
{
    int groups[] = {WOLFSSL_ECC_X25519, WOLFSSL_ECC_SECP256R1, WOLFSSL_ECC_SECP384R1, WOLFSSL_ECC_SECP521R1};

    if (wolfSSL_CTX_set_groups(context->library, groups, sizeof(groups) / sizeof(*groups)) != WOLFSSL_SUCCESS)
        return ASSAY_ERR_INTERNAL;
    return ASSAY_OK;
}

static enum assay_error set_tickets(struct tls_context *context, uint32_t lifetime_s)
{
    WOLFSSL_CTX *library = context->library;

    /* The library's cache is one for the process, behind a lock: sessions live in tickets and in our own objects. */
    if (wolfSSL_CTX_set_session_cache_mode(library, WOLFSSL_SESS_CACHE_OFF) != WOLFSSL_SUCCESS)
        return ASSAY_ERR_INTERNAL;
    if (wolfSSL_CTX_set_timeout(library, context->is_server ? lifetime_s : CLIENT_SESSION_S) != WOLFSSL_SUCCESS)
        return ASSAY_ERR_INTERNAL;
    if (!context->is_server)
        return wolfSSL_CTX_UseSessionTicket(library) == WOLFSSL_SUCCESS ? ASSAY_OK : ASSAY_ERR_INTERNAL;
    context->ticket_lifetime_s = lifetime_s;
    if (wolfSSL_CTX_set_TicketEncCb(library, wolf_ticket) != WOLFSSL_SUCCESS ||
        wolfSSL_CTX_set_TicketHint(library, (int)lifetime_s) != WOLFSSL_SUCCESS)
        return ASSAY_ERR_INTERNAL;
    return ASSAY_OK;
}

static enum assay_error set_hooks(struct tls_context *context, const struct tls_context_settings *settings)
{
    WOLFSSL_CTX *library = context->library;

    wolfSSL_CTX_SetIORecv(library, wolf_receive);
    wolfSSL_CTX_SetIOSend(library, wolf_send);
    /* A resumed connection has a key exchange of its own as well. */
    if (settings->version_max == TLS_VERSION_1_3 && wolfSSL_CTX_only_dhe_psk(library) != 0)
        return ASSAY_ERR_INTERNAL;
    if (context->is_server) {
        wolfSSL_CTX_set_verify(library, WOLFSSL_VERIFY_NONE, NULL);
        return ASSAY_OK;
    }
    /* The library parses the chain without judging it; the verifier judges. Never VERIFY_PEER with a callback that
     * accepts: unverified intermediates would then become this context's authorities. */
    wolfSSL_CTX_set_verify(library, WOLFSSL_VERIFY_NONE, wolf_verify);
    wolfSSL_CTX_SetStapledStatusCb(library, wolf_stapled);
    return wolfSSL_CTX_SetMinDhKey_Sz(library, DH_MIN_BITS) == WOLFSSL_SUCCESS ? ASSAY_OK : ASSAY_ERR_INTERNAL;
}

static enum assay_error context_fill(struct tls_context *context, const struct tls_context_settings *settings,
                                     const char **fault)
{
    enum assay_error error = set_versions(context, settings, fault);

    if (error == ASSAY_OK)
        error = set_credential(context, settings, fault);
    if (error == ASSAY_OK)
        error = set_ciphers(context, settings, fault);
    if (error != ASSAY_OK)
        return error;
    *fault = fault_library;
    error = set_groups(context);
    if (error == ASSAY_OK)
        error = set_tickets(context, settings->ticket_lifetime_s);
    if (error == ASSAY_OK)
        error = set_hooks(context, settings);
    return error;
}

static enum assay_error context_create(const struct tls_context_settings *settings, bool server,
                                       struct tls_context **out, const char **fault)
{
    struct tls_context *context;
    enum assay_error error;

    *out = NULL;
    *fault = fault_library;
    if (wolfSSL_Init() != WOLFSSL_SUCCESS || !wolf_layout_matches())
        return ASSAY_ERR_INTERNAL;
    *fault = fault_lifetime;
    if (settings->ticket_lifetime_s > TICKET_LIFETIME_MAX_S)
        return ASSAY_ERR_RANGE;
    *fault = fault_memory;
    context = calloc(1, sizeof(*context));
    if (context == NULL)
        return ASSAY_ERR_NO_MEMORY;
    context->is_server = server;
    error = context_fill(context, settings, fault);
    if (error != ASSAY_OK) {
        tls_context_free(context);
        return error;
    }
    *fault = NULL;
    *out = context;
    return ASSAY_OK;
}

enum assay_error tls_server_context_create(const struct tls_context_settings *settings, struct tls_context **out,
                                           const char **fault)
{
    return context_create(settings, true, out, fault);
}

enum assay_error tls_client_context_create(const struct tls_context_settings *settings, struct tls_context **out,
                                           const char **fault)
{
    return context_create(settings, false, out, fault);
}

void tls_context_free(struct tls_context *context)
{
    if (context == NULL)
        return;
    wolfSSL_CTX_free(context->library);
    free(context);
}
