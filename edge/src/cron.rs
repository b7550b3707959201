//! The watchdog: projects are asked whether their alarm is set. An alarm can be lost or rest in the past for
//! ever (docs/platform.md 1.3); asking arms it again. Which are asked in a minute is decided by
//! [`postern_engine::asked`].

use futures_util::StreamExt as _;
use worker::Env;

use crate::clock;
use crate::definition_kv;
use crate::log::{self, RequestId};
use crate::project_do::call;
use crate::project_do::watchdog::Tick;

/// Projects that are asked at once (docs/platform.md 2.4: six connections an invocation).
const AT_ONCE: usize = 6;

/// Projects that are asked in a minute. An invocation may make 1,000 calls to other parts of the platform on
/// the paid plan; each thousand of the list takes one, too.
const ASKED_MAX: usize = 800;

const MINUTE_MS: i64 = 60_000;

/// Asks the projects whose turn it is.
pub(crate) async fn tick(env: &Env, id: &RequestId) {
    let projects = match definition_kv::projects(env).await {
        Ok(projects) => projects,
        Err(error) => {
            log::error(id, "the watchdog could not list the projects", &[("error", &log::chain(&error))]);
            return;
        }
    };
    let minute = clock::now().0.div_euclid(MINUTE_MS);
    let projects = postern_engine::asked(projects, |project| project.name.as_str(), ASKED_MAX, minute);
    let asked = projects.into_iter().map(|project| async move {
        if let Err(error) = call::ask_as_postern(env, id, &project.name, Tick).await {
            log::warn(
                id,
                "the watchdog could not reach a project",
                &[("project", &project.name.as_str()), ("error", &error)],
            );
        }
    });
    futures_util::stream::iter(asked).buffer_unordered(AT_ONCE).collect::<()>().await;
}
