//! TLS, and the choice of a security protocol.

use super::*;

const TLS: &str = "TLS comes in a later version: use a PLAINTEXT listener and leave it out";
const JVM: &str = "it configures Java's own TLS implementation";

const fn secret(name: &'static str) -> Property {
    password(name, EVERY).high().not_yet(TLS)
}
const fn jvm(name: &'static str, default: Option<&'static str>) -> Property {
    string(name, EVERY, default).no_effect(JVM)
}

pub(super) const ROWS: &[Property] = &[
    one_of("security.protocol", EVERY, "PLAINTEXT", &["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"])
        .medium()
        .not_yet("TLS and SASL come in a later version: use a PLAINTEXT listener")
        .doc("How to talk to brokers: with or without TLS (SSL) and authentication (SASL)."),
    string("ssl.truststore.location", EVERY, None)
        .high()
        .not_yet(TLS)
        .doc("File of the authorities to trust."),
    secret("ssl.truststore.password").doc("Password of that file."),
    secret("ssl.truststore.certificates").doc("The authorities to trust themselves, as PEM."),
    string("ssl.truststore.type", EVERY, Some("JKS")).medium().not_yet(TLS).doc("Format of that file."),
    string("ssl.keystore.location", EVERY, None)
        .high()
        .not_yet(TLS)
        .doc("File of this client's key and certificate."),
    secret("ssl.keystore.password").doc("Password of that file."),
    secret("ssl.keystore.key").alias(&["ssl.key.pem"]).doc("This client's private key itself, as PEM."),
    secret("ssl.keystore.certificate.chain")
        .alias(&["ssl.certificate.pem"])
        .doc("This client's certificates themselves, as PEM."),
    string("ssl.keystore.type", EVERY, Some("JKS")).medium().not_yet(TLS).doc("Format of that file."),
    secret("ssl.key.password").doc("Password of the private key."),
    list("ssl.enabled.protocols", EVERY, "TLSv1.2,TLSv1.3")
        .medium()
        .not_yet(TLS)
        .doc("TLS versions to allow."),
    string("ssl.protocol", EVERY, Some("TLSv1.3")).medium().not_yet(TLS).doc("TLS version to prefer."),
    list("ssl.cipher.suites", EVERY, "")
        .not_yet(TLS)
        .doc("Cipher suites to allow; empty: all that are safe."),
    string("ssl.endpoint.identification.algorithm", EVERY, Some("https"))
        .not_yet(TLS)
        .doc("Whether the broker's certificate must be for its host name."),
    class("ssl.engine.factory.class", EVERY, None).not_yet(TLS).doc("A Java class that makes TLS engines."),
    jvm("ssl.provider", None).medium().doc("Java's security provider."),
    jvm("ssl.keymanager.algorithm", Some("SunX509")).doc("Java's key manager."),
    jvm("ssl.trustmanager.algorithm", Some("PKIX")).doc("Java's trust manager."),
    jvm("ssl.secure.random.implementation", None).doc("Java's source of random numbers."),
    jvm("security.providers", None).doc("Java classes of security algorithms."),
];
