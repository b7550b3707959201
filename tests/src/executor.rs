//! The example executor, at work in a thread of the test.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};

use crate::client::Project;

/// An executor; it stops when it is dropped, after the run at hand.
#[derive(Debug)]
pub struct Executor {
    is_enough: Arc<AtomicBool>,
    thread: Option<JoinHandle<usize>>,
}

impl Executor {
    /// Lets an executor do the runs of `project`, with a token of the role `execute`.
    pub async fn start(project: &Project) -> Self {
        let token = project.token("execute").await;
        let is_enough = Arc::new(AtomicBool::new(false));
        let (base, name, stop) = (project.api.base.clone(), project.name.clone(), Arc::clone(&is_enough));
        let thread = thread::spawn(move || {
            postern_executor::serve(&base, &name, &token, || stop.load(Ordering::Relaxed))
        });
        Self { is_enough, thread: Some(thread) }
    }
}

impl Drop for Executor {
    fn drop(&mut self) {
        self.is_enough.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            drop(thread.join());
        }
    }
}
