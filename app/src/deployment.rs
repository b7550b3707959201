//! What this deployment allows, for the egress verdict that forms give while a URL is typed.

use leptos::prelude::*;
use postern_core::egress::Policy;

use crate::api::Api;
use crate::browser::location;
use crate::fetched::spawn;

/// The egress policy of the edge that serves this page.
#[derive(Clone, Copy)]
struct Deployment(RwSignal<Policy>);

/// Asks the edge for its policy and offers it to everything below. Until it answers, a page on a loopback address takes the
/// edge for a development one, any other for one at the edge. The edge decides again in any case.
pub(crate) fn provide(api: Api) {
    let host = location::host();
    let policy = RwSignal::new(Policy { allow_private_targets: is_loopback(&host), own_hosts: vec![host] });
    provide_context(Deployment(policy));
    spawn(async move {
        if let Ok(health) = api.health().await
            && let Some(allow) = health.allow_private_targets
        {
            policy.update(|policy| policy.allow_private_targets = allow);
        }
    });
}

/// The egress policy; reactive.
pub(crate) fn use_policy() -> RwSignal<Policy> {
    expect_context::<Deployment>().0
}

fn is_loopback(host: &str) -> bool {
    let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
    name == "localhost" || name == "[::1]" || name.starts_with("127.")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_on_a_loopback_address_is_a_development_one() {
        for host in ["localhost", "localhost:8787", "127.0.0.1:8787", "[::1]:8787"] {
            assert!(is_loopback(host), "{host}");
        }
        for host in ["postern.example", "10.0.0.1:8787", "localhost.example"] {
            assert!(!is_loopback(host), "{host}");
        }
    }
}
