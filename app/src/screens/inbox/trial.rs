//! A test that is sent to the inbox.

use leptos::prelude::*;
use postern_core::api::inbox::InboxView;
use postern_core::api::test::{TestStatus, TestView};
use serde_json::json;

use crate::api::use_project;
use crate::fetched::Fetched;
use crate::screens::webhook::watch;
use crate::ui::form::Sending;
use crate::ui::toast::use_toasts;

/// Sends a test to the inbox, and puts into `test` what becomes of it.
///
/// Nothing is sent twice by a press while one is under way. What arrives comes through the feed like
/// everything else; `test` says only how the call went.
pub(super) fn send_test(inbox: Fetched<InboxView>, test: RwSignal<Option<TestView>>) -> UnsyncCallback<()> {
    let (project, toasts, sending) = (use_project(), use_toasts(), Sending::new());
    watch(project.clone(), test);
    UnsyncCallback::new(move |()| {
        let Some(url) = inbox.value.with_untracked(|inbox| inbox.as_ref().map(|inbox| inbox.url.clone()))
        else {
            return;
        };
        sending.send(project.test_url(&json!({ "url": url })), move |answer| match answer {
            Ok(started) => test.set(Some(started)),
            Err(failure) => toasts.complain(failure.to_string()),
        });
    })
}

/// How the test is doing.
pub(super) fn test_words(test: &TestView) -> String {
    match test.status {
        TestStatus::Pending => String::from("Test under way…"),
        TestStatus::Completed => String::from("Test arrived"),
        TestStatus::Failed => format!("Test failed: {}", test.error_message.clone().unwrap_or_default()),
    }
}
