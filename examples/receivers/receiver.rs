//! A receiver for Rust, with axum 0.8 and standardwebhooks 1.0.

use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use standardwebhooks::Webhook;
use tokio::net::TcpListener;

/// Answers callbacks that are signed with `secret` (`whsec_…`).
///
/// # Errors
/// The secret does not read; the listener fails.
pub async fn serve(
    listener: TcpListener,
    secret: &str,
) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    let webhook = Arc::new(Webhook::new(secret)?);
    let app = Router::new().fallback(post(receive)).with_state(webhook);
    Ok(axum::serve(listener, app).await?)
}

async fn receive(State(webhook): State<Arc<Webhook>>, headers: HeaderMap, body: Bytes) -> StatusCode {
    // Verify the bytes as they came, before anything parses them.
    if webhook.verify(&body, &headers).is_err() {
        return StatusCode::UNAUTHORIZED;
    }
    // The same webhook-id again is the same delivery: remember it and skip the second one.
    StatusCode::NO_CONTENT
}
