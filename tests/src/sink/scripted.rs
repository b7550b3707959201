//! The receiver of the tests: a script for each path, and a log of what reached it.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::http::{Behaviour, Received, Server};
use crate::wait::{SOON, eventually};

/// A receiver. Paths are told apart without their query; an unknown path answers 200.
#[derive(Debug)]
pub struct Sink {
    address: SocketAddr,
    /// None while it is down.
    server: Option<Server>,
    state: Arc<Mutex<State>>,
}

#[derive(Debug, Default)]
struct State {
    log: Vec<Received>,
    scripts: HashMap<String, Script>,
}

#[derive(Debug)]
struct Script {
    steps: Vec<Behaviour>,
    used: usize,
}

impl Script {
    /// The next step; the last one stays.
    fn step(&mut self) -> Option<Behaviour> {
        let step = self.steps.get(self.used).or(self.steps.last()).cloned();
        self.used += 1;
        step
    }
}

impl Sink {
    /// Starts a receiver on a free port.
    pub async fn start() -> Self {
        let state = Arc::new(Mutex::new(State::default()));
        let server = Server::start(rule(&state)).await;
        Self { address: server.address(), server: Some(server), state }
    }

    /// Ends the server with all of its connections, as a machine that is switched off; what was recorded
    /// stays.
    pub fn go_down(&mut self) {
        self.server = None;
    }

    /// Starts the server again on its port.
    pub async fn come_back(&mut self) {
        self.server = Some(Server::start_at(self.address, rule(&self.state)).await);
    }

    /// The URL of a path here.
    #[must_use]
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// Makes `path` behave so, one step a request; the last step stays.
    pub fn script(&self, path: &str, steps: Vec<Behaviour>) {
        locked(&self.state).scripts.insert(String::from(path), Script { steps, used: 0 });
    }

    /// Makes `path` behave so from now on.
    pub fn always(&self, path: &str, behaviour: Behaviour) {
        self.script(path, vec![behaviour]);
    }

    /// What reached `path` so far, oldest first.
    #[must_use]
    pub fn received(&self, path: &str) -> Vec<Received> {
        locked(&self.state).log.iter().filter(|received| received.path() == path).cloned().collect()
    }

    /// How many requests reached `path` so far.
    #[must_use]
    pub fn count(&self, path: &str) -> usize {
        locked(&self.state).log.iter().filter(|received| received.path() == path).count()
    }

    /// Everything that came so far.
    #[must_use]
    pub fn all(&self) -> Vec<Received> {
        locked(&self.state).log.clone()
    }

    /// Waits until `count` requests reached `path`, and returns them.
    pub async fn wait_for(&self, path: &str, count: usize) -> Vec<Received> {
        self.wait_within(path, count, SOON).await
    }

    /// The same with a deadline.
    pub async fn wait_within(&self, path: &str, count: usize, deadline: Duration) -> Vec<Received> {
        eventually(&format!("{count} requests reach {path}"), deadline, async || {
            Some(self.received(path)).filter(|received| received.len() >= count)
        })
        .await
    }
}

/// Records each request and does what the script of its path says.
fn rule(state: &Arc<Mutex<State>>) -> impl Fn(Received) -> Behaviour + Send + Sync + 'static {
    let told = Arc::clone(state);
    move |received| {
        let mut state = locked(&told);
        let path = String::from(received.path());
        state.log.push(received);
        state.scripts.get_mut(&path).and_then(Script::step).unwrap_or_else(|| Behaviour::status(200))
    }
}

fn locked(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}
