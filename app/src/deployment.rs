//! What this deployment allows, for the egress verdict that forms give while a URL is typed.

use leptos::prelude::*;
use postern_core::egress::Policy;

use crate::api::Api;
use crate::browser::location::{self, is_loopback};
use crate::fetched::spawn;

/// The egress policy of the edge that serves this page.
#[derive(Clone, Copy)]
struct Deployment(RwSignal<Policy>);

/// Asks the edge for its policy and offers it to everything below. Until it answers, a page on a loopback
/// address takes the edge for a development one, any other for one at the edge. The edge decides again in any
/// case.
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
