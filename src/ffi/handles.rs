//! Client handles: numbers that look like pointers, looked up and never dereferenced.
//!
//! A handle has a kind (always odd, so that no handle is a valid address of anything), a slot, and the generation
//! of that slot. A freed handle, one of another kind and one that never was differ from what the slot says and get
//! STALE_HANDLE. The lookup takes no lock: the slot's state counts who is inside, and who leaves a freed client
//! last drops it. So a client can be freed while other threads are inside its calls.
//!
//! The state of a slot is one word: VACANT, then LIVE once a client is in, then DEAD once it is freed, then VACANT
//! with the next generation when the last call has left. All changes are single atomic steps, so that a process
//! that was forked in the middle of one can still make handles.

use crate::error::{Code, Error, Result};
use crate::sys::{fork_generation, is_this_process};
use std::cell::UnsafeCell;
use std::mem::MaybeUninit;
use std::ops::Deref;
use std::ptr;
use std::sync::atomic::{AtomicPtr, AtomicU64, AtomicUsize, Ordering};

/// What a handle is for; odd, and below 8.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Producer = 1,
    Consumer = 3,
    Admin = 5,
    Embedded = 7,
}

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Kind::Producer => "producer",
            Kind::Consumer => "consumer",
            Kind::Admin => "admin client",
            Kind::Embedded => "embedded cluster",
        }
    }
}

// A handle: kind, slot, generation. As many bits for the generation as the pointer leaves.
const KIND_BITS: u32 = 3;
const SLOT_BITS: u32 = if usize::BITS == 64 { 16 } else { 10 };
const GENERATION_BITS: u32 = if usize::BITS == 64 { 40 } else { usize::BITS - KIND_BITS - SLOT_BITS };
const SLOTS: usize = 1 << SLOT_BITS;
const CHUNK: usize = 64;

// A slot's state: count of those inside, then two flags, then the generation.
const COUNT_BITS: u32 = 20;
const COUNT: u64 = (1 << COUNT_BITS) - 1;
const DEAD: u64 = 1 << COUNT_BITS;
const VACANT: u64 = 2 << COUNT_BITS;
/// A client is being put in.
const TAKEN: u64 = VACANT | DEAD;
const FLAGS: u64 = TAKEN;
const GENERATION_SHIFT: u32 = COUNT_BITS + 2;
const GENERATION_MASK: u64 = (1 << GENERATION_BITS) - 1;

fn slot_of(handle: usize) -> usize {
    (handle >> KIND_BITS) & (SLOTS - 1)
}

fn generation(state: u64) -> u64 {
    (state >> GENERATION_SHIFT) & GENERATION_MASK
}

struct Slot<T> {
    state: AtomicU64,
    entry: UnsafeCell<MaybeUninit<Entry<T>>>,
}

struct Entry<T> {
    /// The process that it was made in.
    process: u64,
    value: T,
}

struct Slots<T>([Slot<T>; CHUNK]);

/// All handles of one kind.
pub(super) struct Table<T> {
    kind: Kind,
    /// Where to look for a vacant slot first; most below it are taken.
    hint: AtomicUsize,
    chunks: [AtomicPtr<Slots<T>>; SLOTS / CHUNK],
}

// SAFETY: entries are shared with every thread that has a handle, and dropped on whichever leaves last.
unsafe impl<T: Send + Sync> Sync for Table<T> {}

/// A client as long as a call is inside it.
pub(super) struct Inside<'t, T> {
    slot: &'t Slot<T>,
    value: &'t T,
}

impl<T> Table<T> {
    pub const fn new(kind: Kind) -> Table<T> {
        let hint = AtomicUsize::new(0);
        Table { kind, hint, chunks: [const { AtomicPtr::new(ptr::null_mut()) }; SLOTS / CHUNK] }
    }

    /// Puts a client in and gives its handle.
    ///
    /// # Errors
    /// INVALID_STATE when there are as many clients as there can be.
    pub fn insert(&self, value: T) -> Result<usize> {
        let hint = self.hint.load(Ordering::Relaxed).min(SLOTS);
        for number in (hint..SLOTS).chain(0..hint) {
            let slot = self.slot_or_new(number);
            if let Some(generation) = slot.take() {
                let _ = self.hint.compare_exchange(hint, number + 1, Ordering::Relaxed, Ordering::Relaxed);
                let entry = Entry { process: fork_generation(), value };
                // SAFETY: a taken slot belongs to who took it; nobody looks into it before it is live.
                unsafe { (*slot.entry.get()).write(entry) };
                slot.publish();
                let handle = (generation as usize) << (KIND_BITS + SLOT_BITS) | number << KIND_BITS;
                return Ok(handle | self.kind as usize);
            }
        }
        let text = format!("there are {SLOTS} {}s in this process already", self.kind.name());
        Err(Error::new(Code::INVALID_STATE, text).hint("free those that are no longer needed"))
    }

    /// Looks a handle up.
    ///
    /// # Errors
    /// NULL_ARGUMENT, STALE_HANDLE, FORKED.
    #[inline(always)]
    pub fn enter(&self, handle: usize) -> Result<Inside<'_, T>> {
        match self.find(handle) {
            Some((slot, entry)) if is_this_process(entry.process) => Ok(Inside { slot, value: &entry.value }),
            Some((slot, _)) => {
                slot.leave();
                Err(self.forked())
            }
            None => Err(self.stale(handle)),
        }
    }

    /// Ends a handle; `last_words` runs on the client first, if it is of this process. The client is dropped when
    /// the last call inside it ends, which may be this one. A stale handle is nothing to free; in a forked child
    /// nothing happens.
    pub fn free(&self, handle: usize, last_words: impl FnOnce(&T)) {
        let Some((slot, entry)) = self.find(handle) else { return };
        if !is_this_process(entry.process) {
            // What it owns is shared with the parent: leave it alone, and keep it, so that calls say FORKED.
            slot.leave();
            return;
        }
        let inside = Inside { slot, value: &entry.value };
        let first = slot.kill(self.generation_of(handle));
        if first {
            self.hint.fetch_min(slot_of(handle), Ordering::Relaxed);
            last_words(&inside);
            // The count that the handle itself held.
            slot.leave();
        }
    }

    #[inline(always)]
    fn generation_of(&self, handle: usize) -> u64 {
        (handle >> (KIND_BITS + SLOT_BITS)) as u64
    }

    /// The live slot of a handle, with one more inside.
    #[inline(always)]
    fn find(&self, handle: usize) -> Option<(&Slot<T>, &Entry<T>)> {
        if handle & ((1 << KIND_BITS) - 1) != self.kind as usize {
            return None;
        }
        let number = slot_of(handle);
        // SAFETY: what is stored there is a leaked chunk.
        let chunk = unsafe { self.chunks.get(number / CHUNK)?.load(Ordering::Acquire).as_ref() }?;
        let slot = chunk.0.get(number % CHUNK)?;
        let before = slot.state.fetch_add(1, Ordering::Acquire);
        if before & FLAGS != 0 || generation(before) != self.generation_of(handle) {
            slot.leave();
            return None;
        }
        // SAFETY: the slot was live and now counts us: its entry is there until we leave.
        Some((slot, unsafe { (*slot.entry.get()).assume_init_ref() }))
    }

    fn slot_or_new(&self, number: usize) -> &Slot<T> {
        let place = &self.chunks[number / CHUNK];
        let mut chunk = place.load(Ordering::Acquire);
        if chunk.is_null() {
            let new = Box::into_raw(Box::new(Slots([const { Slot::vacant() }; CHUNK])));
            match place.compare_exchange(chunk, new, Ordering::AcqRel, Ordering::Acquire) {
                Ok(_) => chunk = new,
                Err(other) => {
                    // SAFETY: it was made above, and nobody else has seen it.
                    drop(unsafe { Box::from_raw(new) });
                    chunk = other;
                }
            }
        }
        // SAFETY: a chunk is never freed.
        &unsafe { &*chunk }.0[number % CHUNK]
    }

    #[cold]
    #[inline(never)]
    fn stale(&self, handle: usize) -> Error {
        if handle == 0 {
            return super::guard::null(self.kind.name());
        }
        let text = format!("{handle:#x} is not the handle of a {} that exists", self.kind.name());
        Error::new(Code::STALE_HANDLE, text)
    }

    #[cold]
    #[inline(never)]
    fn forked(&self) -> Error {
        Error::new(Code::FORKED, format!("this {} was made before the process forked", self.kind.name()))
    }
}

impl<T> Slot<T> {
    const fn vacant() -> Slot<T> {
        Slot {
            state: AtomicU64::new(VACANT | 1 << GENERATION_SHIFT),
            entry: UnsafeCell::new(MaybeUninit::uninit()),
        }
    }

    /// Takes a vacant slot; gives its generation.
    fn take(&self) -> Option<u64> {
        let seen = self.state.load(Ordering::Relaxed);
        if seen & (FLAGS | COUNT) != VACANT {
            return None;
        }
        let taken = seen | TAKEN;
        self.state.compare_exchange(seen, taken, Ordering::Acquire, Ordering::Relaxed).ok()?;
        Some(generation(seen))
    }

    /// Makes a taken slot live, with one inside for the handle itself. Stale lookups may come and go meanwhile.
    fn publish(&self) {
        self.state.fetch_sub(TAKEN - 1, Ordering::Release);
    }

    /// Marks a live slot as freed. False when somebody else did so before.
    fn kill(&self, wanted: u64) -> bool {
        let mut seen = self.state.load(Ordering::Relaxed);
        loop {
            if seen & FLAGS != 0 || generation(seen) != wanted {
                return false;
            }
            match self.state.compare_exchange_weak(seen, seen | DEAD, Ordering::AcqRel, Ordering::Relaxed) {
                Ok(_) => return true,
                Err(now) => seen = now,
            }
        }
    }

    #[inline(always)]
    fn leave(&self) {
        let after = self.state.fetch_sub(1, Ordering::Release) - 1;
        if after & (FLAGS | COUNT) == DEAD {
            self.bury(after);
        }
    }

    /// Drops the client of a dead slot that nobody is inside any more.
    #[cold]
    #[inline(never)]
    fn bury(&self, seen: u64) {
        let next = (generation(seen) + 1) & GENERATION_MASK;
        // A generation of 0 would make handles that C programs take for NULL's relatives; skip it.
        let taken = TAKEN | next.max(1) << GENERATION_SHIFT;
        if self.state.compare_exchange(seen, taken, Ordering::Acquire, Ordering::Relaxed).is_err() {
            // A stale lookup came in between; it will get here when it leaves.
            return;
        }
        // SAFETY: only one can have made the step from dead to taken, and it owns the entry now.
        let entry = unsafe { (*self.entry.get()).assume_init_read() };
        drop(entry);
        self.state.fetch_sub(DEAD, Ordering::Release);
    }
}

impl<T> Deref for Inside<'_, T> {
    type Target = T;
    #[inline]
    fn deref(&self) -> &T {
        self.value
    }
}

impl<T> Drop for Inside<'_, T> {
    #[inline]
    fn drop(&mut self) {
        self.slot.leave();
    }
}

#[cfg(test)]
mod tests;
