#pragma once
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

// OpenSSL's macros and variadic functions, which Swift cannot call: one inline function each.

static inline EVP_PKEY *snikket_openssl_make_p256(void) {
    return EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256");
}

static inline long snikket_openssl_bio_contents(BIO *bio, char **start) {
    return BIO_get_mem_data(bio, start);
}

/// A password callback that has none: without it OpenSSL would ask on the terminal.
static inline int snikket_openssl_no_password(char *buffer, int size, int writing, void *context) {
    (void)buffer; (void)size; (void)writing; (void)context;
    return -1;
}

static inline int snikket_openssl_set_server_name(SSL *ssl, const char *name) {
    return (int)SSL_set_tlsext_host_name(ssl, name);
}

static inline int snikket_openssl_require_tls12(SSL_CTX *context) {
    return (int)SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
}

static inline STACK_OF(X509) *snikket_openssl_chain_new(void) { return sk_X509_new_null(); }
static inline int snikket_openssl_chain_push(STACK_OF(X509) *chain, X509 *certificate) {
    return sk_X509_push(chain, certificate);
}
/// Frees the list, not its certificates.
static inline void snikket_openssl_chain_free(STACK_OF(X509) *chain) { sk_X509_free(chain); }

static inline int snikket_openssl_names_count(const GENERAL_NAMES *names) { return sk_GENERAL_NAME_num(names); }
static inline GENERAL_NAME *snikket_openssl_names_at(const GENERAL_NAMES *names, int index) {
    return sk_GENERAL_NAME_value(names, index);
}

static inline STACK_OF(X509_EXTENSION) *snikket_openssl_extensions_new(void) { return sk_X509_EXTENSION_new_null(); }
static inline int snikket_openssl_extensions_push(STACK_OF(X509_EXTENSION) *list, X509_EXTENSION *extension) {
    return sk_X509_EXTENSION_push(list, extension);
}
static inline void snikket_openssl_extensions_free(STACK_OF(X509_EXTENSION) *list) {
    sk_X509_EXTENSION_pop_free(list, X509_EXTENSION_free);
}
