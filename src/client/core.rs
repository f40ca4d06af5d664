//! `ClientCore`: a whole client as one state machine: network client, metadata, and its managers.

use super::metadata::{Metadata, MetadataSettings};
use super::network_client::{NetworkClient, Settings};
use super::request::{Outbox, Owner, RequestId, RequestManager, RequestResult};
use super::wire::{Closed, ConnId, JobId, Machine, NetOp};
use crate::error::{Code, Error};
use crate::protocol::ApiKey;
use crate::time::{earlier, Deadline, Now};
use bytes::Bytes;
use std::net::IpAddr;

/// The owner of metadata requests; managers are numbered from 0.
const METADATA: Owner = Owner(u8::MAX);

pub struct ClientCore {
    net: NetworkClient,
    metadata: Metadata,
    managers: Vec<Box<dyn RequestManager>>,
    closed: bool,
}

impl ClientCore {
    /// A client of these managers. `seed` decides jitter and every other choice left to chance.
    pub fn new(
        net: Settings,
        metadata: MetadataSettings,
        managers: Vec<Box<dyn RequestManager>>,
        seed: u64,
    ) -> ClientCore {
        ClientCore {
            net: NetworkClient::new(net, seed),
            metadata: Metadata::new(metadata, seed.wrapping_add(1)),
            managers,
            closed: false,
        }
    }

    fn poll_metadata(&mut self, now: Now) -> Option<Deadline> {
        if self.net.take_lost_connection() {
            self.metadata.request_update();
        }
        let (request, deadline) = self.metadata.poll(now);
        if let Some(request) = request {
            let id = self.net.send(now, METADATA, request);
            self.metadata.sent(id);
        }
        deadline
    }

    fn poll_managers(&mut self, now: Now) -> Option<Deadline> {
        let mut deadline = None;
        for (i, manager) in self.managers.iter_mut().enumerate() {
            let mut out = outbox(&mut self.net, &mut self.metadata, i);
            deadline = earlier(deadline, manager.poll(now, &mut out));
        }
        deadline
    }

    /// Hands results to those who asked. Returns whether there was any.
    fn dispatch(&mut self, now: Now) -> bool {
        let mut any = false;
        while let Some((owner, id, result)) = self.net.next_completed() {
            any = true;
            if owner == METADATA {
                self.on_metadata_response(now, id, result);
            } else if let Some(manager) = self.managers.get_mut(usize::from(owner.0)) {
                let mut out = outbox(&mut self.net, &mut self.metadata, usize::from(owner.0));
                manager.on_response(now, id, result, &mut out);
            }
        }
        any
    }

    fn on_metadata_response(&mut self, now: Now, id: RequestId, result: RequestResult) {
        if let Some((from, error)) = self.metadata.on_response(now, id, result) {
            self.net.note_answer(now, from, ApiKey::Metadata, error);
        }
        if !self.metadata.has_changed() {
            return;
        }
        if self.metadata.take_brokers_changed() {
            let brokers = self.metadata.brokers().map(|b| (b.id, &b.host, b.port));
            self.net.update_brokers(brokers);
        }
        for (i, manager) in self.managers.iter_mut().enumerate() {
            let mut out = outbox(&mut self.net, &mut self.metadata, i);
            manager.on_metadata(now, &mut out);
        }
        self.metadata.take_changed();
    }
}

fn outbox<'a>(net: &'a mut NetworkClient, metadata: &'a mut Metadata, manager: usize) -> Outbox<'a> {
    Outbox { net, metadata, owner: Owner(manager as u8) }
}

/// A manager that gets answers at once can ask again at once; past this many rounds others get their turn.
const MAX_ROUNDS: usize = 16;

impl Machine for ClientCore {
    fn poll(&mut self, now: Now) -> Option<Deadline> {
        if self.closed {
            return None;
        }
        for _ in 0..MAX_ROUNDS {
            self.dispatch(now);
            let deadline = self.poll_managers(now);
            let deadline = earlier(deadline, self.poll_metadata(now));
            let deadline = earlier(deadline, self.net.poll(now));
            if !self.managers.is_empty() && self.managers.iter().all(|m| m.is_finished()) {
                self.closed = true;
                self.net.close(&Error::new(Code::CLOSED, "the client was closed"));
                return None;
            }
            if !self.net.has_completed() {
                return earlier(deadline, self.metadata.deadline());
            }
        }
        Some(now.mono)
    }

    fn next_op(&mut self) -> Option<NetOp> {
        self.net.next_op()
    }

    fn on_resolved(&mut self, now: Now, job: JobId, result: Result<Vec<IpAddr>, Error>) {
        self.net.on_resolved(now, job, result);
    }

    fn on_connected(&mut self, now: Now, conn: ConnId) {
        self.net.on_connected(now, conn);
    }

    fn on_frame(&mut self, now: Now, conn: ConnId, frame: Bytes) {
        self.net.on_frame(now, conn, frame);
    }

    fn on_written(&mut self, now: Now, conn: ConnId) {
        self.net.on_written(now, conn);
    }

    fn on_closed(&mut self, now: Now, conn: ConnId, closed: Closed) {
        self.net.on_closed(now, conn, closed);
    }

    fn is_finished(&self) -> bool {
        self.closed
    }

    fn on_fatal(&mut self, error: Error) {
        for manager in &mut self.managers {
            manager.on_fatal(&error);
        }
    }
}
