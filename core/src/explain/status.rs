//! HTTP statuses: their names, and what to do about each.

use super::reason::Reason;

/// What a 410 means that disables the webhook.
const GONE_ADVICE: &str = "The receiver says that it is gone for good, so Postern disabled the webhook. If \
                           that is wrong, ask the receiver's operator, then enable the webhook and resend.";

/// What it means where the webhook asks for a second one (`confirm_gone`), and this is a first one.
const GONE_ONCE_ADVICE: &str = "The receiver says that it is gone for good. Postern disables the webhook if \
                                it says so again ten minutes after the first time, unless a call succeeds \
                                in between. If it is wrong, ask the receiver's operator.";

impl Reason {
    /// The same of an attempt that disabled nothing, because its webhook is disabled by a second 410 only
    /// (`confirm_gone`).
    #[must_use]
    pub fn where_gone_is_not_confirmed(self) -> Self {
        Self { advice: self.advice.replace(GONE_ADVICE, GONE_ONCE_ADVICE), ..self }
    }
}

/// What to do about a status that is not success.
pub(super) const fn status_advice(status: u16) -> &'static str {
    match status {
        300..=399 => {
            "Redirects are not followed: the new place has not passed the checks that the webhook's URL has. If the receiver has \
             moved, set its new address as the URL."
        }
        401 | 403 => {
            "The receiver does not accept the credentials or the signature. If its key or token, or the \
             webhook's secret, was changed recently, set the new one on both sides; otherwise ask the \
             receiver's operator whether a firewall or proxy answers."
        }
        404 => {
            "The receiver answers, but has nothing at this path. Compare the path of the URL with the receiver's documentation."
        }
        405 => {
            "The receiver takes no POST at this path. The URL is probably that of a page, not of a callback handler."
        }
        408 => {
            "The receiver gave up waiting for the request. It, or a proxy in front of it, is probably overloaded."
        }
        409 => {
            "The receiver says that this conflicts with what it has. If it has handled this webhook-id already, it should answer 2xx."
        }
        410 => GONE_ADVICE,
        413 => {
            "The callback is larger than the receiver allows. Raise its body limit (256 KiB is always enough), or send less data."
        }
        415 => {
            "The receiver does not take application/json. Make it, or set a content-type header on the webhook."
        }
        400 | 422 => {
            "The receiver read the callback and found it wrong. Its answer usually says why: look at the response, and at the \
             event's data. Repeating the same bytes rarely helps."
        }
        429 => {
            "The receiver asks for fewer calls. Postern waits at least as long as Retry-After says and spaces the calls to this \
             webhook until they succeed again; if it goes on, set a rate limit that the receiver can take, or subscribe to fewer events."
        }
        400..=499 => {
            "The receiver refuses the request as it is. Its answer may say why: look at the response."
        }
        502..=504 => {
            "A proxy in front of the receiver got no good answer from it, because the receiver is down, \
             restarting or overloaded. This usually passes by itself; if not, ask the receiver's operator."
        }
        525 | 526 => {
            "Cloudflare, in front of the receiver, could not make a TLS connection to it. Its certificate is missing, expired or wrong."
        }
        520..=524 | 530 => {
            "Cloudflare, in front of the receiver, could not reach it or got no good answer. Ask the \
             receiver's operator."
        }
        500..=599 => {
            "The receiver failed while it handled the callback. Its logs, at the time of this attempt, say why."
        }
        _ => "The receiver's answer does not count as success. It should answer 2xx.",
    }
}

pub(super) fn with_phrase(status: u16) -> String {
    match reason_phrase(status) {
        "" => format!("HTTP status {status}"),
        phrase => format!("{status} {phrase}"),
    }
}

/// The usual reason phrase of an HTTP status (`Service Unavailable`); empty for an unknown status. IANA's
/// registry, and the ones that Cloudflare answers with in a receiver's place.
#[must_use]
pub const fn reason_phrase(status: u16) -> &'static str {
    match status {
        100 => "Continue",
        101 => "Switching Protocols",
        102 => "Processing",
        103 => "Early Hints",
        200 => "OK",
        201 => "Created",
        202 => "Accepted",
        203 => "Non-Authoritative Information",
        204 => "No Content",
        205 => "Reset Content",
        206 => "Partial Content",
        207 => "Multi-Status",
        208 => "Already Reported",
        226 => "IM Used",
        300 => "Multiple Choices",
        301 => "Moved Permanently",
        302 => "Found",
        303 => "See Other",
        304 => "Not Modified",
        305 => "Use Proxy",
        307 => "Temporary Redirect",
        308 => "Permanent Redirect",
        400 => "Bad Request",
        401 => "Unauthorized",
        402 => "Payment Required",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        406 => "Not Acceptable",
        407 => "Proxy Authentication Required",
        408 => "Request Timeout",
        409 => "Conflict",
        410 => "Gone",
        411 => "Length Required",
        412 => "Precondition Failed",
        413 => "Content Too Large",
        414 => "URI Too Long",
        415 => "Unsupported Media Type",
        416 => "Range Not Satisfiable",
        417 => "Expectation Failed",
        418 => "I'm a teapot",
        421 => "Misdirected Request",
        422 => "Unprocessable Content",
        423 => "Locked",
        424 => "Failed Dependency",
        425 => "Too Early",
        426 => "Upgrade Required",
        428 => "Precondition Required",
        429 => "Too Many Requests",
        431 => "Request Header Fields Too Large",
        451 => "Unavailable For Legal Reasons",
        500 => "Internal Server Error",
        501 => "Not Implemented",
        502 => "Bad Gateway",
        503 => "Service Unavailable",
        504 => "Gateway Timeout",
        505 => "HTTP Version Not Supported",
        506 => "Variant Also Negotiates",
        507 => "Insufficient Storage",
        508 => "Loop Detected",
        510 => "Not Extended",
        511 => "Network Authentication Required",
        520 => "Web Server Returned an Unknown Error",
        521 => "Web Server Is Down",
        522 => "Connection Timed Out",
        523 => "Origin Is Unreachable",
        524 => "A Timeout Occurred",
        525 => "SSL Handshake Failed",
        526 => "Invalid SSL Certificate",
        _ => "",
    }
}
