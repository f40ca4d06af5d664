//! Handles that are stale, freed or foreign are refused, whatever many threads do meanwhile.

use super::*;
use std::sync::atomic::{AtomicBool, AtomicUsize};
use std::sync::Arc;

/// Counts its drops.
struct Counted(Arc<AtomicUsize>);

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

fn code<T>(result: Result<T>) -> Code {
    result.err().map_or(Code::NONE, |e| e.code())
}

#[test]
fn a_handle_finds_its_client_until_it_is_freed() {
    let table = Table::new(Kind::Producer);
    let handle = table.insert(7).unwrap();
    let other = table.insert(8).unwrap();
    assert_eq!(*table.enter(handle).unwrap(), 7);
    assert_eq!(*table.enter(other).unwrap(), 8);
    table.free(handle, |value| assert_eq!(*value, 7));
    assert_eq!(code(table.enter(handle)), Code::STALE_HANDLE);
    table.free(handle, |_| panic!("freed twice"));
    assert_eq!(*table.enter(other).unwrap(), 8);
}

#[test]
fn a_slot_is_used_again_under_another_handle() {
    let table = Table::new(Kind::Admin);
    let mut seen = std::collections::HashSet::new();
    for i in 0..1000 {
        let handle = table.insert(i).unwrap();
        assert!(seen.insert(handle), "{handle:#x} twice");
        assert_eq!(*table.enter(handle).unwrap(), i);
        table.free(handle, |_| ());
    }
    assert!(seen.iter().all(|handle| table.enter(*handle).is_err()));
    assert_eq!(table.chunks.iter().filter(|c| !c.load(Ordering::SeqCst).is_null()).count(), 1);
}

#[test]
fn what_is_no_handle_is_told() {
    let table = Table::new(Kind::Consumer);
    let handle = table.insert(()).unwrap();
    assert_eq!(code(table.enter(0)), Code::NULL_ARGUMENT);
    for wrong in
        [1, 2, 3, handle ^ 1, handle ^ 4, handle + 8, handle ^ (1 << (KIND_BITS + SLOT_BITS)), usize::MAX]
    {
        assert_eq!(code(table.enter(wrong)), Code::STALE_HANDLE, "{wrong:#x}");
        table.free(wrong, |_| panic!("{wrong:#x} was freed"));
    }
    let producers: Table<()> = Table::new(Kind::Producer);
    assert_eq!(code(producers.enter(handle)), Code::STALE_HANDLE);
    assert!(table.enter(handle).is_ok());
}

#[test]
fn who_is_inside_keeps_the_client() {
    let drops = Arc::new(AtomicUsize::new(0));
    let table = Table::new(Kind::Producer);
    let handle = table.insert(Counted(drops.clone())).unwrap();
    let (first, second) = (table.enter(handle).unwrap(), table.enter(handle).unwrap());
    table.free(handle, |_| ());
    assert_eq!(code(table.enter(handle)), Code::STALE_HANDLE);
    drop(first);
    assert_eq!(drops.load(Ordering::SeqCst), 0);
    drop(second);
    assert_eq!(drops.load(Ordering::SeqCst), 1);
}

#[test]
fn the_table_can_be_full() {
    let table = Table::new(Kind::Producer);
    let handles: Vec<usize> = (0..SLOTS).map(|_| table.insert(()).unwrap()).collect();
    assert_eq!(code(table.insert(())), Code::INVALID_STATE);
    table.free(handles[SLOTS / 2], |_| ());
    assert!(table.insert(()).is_ok());
    assert_eq!(code(table.insert(())), Code::INVALID_STATE);
}

/// Threads that look up, free and make at once: each client is dropped once, and nobody reaches a wrong one.
#[test]
fn many_threads_at_once() {
    const ROUNDS: usize = 3000;
    let drops = Arc::new(AtomicUsize::new(0));
    let table: Table<(usize, Counted)> = Table::new(Kind::Producer);
    let shared = AtomicUsize::new(0);
    let done = AtomicBool::new(false);
    let entered = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                while !done.load(Ordering::SeqCst) {
                    let handle = shared.load(Ordering::SeqCst);
                    if let Ok(inside) = table.enter(handle) {
                        assert_eq!(inside.0, 42);
                        entered.fetch_add(1, Ordering::SeqCst);
                    }
                }
            });
        }
        for _ in 0..ROUNDS {
            let handle = table.insert((42, Counted(drops.clone()))).unwrap();
            shared.store(handle, Ordering::SeqCst);
            std::thread::yield_now();
            table.free(handle, |_| ());
        }
        while entered.load(Ordering::SeqCst) == 0 {
            let handle = table.insert((42, Counted(drops.clone()))).unwrap();
            shared.store(handle, Ordering::SeqCst);
            std::thread::yield_now();
            table.free(handle, |_| ());
            drops.fetch_sub(1, Ordering::SeqCst);
        }
        done.store(true, Ordering::SeqCst);
    });
    assert_eq!(drops.load(Ordering::SeqCst), ROUNDS);
}
