//! A running host: its runtime, its queues, its life.

use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures::FutureExt;
use libp2p::swarm::Config as SwarmConfig;
use libp2p::{relay, PeerId, Swarm};
use tokio::runtime::Runtime;
use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::{mpsc, watch};

use crate::ffi::{panic_text, status, Failure, FfiResult};

use super::behaviour::Behaviour;
use super::config::Config;
use super::done::Done;
use super::events::{kind, Event, EventQueue};
use super::streams::Protocols;
use super::swarm::{run, Command, State};
use super::transport;

/// Commands that may wait for the swarm task; further ones answer `would_block`.
pub const COMMANDS_WAITING_MAX: usize = 4096;
/// Inbound streams of one connection whose protocol is being agreed on.
const NEGOTIATING_STREAMS_MAX: usize = 512;
/// Peers stay connected while nothing is said.
const IDLE_TIMEOUT: Duration = Duration::from_secs(10 * 365 * 24 * 3600);
/// How long a stop waits for tasks; longer means a bug or a stuck name look-up.
const STOP_TIME_MAX: Duration = Duration::from_secs(5);

/// What C holds as `icl_p2p`. Any thread may call it; `stop` blocks.
pub struct Node {
    id: PeerId,
    commands: mpsc::Sender<Command>,
    stop: watch::Sender<bool>,
    runtime: Mutex<Option<Runtime>>,
    pub protocols: Arc<Protocols>,
    pub events: Arc<EventQueue>,
}

impl Node {
    pub fn start(config: Config, events: EventQueue) -> FfiResult<Node> {
        let events = Arc::new(events);
        let protocols = Arc::new(Protocols::default());
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .max_blocking_threads(2)
            .thread_name("icl-p2p")
            .on_thread_start(crate::ffi::thread_started)
            .enable_all()
            .build()
            .map_err(|cause| Failure::new(status::IO, format!("starting threads: {cause}")))?;
        let id = config.keypair.public().to_peer_id();
        let (commands, inbox) = mpsc::channel(COMMANDS_WAITING_MAX);
        let (stop, stopped) = watch::channel(false);
        let state = {
            let _inside = runtime.enter();
            build(&config, protocols.clone(), events.clone(), runtime.handle().clone())?
        };
        let reporter = events.clone();
        let asked = stop.subscribe();
        runtime.spawn(async move {
            let ended = AssertUnwindSafe(run(state, inbox, stopped)).catch_unwind().await;
            let text = match ended {
                Ok(()) if *asked.borrow() => return,
                Ok(()) => "the network task has ended".to_string(),
                Err(payload) => format!("the network task has failed: {}", panic_text(payload.as_ref())),
            };
            reporter.push(Event { kind: kind::FAILED, name: text.into_bytes(), ..Event::default() });
        });
        Ok(Node { id, commands, stop, runtime: Mutex::new(Some(runtime)), protocols, events })
    }

    pub fn id(&self) -> &PeerId {
        &self.id
    }

    /// Queues a command that ends with `done`.
    pub fn submit(&self, done: Done, command: impl FnOnce(&mut State, Done) + Send + 'static) {
        match self.commands.try_reserve() {
            Ok(place) => place.send(Box::new(move |state| command(state, done))),
            Err(TrySendError::Full(())) => done.fail(status::WOULD_BLOCK, "the command queue is full"),
            Err(TrySendError::Closed(())) => done.fail(status::CLOSED, "the host has stopped"),
        }
    }

    /// Queues a command nobody waits for.
    pub fn tell(&self, command: impl FnOnce(&mut State) + Send + 'static) -> FfiResult {
        match self.commands.try_reserve() {
            Ok(place) => {
                place.send(Box::new(command));
                Ok(())
            }
            Err(TrySendError::Full(())) => Err(Failure::new(status::WOULD_BLOCK, "the command queue is full")),
            Err(TrySendError::Closed(())) => Err(Failure::new(status::CLOSED, "the host has stopped")),
        }
    }

    /// Ends all tasks and waits for them; pending operations report `canceled`. Not from a callback.
    pub fn stop(&self) {
        let runtime = self.runtime.lock().unwrap_or_else(|e| e.into_inner()).take();
        let Some(runtime) = runtime else { return };
        let _ = self.stop.send(true);
        // The swarm task drops the receiver when it has ended.
        let ended = async { tokio::time::timeout(STOP_TIME_MAX, self.commands.closed()).await };
        let _ = runtime.block_on(ended);
        runtime.shutdown_timeout(STOP_TIME_MAX);
        self.events.close();
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        self.stop();
    }
}

fn build(
    config: &Config,
    protocols: Arc<Protocols>,
    events: Arc<EventQueue>,
    runtime: tokio::runtime::Handle,
) -> FfiResult<State> {
    let id = config.keypair.public().to_peer_id();
    let (relayed, relay_client) = config.reach.relay_client.then(|| relay::client::new(id)).unzip();
    let transport = transport::build(config, relayed)?;
    let behaviour = Behaviour::new(config, relay_client, protocols, events.clone(), runtime)?;
    let swarm_config = SwarmConfig::with_tokio_executor()
        .with_idle_connection_timeout(config.idle_timeout.unwrap_or(IDLE_TIMEOUT))
        .with_max_negotiating_inbound_streams(NEGOTIATING_STREAMS_MAX);
    let mut swarm = Swarm::new(transport, behaviour, id, swarm_config);
    for address in &config.announce {
        swarm.add_external_address(address.clone());
    }
    Ok(State::new(swarm, events, config))
}
