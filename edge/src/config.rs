//! Bindings, variables and secrets: each name stands here once. What they say is read once per isolate.

use std::cell::OnceCell;
use std::rc::Rc;

use postern_core::admin::{AdminFault, Admins};
use postern_core::egress::Policy;
use worker::Env;

use crate::caller::Caller;
use crate::seal::{Keyring, KeyringFault};

use postern_core::quota::{Quota, Quotas};

/// Durable Object namespace: one object per project.
pub(crate) const PROJECT: &str = "PROJECT";
/// KV namespace: copies of the definitions and the list of projects.
pub(crate) const WEBHOOKS: &str = "WEBHOOKS";
/// Queue producer: first attempts.
pub(crate) const DELIVERIES: &str = "DELIVERIES";
/// Queue producer: everything after a first attempt.
pub(crate) const RETRIES: &str = "RETRIES";
/// The dashboard's files.
pub(crate) const ASSETS: &str = "ASSETS";
/// Name of the queue that takes what the platform could not run (wrangler.jsonc).
pub(crate) const DEAD_LETTERS_QUEUE: &str = "dead-letters";

const ADMIN_TOKEN: &str = "ADMIN_TOKEN";
/// Administrators with names of their own: `name:token`, separated by commas or white space.
const ADMIN_TOKENS: &str = "ADMIN_TOKENS";
const SEALING_KEYS: &str = "SEALING_KEYS";
const ALLOW_PRIVATE_TARGETS: &str = "ALLOW_PRIVATE_TARGETS";
/// Hosts that this deployment answers under, separated by commas. The host of a request is always one of
/// them; a queue consumer and an alarm see no request and know only these.
const PUBLIC_HOSTS: &str = "PUBLIC_HOSTS";
/// Wrong tokens of one address in a minute, before it gets 429. 0: no limit.
const AUTH_FAILURES_PER_MINUTE: &str = "AUTH_FAILURES_PER_MINUTE";
/// Requests of one address in a minute to paths that need no token. 0: no limit.
const PUBLIC_REQUESTS_PER_MINUTE: &str = "PUBLIC_REQUESTS_PER_MINUTE";
/// `false`: no line is logged for each request.
const LOG_REQUESTS: &str = "LOG_REQUESTS";

/// How much one address may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Limits {
    /// Wrong tokens in a minute; 0: no limit.
    pub(crate) failures_per_min: u32,
    /// Requests in a minute to paths that need no token; 0: no limit.
    pub(crate) public_per_min: u32,
}

impl Limits {
    /// A deployment's.
    const STRICT: Self = Self { failures_per_min: 20, public_per_min: 600 };
    /// Those of a machine where everybody has the one address of loopback.
    const LOCAL: Self = Self { failures_per_min: 200, public_per_min: 60_000 };
}

/// The deployment's configuration is not usable.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ConfigFault {
    /// A secret is missing.
    #[error("secret {0} is not set")]
    Missing(&'static str),
    /// A quota is something else than a number.
    #[error("variable {0} must be a whole number, 0 for no limit")]
    Quota(&'static str),
    /// The sealing keys can't be read.
    #[error(transparent)]
    Keyring(#[from] KeyringFault),
    /// An administrator's token can't be used.
    #[error(transparent)]
    Admins(#[from] AdminFault),
}

/// What the variables and secrets say.
pub(crate) struct Settings {
    /// Who may do everything. Where that can't be told, no request is answered; what was accepted before goes
    /// on.
    pub(crate) admins: Result<Admins, AdminFault>,
    /// The keys that open and seal secrets.
    pub(crate) keyring: Keyring,
    allow_private_targets: bool,
    public_hosts: Vec<String>,
    /// How much one address may do.
    pub(crate) limits: Limits,
    /// Whether each request has its line in the log.
    pub(crate) logs_requests: bool,
    /// How much one project may hold and be asked for.
    pub(crate) quotas: Quotas,
}

impl Settings {
    /// The settings of this isolate; read from `env` the first time.
    ///
    /// # Errors
    /// `SEALING_KEYS` is missing or wrong.
    pub(crate) fn of(env: &Env) -> Result<Rc<Self>, ConfigFault> {
        thread_local! {
            static SETTINGS: OnceCell<Rc<Settings>> = const { OnceCell::new() };
        }
        if let Some(known) = SETTINGS.with(|cell| cell.get().cloned()) {
            return Ok(known);
        }
        let text = |name| env.var(name).ok().map(|value| value.to_string());
        let keys = text(SEALING_KEYS).ok_or(ConfigFault::Missing(SEALING_KEYS))?;
        let admins =
            Admins::parse(&text(ADMIN_TOKEN).unwrap_or_default(), &text(ADMIN_TOKENS).unwrap_or_default());
        let mut settings =
            Self::new(admins, &keys, text(ALLOW_PRIVATE_TARGETS).as_deref(), text(PUBLIC_HOSTS).as_deref())?;
        let number = |name| text(name).and_then(|value| value.trim().parse().ok());
        settings.limits.failures_per_min =
            number(AUTH_FAILURES_PER_MINUTE).unwrap_or(settings.limits.failures_per_min);
        settings.limits.public_per_min =
            number(PUBLIC_REQUESTS_PER_MINUTE).unwrap_or(settings.limits.public_per_min);
        settings.logs_requests = text(LOG_REQUESTS).as_deref() != Some("false");
        settings.quotas = quotas(text)?;
        let settings = Rc::new(settings);
        SETTINGS.with(|cell| Ok(Rc::clone(cell.get_or_init(|| settings))))
    }

    fn new(
        admins: Result<Admins, AdminFault>,
        keys: &str,
        allow_private: Option<&str>,
        public_hosts: Option<&str>,
    ) -> Result<Self, ConfigFault> {
        Ok(Self {
            admins,
            keyring: Keyring::parse(keys)?,
            allow_private_targets: allow_private == Some("true"),
            public_hosts: public_hosts
                .unwrap_or("")
                .split(',')
                .map(str::trim)
                .filter(|host| !host.is_empty())
                .map(String::from)
                .collect(),
            limits: if allow_private == Some("true") { Limits::LOCAL } else { Limits::STRICT },
            logs_requests: true,
            quotas: Quotas::default(),
        })
    }

    /// Settings with this `ADMIN_TOKEN`, an administrator `ada`, one key and nothing else.
    #[cfg(test)]
    pub(crate) fn for_tests(admin_token: &str) -> Self {
        let keys = "k1:AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=";
        Self {
            admins: Admins::parse(admin_token, "ada:ada-0123456789abcdef0123456789abcdef"),
            keyring: Keyring::parse(keys).unwrap(),
            allow_private_targets: false,
            public_hosts: Vec::new(),
            limits: Limits::STRICT,
            logs_requests: true,
            quotas: Quotas::default(),
        }
    }

    /// The administrator whose token it is.
    pub(crate) fn admin(&self, token: &str) -> Option<Caller> {
        self.admins.as_ref().ok()?.name_of(token).map(Caller::admin)
    }

    /// What may be called. `host` is the one under which the request at hand came in, if there is one.
    pub(crate) fn policy(&self, host: Option<&str>) -> Policy {
        let mut own_hosts = self.public_hosts.clone();
        own_hosts.extend(host.map(String::from).filter(|host| !self.public_hosts.contains(host)));
        Policy { allow_private_targets: self.allow_private_targets, own_hosts }
    }
}

/// The quotas that the variables `QUOTA_…` set; where one is not set its default holds.
fn quotas(text: impl Fn(&'static str) -> Option<String>) -> Result<Quotas, ConfigFault> {
    Quota::ALL.into_iter().try_fold(Quotas::default(), |quotas, quota| {
        let Some(value) = text(quota.variable()) else { return Ok(quotas) };
        let limit = value.trim().parse().map_err(|_no_number| ConfigFault::Quota(quota.variable()))?;
        Ok(quotas.with(quota, limit))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEYS: &str = "k1:AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=";

    fn settings(admins: Result<Admins, AdminFault>, hosts: Option<&str>) -> Settings {
        Settings::new(admins, KEYS, None, hosts).unwrap()
    }

    #[test]
    fn nobody_is_admin_without_an_admin_token() {
        const ADMIN: &str = "0123456789abcdef0123456789abcdef";
        let admin =
            |admin_token: &str, shown: &str| settings(Admins::parse(admin_token, ""), None).admin(shown);
        assert_eq!(admin("", ""), None);
        assert_eq!(admin(ADMIN, ADMIN), Some(Caller::Admin));
        assert_eq!(admin(ADMIN, &format!("{ADMIN}b")), None);
        assert_eq!(admin(ADMIN, &ADMIN[1..]), None);
        assert_eq!(admin("a", "a"), None, "a token that can be guessed opens nothing");
    }

    #[test]
    fn a_short_admin_token_is_told_and_keeps_nothing_from_being_sent() {
        let settings = settings(Admins::parse("hush", ""), None);
        let fault = ConfigFault::from(settings.admins.unwrap_err()).to_string();
        assert!(fault.starts_with("ADMIN_TOKEN has 4 characters") && !fault.contains("hush"), "{fault}");
    }

    #[test]
    fn private_targets_are_refused_unless_the_variable_says_true() {
        let allows = |text| {
            Settings::new(Ok(Admins::default()), KEYS, text, None).unwrap().policy(None).allow_private_targets
        };
        assert!(allows(Some("true")));
        for text in [None, Some(""), Some("false"), Some("1"), Some("TRUE")] {
            assert!(!allows(text), "{text:?}");
        }
    }

    #[test]
    fn a_quota_is_its_variable_or_its_default_and_zero_lifts_it() {
        let of =
            |value: &'static str| quotas(move |name| (name == "QUOTA_WEBHOOKS").then(|| String::from(value)));
        assert_eq!(of("7").unwrap(), Quotas::default().with(Quota::Webhooks, 7));
        assert_eq!(of(" 0 ").unwrap().limit(Quota::Webhooks), None);
        for wrong in ["", "10k", "-1", "1.5"] {
            assert_eq!(
                of(wrong).unwrap_err().to_string(),
                "variable QUOTA_WEBHOOKS must be a whole number, 0 for no limit",
                "{wrong}"
            );
        }
    }

    #[test]
    fn the_deployment_s_file_sets_each_quota_to_its_default() {
        let file = include_str!("../../wrangler.jsonc");
        for quota in Quota::ALL {
            let line = format!("\"{}\": \"{}\"", quota.variable(), quota.default_limit());
            assert!(file.contains(&line), "{line}");
        }
    }

    #[test]
    fn the_deployment_s_file_keeps_requests_out_of_the_platform_s_log() {
        let file = include_str!("../../wrangler.jsonc");
        for line in ["\"invocation_logs\": false", "\"redact_query_string\": true"] {
            assert!(file.contains(line), "{line}");
        }
    }

    #[test]
    fn the_request_s_host_is_one_of_our_own() {
        let settings = settings(Ok(Admins::default()), Some("a.example, b.example"));
        assert_eq!(settings.policy(None).own_hosts, ["a.example", "b.example"]);
        assert_eq!(settings.policy(Some("b.example")).own_hosts, ["a.example", "b.example"]);
        assert_eq!(settings.policy(Some("c:8787")).own_hosts, ["a.example", "b.example", "c:8787"]);
    }
}
