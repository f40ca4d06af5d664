//! SASL: authentication.

use super::*;

const SASL: &str = "SASL comes in a later version: use a PLAINTEXT listener and leave it out";

const fn text(name: &'static str, default: Option<&'static str>) -> Property {
    string(name, EVERY, default).not_yet(SASL)
}
const fn secret(name: &'static str) -> Property {
    password(name, EVERY).medium().not_yet(SASL)
}
const fn time(name: &'static str, default: &'static str) -> Property {
    long(name, EVERY, default, Range::Any).not_yet(SASL)
}
const fn part(name: &'static str, default: &'static str) -> Property {
    double(name, EVERY, default).not_yet(SASL)
}
const fn short(name: &'static str, default: &'static str, max: i64) -> Property {
    Property::new(name, EVERY, Type::Short, Some(default)).range(Range::Whole(0, max)).not_yet(SASL)
}
const fn seconds(name: &'static str, default: &'static str, range: Range) -> Property {
    int(name, EVERY, default, range).not_yet(SASL)
}
const fn yes_no(name: &'static str) -> Property {
    flag(name, EVERY, "false").medium().not_yet(SASL)
}
const fn java(name: &'static str, default: Option<&'static str>) -> Property {
    class(name, EVERY, default).medium().not_yet(SASL)
}
const fn unset_int(name: &'static str) -> Property {
    Property::new(name, EVERY, Type::Int, None).not_yet(SASL)
}

pub(super) const ROWS: &[Property] = &[
    text("sasl.mechanism", Some("GSSAPI"))
        .medium()
        .alias(&["sasl.mechanisms"])
        .doc("How to authenticate: GSSAPI, PLAIN, SCRAM-SHA-256, SCRAM-SHA-512 or OAUTHBEARER."),
    secret("sasl.jaas.config")
        .doc("User and password, or what else the mechanism wants, in the format of Java's login modules."),
    java("sasl.client.callback.handler.class", None)
        .doc("A Java class that answers the mechanism's questions."),
    java("sasl.login.class", None).doc("A Java class that logs in."),
    java("sasl.login.callback.handler.class", None).doc("A Java class that answers the login's questions."),
    unset_int("sasl.login.connect.timeout.ms").doc("Limit for connecting to the authorization server."),
    unset_int("sasl.login.read.timeout.ms").doc("Limit for reading its answer."),
    time("sasl.login.retry.backoff.ms", "100").doc("Wait before asking it again."),
    time("sasl.login.retry.backoff.max.ms", "10000").doc("The longest such wait."),
    part("sasl.login.refresh.window.factor", "0.8")
        .range(Range::Real(0.5, 1.0))
        .doc("Part of a credential's life after which it is renewed."),
    part("sasl.login.refresh.window.jitter", "0.05").range(Range::Real(0.0, 0.25)).doc("Jitter in that."),
    short("sasl.login.refresh.min.period.seconds", "60", 900).doc("Time between renewals at least."),
    short("sasl.login.refresh.buffer.seconds", "300", 3600)
        .doc("Time before its end at which a credential is renewed at the latest."),
    text("sasl.kerberos.service.name", None).medium().doc("The Kerberos principal that brokers run as."),
    text("sasl.kerberos.kinit.cmd", Some("/usr/bin/kinit")).doc("The kinit program."),
    part("sasl.kerberos.ticket.renew.window.factor", "0.8")
        .doc("Part of a ticket's life after which it is renewed."),
    part("sasl.kerberos.ticket.renew.jitter", "0.05").doc("Jitter in that."),
    time("sasl.kerberos.min.time.before.relogin", "60000").doc("Time between logins at least."),
    text("sasl.oauthbearer.token.endpoint.url", None).medium().doc("Where to get tokens."),
    text("sasl.oauthbearer.client.credentials.client.id", None)
        .medium()
        .alias(&["sasl.oauthbearer.client.id"])
        .doc("Who asks for a token."),
    secret("sasl.oauthbearer.client.credentials.client.secret")
        .alias(&["sasl.oauthbearer.client.secret"])
        .doc("Its secret."),
    text("sasl.oauthbearer.scope", None).medium().doc("Which rights to ask for."),
    yes_no("sasl.oauthbearer.header.urlencode").doc("Encode id and secret for URLs."),
    text("sasl.oauthbearer.scope.claim.name", Some("scope")).doc("The token's claim that holds the scope."),
    text("sasl.oauthbearer.sub.claim.name", Some("sub")).doc("The token's claim that holds the subject."),
    seconds("sasl.oauthbearer.clock.skew.seconds", "30", Range::Any).doc("How far clocks may be apart."),
    list("sasl.oauthbearer.expected.audience", EVERY, "").not_yet(SASL).doc("Audiences to accept."),
    text("sasl.oauthbearer.expected.issuer", None).doc("Issuer to accept."),
    yes_no("sasl.oauthbearer.allow.unverified.audience").doc("Accept any audience."),
    yes_no("sasl.oauthbearer.allow.unverified.issuer").doc("Accept any issuer."),
    text("sasl.oauthbearer.jwks.endpoint.url", None).medium().doc("Where the issuer's keys are."),
    time("sasl.oauthbearer.jwks.endpoint.refresh.ms", "3600000").doc("How long to keep those keys."),
    time("sasl.oauthbearer.jwks.endpoint.retry.backoff.ms", "100").doc("Wait before asking for them again."),
    time("sasl.oauthbearer.jwks.endpoint.retry.backoff.max.ms", "10000").doc("The longest such wait."),
    java(
        "sasl.oauthbearer.jwt.retriever.class",
        Some("org.apache.kafka.common.security.oauthbearer.DefaultJwtRetriever"),
    )
    .doc("A Java class that gets tokens."),
    java(
        "sasl.oauthbearer.jwt.validator.class",
        Some("org.apache.kafka.common.security.oauthbearer.DefaultJwtValidator"),
    )
    .doc("A Java class that checks tokens."),
    one_of("sasl.oauthbearer.assertion.algorithm", EVERY, "RS256", &["RS256", "ES256"])
        .medium()
        .not_yet(SASL)
        .doc("How the assertion is signed that is traded for a token."),
    text("sasl.oauthbearer.assertion.file", None).medium().doc("File of a ready assertion."),
    text("sasl.oauthbearer.assertion.template.file", None)
        .medium()
        .alias(&["sasl.oauthbearer.assertion.jwt.template.file"])
        .doc("File of what the assertion starts from."),
    text("sasl.oauthbearer.assertion.private.key.file", None)
        .medium()
        .doc("File of the key to sign it with."),
    secret("sasl.oauthbearer.assertion.private.key.passphrase").doc("Password of that key."),
    text("sasl.oauthbearer.assertion.claim.aud", None).medium().doc("Its audience."),
    text("sasl.oauthbearer.assertion.claim.iss", None).medium().doc("Its issuer."),
    text("sasl.oauthbearer.assertion.claim.sub", None).medium().doc("Its subject."),
    seconds("sasl.oauthbearer.assertion.claim.exp.seconds", "300", Range::Whole(0, 86_400))
        .doc("How long it holds."),
    seconds("sasl.oauthbearer.assertion.claim.nbf.seconds", "60", Range::Whole(0, 3600))
        .doc("How long before now it begins to hold."),
    yes_no("sasl.oauthbearer.assertion.claim.jti.include").doc("Whether it has an id of its own."),
];
