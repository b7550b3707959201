//! Which headers a webhook may add to its callbacks.
//!
//! A receiver sees one list of headers, and many of them cannot tell `-` from `_`: CGI and WSGI turn both
//! into `_`, so `webhook_signature` would stand in for `webhook-signature`. Names are compared folded: in
//! lower case, with `-` for `_`.

use crate::contract;
use crate::webhook::Contract;

/// Names that are refused for one reason.
struct Group {
    /// What follows the name in a fault.
    why: &'static str,
    /// Folded names.
    names: &'static [&'static str],
    /// What folded names start with.
    prefixes: &'static [&'static str],
}

const GROUPS: [Group; 8] = [
    // RFC 9110 7.6, RFC 9112, RFC 9113 8.2.2; what Cloudflare sets; what would turn the call into a
    // WebSocket.
    Group {
        why: "is set by Postern or by the connection and can't be configured",
        names: &[
            "host",
            "connection",
            "content-length",
            "transfer-encoding",
            "keep-alive",
            "te",
            "trailer",
            "upgrade",
            "expect",
            "proxy-connection",
            "proxy-authorization",
            "proxy-authenticate",
            "accept-encoding",
            "http2-settings",
            "max-forwards",
            "cdn-loop",
        ],
        prefixes: &["cf-", "sec-websocket-"],
    },
    // Standard Webhooks' own (docs/wire.md D.1), and the names that Svix' libraries read in their place.
    Group {
        why: "belongs to the signature, which Postern makes itself: set by hand it would forge or break one",
        names: &[],
        prefixes: &["webhook-", "svix-"],
    },
    Group {
        why: "would describe the body wrongly: it is sent whole and unencoded, and differs with each event",
        names: &[
            "content-encoding",
            "content-range",
            "content-md5",
            "digest",
            "content-digest",
            "repr-digest",
            "content-location",
            "content-disposition",
        ],
        prefixes: &[],
    },
    Group {
        why: "says where a request comes from, and receivers and proxies believe it, so it can't be \
              configured",
        names: &[
            "forwarded",
            "via",
            "proxy",
            "x-forwarded",
            "x-real-ip",
            "x-client-ip",
            "x-cluster-client-ip",
            "x-originating-ip",
            "true-client-ip",
            "client-ip",
            "fastly-client-ip",
            "fly-client-ip",
            "x-nf-client-connection-ip",
            "front-end-https",
            "x-url-scheme",
            "x-scheme",
            "http-client-ip",
            "x-azure-clientip",
            "x-azure-socketip",
            "x-azure-fdid",
            "x-appengine-user-ip",
            "x-host",
            "x-http-host-override",
            "early-data",
        ],
        prefixes: &[
            "forwarded-",
            "x-forward-",
            "x-forwarded-",
            "x-envoy-",
            "x-vercel-forwarded-",
            "wl-proxy-",
            "proxy-client-",
        ],
    },
    // CGI's (RFC 3875), RFC 9440's, and what proxies tell those who trust them.
    Group {
        why: "says who makes a request, and receivers behind a proxy believe it, so it can't be configured",
        names: &[
            "client-cert",
            "client-cert-chain",
            "x-client-cert",
            "x-arr-clientcert",
            "x-webauth-user",
            "x-authenticated-user",
            "x-middleware-subrequest",
        ],
        prefixes: &[
            "remote-",
            "x-remote-",
            "x-client-cert-",
            "ssl-client-",
            "x-ssl-client-",
            "x-ms-client-principal",
            "x-goog-authenticated-user-",
            "x-auth-request-",
            "x-amzn-oidc-",
            "x-consumer-",
        ],
    },
    Group {
        why: "makes some receivers take the call for another method or path",
        names: &["x-http-method", "x-http-method-override", "x-method-override", "x-http-path-override"],
        prefixes: &["x-original-", "x-rewrite-"],
    },
    // RFC 9110 13 and 14.
    Group {
        why: "asks for part of an answer or makes it conditional, so a receiver may rightly refuse the event",
        names: &["range", "request-range"],
        prefixes: &["if-"],
    },
    Group {
        why: "belongs to an answer, not to a request",
        names: &[
            "set-cookie",
            "set-cookie2",
            "alt-svc",
            "www-authenticate",
            "authentication-info",
            "proxy-authentication-info",
            "strict-transport-security",
            "clear-site-data",
            "retry-after",
            "location",
            "server",
            "server-timing",
            "etag",
            "last-modified",
            "age",
            "expires",
            "vary",
            "allow",
            "refresh",
            "accept-ranges",
            "accept-post",
            "accept-patch",
            "access-control-max-age",
            "content-security-policy",
            "content-security-policy-report-only",
            "x-frame-options",
            "x-content-type-options",
            "x-xss-protection",
            "x-accel-redirect",
            "x-sendfile",
            "referrer-policy",
            "permissions-policy",
        ],
        prefixes: &["access-control-allow-", "access-control-expose-", "cross-origin-"],
    },
];

/// Postern sets these, and a webhook may set them otherwise: under this very name, because another spelling
/// would be a second one.
const REPLACEABLE: [&str; 3] = ["content-type", "user-agent", "accept"];

/// Why no callback can carry a header of this name, whatever the contract. `None`: it can.
#[must_use]
pub fn refusal(name: &str) -> Option<&'static str> {
    let folded = folded(name);
    let is_in = |group: &&Group| {
        group.names.contains(&folded.as_str())
            || group.prefixes.iter().any(|prefix| folded.starts_with(prefix))
    };
    if let Some(group) = GROUPS.iter().find(is_in) {
        return Some(group.why);
    }
    let is_second = name.contains('_') && REPLACEABLE.contains(&folded.as_str());
    is_second.then_some("is read by many receivers as the header with - in place of _: use that name")
}

/// Whether `contract` sets a header of this name itself.
#[must_use]
pub fn is_own(name: &str, contract: Contract) -> bool {
    contract::own_headers(contract).contains(&folded(name).as_str())
}

fn folded(name: &str) -> String {
    name.to_ascii_lowercase().replace('_', "-")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_that_break_or_mislead_are_refused_in_every_spelling() {
        for name in [
            "Host",
            "content-length",
            "Transfer_Encoding",
            "Trailer",
            "CF-Connecting-IP",
            "sec-websocket-key",
            "Webhook-Signature",
            "webhook_id",
            "WEBHOOK_TIMESTAMP",
            "svix-id",
            "Svix_Signature",
            "Content-Encoding",
            "content_md5",
            "digest",
            "Forwarded",
            "X-Forwarded-For",
            "x_forwarded_proto",
            "Via",
            "X-Real-IP",
            "proxy",
            "X-HTTP-Method-Override",
            "X-Middleware-Subrequest",
            "x-webauth-user",
            "X-Auth-Request-Email",
            "x-amzn-oidc-data",
            "x-consumer-username",
            "Fly-Client-IP",
            "x-vercel-forwarded-for",
            "front-end-https",
            "x-url-scheme",
            "X-Accel-Redirect",
            "x-sendfile",
            "cross-origin-opener-policy",
            "Range",
            "If-None-Match",
            "if_range",
            "Set-Cookie",
            "alt-svc",
            "content_type",
            "User_Agent",
            "Forwarded-For",
            "x-forward-for",
            "X-Envoy-External-Address",
            "X-Azure-ClientIP",
            "True-Client-IP",
            "Remote-User",
            "x_remote_user",
            "REMOTE_ADDR",
            "Client-Cert",
            "SSL_CLIENT_S_DN",
            "X-Host",
            "X-Original-URI",
            "x-original-forwarded-for",
            "X-Rewrite-URL",
            "Location",
            "Server",
            "ETag",
            "Access-Control-Allow-Origin",
            "Content-Location",
            "content_disposition",
            "Vary",
        ] {
            assert!(refusal(name).is_some(), "{name}");
        }
    }

    #[test]
    fn other_headers_may_be_set() {
        for name in [
            "Authorization",
            "Cookie",
            "content-type",
            "User-Agent",
            "accept",
            "X-Api-Key",
            "x_api_key",
            "date",
            "webhooks",
            "ifx",
            "x-via",
            "forward",
            "x-forwarding",
            "x-originals",
            "x-remote",
            "x-hostname",
            "x-client-id",
            "x-location",
            "x-server",
            "content-language",
            "link",
            "origin",
        ] {
            assert_eq!(refusal(name), None, "{name}");
        }
    }

    #[test]
    fn a_contract_owns_its_headers_in_every_spelling() {
        for name in ["Signature", "signature-input", "signature_input", "DATE"] {
            assert!(is_own(name, Contract::Up42) && !is_own(name, Contract::Standard), "{name}");
        }
    }
}
