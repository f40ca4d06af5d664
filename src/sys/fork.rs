//! Tells a process from the child that fork made of it.
//!
//! Threads do not survive fork, so a client made before it is dead in the child, while its descriptors are
//! shared with the parent. Every call therefore compares the generation its handle was made in with this one.

use std::sync::atomic::{AtomicU64, Ordering};

/// 0 until the handler is in place.
static GENERATION: AtomicU64 = AtomicU64::new(0);

/// A number that differs between a process and its forked children; never 0. One atomic load.
///
/// fork in the C library bumps it; a bare `clone` system call is not seen.
pub fn fork_generation() -> u64 {
    match GENERATION.load(Ordering::Acquire) {
        0 => install(),
        generation => generation,
    }
}

/// Whether a number that [`fork_generation`] once gave is of this process.
#[inline(always)]
pub fn is_this_process(generation: u64) -> bool {
    GENERATION.load(Ordering::Acquire) == generation
}

#[cold]
fn install() -> u64 {
    // Two threads may both get here; then fork bumps by two, which tells the processes apart as well. A `Once`
    // would hang for ever in a child that was forked while another thread was inside it.
    #[cfg(unix)]
    {
        // SAFETY: the handler is a plain function that lives as long as the library and touches one atomic,
        // which is allowed in a forked child. The only failure is lack of memory; fork is then not seen.
        unsafe { libc::pthread_atfork(None, None, Some(in_child)) };
    }
    match GENERATION.compare_exchange(0, 1, Ordering::AcqRel, Ordering::Acquire) {
        Ok(_) => 1,
        Err(generation) => generation,
    }
}

#[cfg(unix)]
extern "C" fn in_child() {
    GENERATION.fetch_add(1, Ordering::AcqRel);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stays_the_same_without_fork() {
        let first = fork_generation();
        assert_ne!(first, 0);
        assert_eq!(first, fork_generation());
    }

    #[cfg(unix)]
    #[test]
    fn differs_in_the_child() {
        let before = fork_generation();
        // SAFETY: the child only loads an atomic and leaves by _exit.
        let pid = unsafe { libc::fork() };
        if pid == 0 {
            let code = i32::from(fork_generation() == before);
            // SAFETY: ends the child without running anything of the parent's.
            unsafe { libc::_exit(code) };
        }
        let mut status = 0;
        // SAFETY: waits for the child made above; `status` outlives the call.
        assert_eq!(unsafe { libc::waitpid(pid, &mut status, 0) }, pid);
        assert!(libc::WIFEXITED(status) && libc::WEXITSTATUS(status) == 0, "status {status}");
        assert_eq!(fork_generation(), before, "the parent's generation is its own");
    }
}
