//! A topic's view, read by every send: a reader that keeps the last one pays one atomic load to see that it still
//! holds.

use super::topic::TopicView;
use parking_lot::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::Arc;

/// The partitions of a topic, once metadata has named them.
#[derive(Default)]
pub struct ViewCell {
    version: AtomicU64,
    current: Mutex<Option<Arc<TopicView>>>,
}

/// What a reader saw last.
#[derive(Clone, Default)]
pub struct SeenView {
    version: u64,
    pub view: Option<Arc<TopicView>>,
}

impl ViewCell {
    pub fn store(&self, view: Arc<TopicView>) {
        let mut current = self.current.lock();
        *current = Some(view);
        self.version.fetch_add(1, Ordering::Release);
    }

    pub fn load(&self) -> Option<Arc<TopicView>> {
        self.current.lock().clone()
    }

    pub fn is_some(&self) -> bool {
        self.version.load(Ordering::Acquire) > 0
    }

    /// Brings `seen` up to date.
    #[inline]
    pub fn refresh(&self, seen: &mut SeenView) {
        if self.version.load(Ordering::Acquire) != seen.version {
            let current = self.current.lock();
            seen.version = self.version.load(Ordering::Acquire);
            seen.view = current.clone();
        }
    }
}
