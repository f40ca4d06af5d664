//! Channels that rest: the system does not wake us for them, and they are read when their time is over.
//!
//! Telling the system to be silent costs a call, and so does the contrary; a connection that is busy for long rests
//! again at the end of each rest, and costs neither.

use super::selector::ChannelId;
use crate::time::Nanos;

/// Who rests until when. There are few: connections to busy brokers.
#[derive(Debug, Default)]
pub struct Rests {
    resting: Vec<(ChannelId, Nanos)>,
}

impl Rests {
    pub fn is_empty(&self) -> bool {
        self.resting.is_empty()
    }

    pub fn contains(&self, id: ChannelId) -> bool {
        self.resting.iter().any(|r| r.0 == id)
    }

    /// A new rest, in place of the last one.
    pub fn begin(&mut self, id: ChannelId, until: Nanos) {
        self.end(id);
        self.resting.push((id, until));
    }

    pub fn end(&mut self, id: ChannelId) {
        self.resting.retain(|r| r.0 != id);
    }

    /// When the first rest is over.
    pub fn next(&self) -> Option<Nanos> {
        self.resting.iter().map(|r| r.1).min()
    }

    /// One whose rest is over.
    pub fn pop_over(&mut self, now: Nanos) -> Option<ChannelId> {
        let at = self.resting.iter().position(|r| r.1 <= now)?;
        Some(self.resting.swap_remove(at).0)
    }
}
