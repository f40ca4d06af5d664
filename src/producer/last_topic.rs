//! The topic that a thread sent to last: most sends go where the one before went, and then need no look-up.

use super::topic::Topic;
use super::view_cell::SeenView;
use std::cell::Cell;
use std::sync::Arc;

/// A topic and its view as this thread saw them last.
pub struct LastTopic {
    /// The accumulator that the topic belongs to.
    pub accumulator: u64,
    pub topic: Arc<Topic>,
    pub seen: SeenView,
}

thread_local! {
    static LAST: Cell<Option<Box<LastTopic>>> = const { Cell::new(None) };
}

/// Takes the thread's last topic out; [`keep`] puts it, or another, back.
#[inline]
pub fn take(accumulator: u64, name: &[u8]) -> Option<Box<LastTopic>> {
    let last = LAST.try_with(Cell::take).ok()??;
    if last.accumulator == accumulator && last.topic.name.as_bytes() == name {
        return Some(last);
    }
    None
}

#[inline]
pub fn keep(last: Box<LastTopic>) {
    // While the thread ends there is nowhere to keep it.
    let _ = LAST.try_with(|cell| cell.set(Some(last)));
}
