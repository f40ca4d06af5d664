//! Serves an embedded cluster on loopback, to any Kafka client, from a thread of its own.
//!
//! The cluster sits behind one lock. The thread takes it for each turn of its loop ([`serve`](super::serve)) and
//! not while it waits; the owner's calls take it in between and wake the thread.

use super::cluster::EmbeddedCluster;
use super::faults::Fault;
use super::serve::{Loop, LISTENERS};
use super::settings::ClusterSettings;
use crate::error::{Code, Error};
use crate::sys::{clock, thread};
use crate::time::Now;
use mio::net::TcpListener;
use mio::{Interest, Poll, Registry, Token, Waker};
use parking_lot::Mutex;
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::thread::JoinHandle;

/// What the thread and the owner share.
pub(super) struct Shared {
    pub state: Mutex<State>,
    waker: Waker,
}

pub(super) struct State {
    pub cluster: EmbeddedCluster,
    /// The listener of broker 1, of broker 2 …; none while a broker is down.
    pub listeners: Vec<Option<TcpListener>>,
    pub stop: bool,
    registry: Registry,
    addresses: Vec<SocketAddr>,
}

impl State {
    /// Opens and closes listeners so that they fit the brokers that are up. Goes on after an error, and gives the
    /// first.
    fn fit_listeners(&mut self) -> io::Result<()> {
        let mut result = Ok(());
        let brokers = self.cluster.brokers();
        for ((listener, address), (index, id)) in
            self.listeners.iter_mut().zip(&self.addresses).zip(brokers.into_iter().enumerate())
        {
            match (self.cluster.is_up(id), listener.is_some()) {
                (false, true) => *listener = None,
                (true, false) => match listen(*address, &self.registry, index) {
                    Ok(open) => *listener = Some(open),
                    Err(e) => result = result.and(Err(e)),
                },
                (true, true) | (false, false) => {}
            }
        }
        result
    }
}

fn listen(address: SocketAddr, registry: &Registry, index: usize) -> io::Result<TcpListener> {
    let mut listener = TcpListener::bind(address)?;
    registry.register(&mut listener, Token(LISTENERS.saturating_add(index)), Interest::READABLE)?;
    Ok(listener)
}

/// A running embedded cluster. Dropping it stops it.
pub struct EmbeddedServer {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

impl EmbeddedServer {
    /// Starts the brokers: broker i listens on port `base_port` + i - 1, or all on ports that the system chooses
    /// if that is 0 (`settings.ports` is not looked at). The address is `settings.host` if that is an IP address,
    /// else 127.0.0.1.
    ///
    /// # Errors
    /// INVALID_ARGUMENT for settings out of range; TRANSPORT when a port is taken or the system refuses
    /// sockets or a thread.
    pub fn start(mut settings: ClusterSettings, base_port: u16) -> Result<EmbeddedServer, Error> {
        let poll = Poll::new().map_err(|e| failed("wait for sockets", &e))?;
        let registry = poll.registry().try_clone().map_err(|e| failed("wait for sockets", &e))?;
        let waker = Waker::new(&registry, super::serve::WAKER).map_err(|e| failed("be woken", &e))?;
        let ip = settings.host.parse::<IpAddr>().unwrap_or(IpAddr::V4(Ipv4Addr::LOCALHOST));
        // Checked before so many ports are opened.
        settings.ports = vec![0; settings.brokers as usize];
        settings.check()?;
        let mut listeners = Vec::new();
        let mut addresses = Vec::new();
        for index in 0..settings.brokers as usize {
            let port = match base_port {
                0 => Some(0),
                base => u16::try_from(index).ok().and_then(|i| base.checked_add(i)),
            };
            let Some(port) = port else {
                let why =
                    format!("ports from {base_port} on are not enough for {} brokers", settings.brokers);
                return Err(Error::new(Code::INVALID_ARGUMENT, why));
            };
            let wanted = SocketAddr::new(ip, port);
            let bound = listen(wanted, &registry, index).and_then(|l| Ok((l.local_addr()?, l)));
            let (address, listener) = bound.map_err(|e| failed(&format!("listen on {wanted}"), &e))?;
            addresses.push(address);
            listeners.push(Some(listener));
        }
        settings.ports = addresses.iter().map(SocketAddr::port).collect();
        let cluster = EmbeddedCluster::new(settings)?;
        let state = State { cluster, listeners, stop: false, registry, addresses };
        let shared = Arc::new(Shared { state: Mutex::new(state), waker });
        let served = Loop::new(shared.clone(), poll);
        let thread = thread::spawn("milena-embedded", move || served.run());
        let thread = thread.map_err(|e| failed("start a thread", &e))?;
        Ok(EmbeddedServer { shared, thread: Some(thread) })
    }

    /// `host:port` of each broker, for `bootstrap.servers`.
    pub fn bootstrap_servers(&self) -> String {
        self.shared.state.lock().cluster.bootstrap_servers()
    }

    /// Does something to the cluster or asks it something, between two turns of its thread. Keep it short: no
    /// broker answers meanwhile.
    pub fn with<T>(&self, act: impl FnOnce(&mut EmbeddedCluster, Now) -> T) -> T {
        let mut state = self.shared.state.lock();
        let result = act(&mut state.cluster, clock::now());
        // A port that was taken meanwhile: clients find the broker refusing, and broker_up tells it.
        let _ = state.fit_listeners();
        drop(state);
        self.wake();
        result
    }

    /// See [`EmbeddedCluster::create_topic`].
    pub fn create_topic(
        &self,
        name: &str,
        partitions: i32,
        replication: i16,
        configs: &[(&str, &str)],
    ) -> Result<(), Error> {
        self.with(|cluster, _| cluster.create_topic(name, partitions, replication, configs))
    }

    /// See [`EmbeddedCluster::push_fault`].
    pub fn push_fault(&self, fault: Fault) {
        self.with(|cluster, _| cluster.push_fault(fault));
    }

    /// See [`EmbeddedCluster::broker_down`]; its port refuses connections when this returns.
    pub fn broker_down(&self, broker: i32) -> Result<(), Error> {
        self.with(|cluster, now| cluster.broker_down(now, broker))
    }

    /// See [`EmbeddedCluster::broker_up`]; its port takes connections when this returns.
    ///
    /// # Errors
    /// INVALID_ARGUMENT for an unknown broker; TRANSPORT when somebody else has taken the port.
    pub fn broker_up(&self, broker: i32) -> Result<(), Error> {
        self.with(|cluster, now| cluster.broker_up(now, broker))?;
        self.shared.state.lock().fit_listeners().map_err(|e| failed("listen again", &e))
    }

    /// Stops the brokers: connections are closed, and the thread has ended when this returns. Records are gone.
    pub fn stop(&mut self) {
        self.shared.state.lock().stop = true;
        self.wake();
        if let Some(thread) = self.thread.take() {
            // A panic of the thread has been printed, and its sockets are closed.
            let _ = thread.join();
        }
        self.shared.state.lock().listeners.clear();
    }

    fn wake(&self) {
        // It can fail only when the thread's end is gone, and then there is nobody to wake.
        let _ = self.shared.waker.wake();
    }
}

impl Drop for EmbeddedServer {
    fn drop(&mut self) {
        self.stop();
    }
}

fn failed(what: &str, e: &io::Error) -> Error {
    Error::new(Code::TRANSPORT, format!("the embedded cluster can't {what}"))
        .cause(e.to_string())
        .retriable(false)
}
