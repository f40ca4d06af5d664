//! Starts the I/O thread with the first client of the process and ends it with the last.

use super::event_loop::EventLoop;
use super::inbox::{ClientWaker, Command, Inbox};
use super::resolver::{system_lookup, Resolver, IDLE};
use super::selector::{ClientId, Selector};
use crate::client::wire::{Machine, Wake};
use crate::error::{Code, Error};
use crate::sys::{fork_generation, thread};
use parking_lot::Mutex;
use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::thread::JoinHandle;

/// The I/O thread of this process, shared by all clients.
#[derive(Debug)]
pub struct Driver;

/// A process's drivers: at most one that runs. The parent's, and then one for each fork on the way to this process.
struct Process {
    /// The process this belongs to; 0 until it is the first to make a client.
    generation: AtomicU64,
    running: Mutex<Option<Running>>,
    last_client: AtomicU64,
    child: OnceLock<Box<Process>>,
}

struct Running {
    inbox: Arc<Inbox>,
    thread: JoinHandle<()>,
    /// Handles that are not dropped yet.
    handles: usize,
}

impl Driver {
    /// Gives a machine to the I/O thread, which is started if there is none, and polls it soon.
    ///
    /// # Errors
    /// TRANSPORT when the system has no more threads or descriptors.
    pub fn register(machine: Box<dyn Machine>) -> Result<ClientHandle, Error> {
        Driver::register_with(|_| machine)
    }

    /// As [`register`](Self::register), for a machine that is made with its own waker.
    ///
    /// # Errors
    /// TRANSPORT when the system has no more threads or descriptors; `make` is not called then.
    pub fn register_with(
        make: impl FnOnce(Arc<dyn Wake>) -> Box<dyn Machine>,
    ) -> Result<ClientHandle, Error> {
        let process = Process::current();
        let inbox = process.enter()?;
        let client = ClientId(process.last_client.fetch_add(1, Ordering::Relaxed));
        let waker = Arc::new(ClientWaker::new(client, inbox));
        // From here on dropping the handle undoes it all, should `make` panic.
        let handle = ClientHandle { waker: waker.clone(), process };
        let machine = make(waker.clone());
        if let Err(Command::Register { mut machine, .. }) =
            waker.inbox().post(Command::Register { machine, waker: waker.clone() })
        {
            let error = Error::new(Code::TRANSPORT, "the I/O thread ended before the client was made");
            machine.on_fatal(error.clone().fatal(true));
            return Err(error);
        }
        Ok(handle)
    }
}

impl Process {
    const fn new() -> Process {
        Process {
            generation: AtomicU64::new(0),
            running: Mutex::new(None),
            last_client: AtomicU64::new(1),
            child: OnceLock::new(),
        }
    }

    /// The one of this process. The parent's is left as it is: its thread is not here, its lock may never be
    /// released, and its descriptors are the parent's as well.
    fn current() -> &'static Process {
        static FIRST: Process = Process::new();
        let generation = fork_generation();
        let mut process = &FIRST;
        loop {
            match process.generation.compare_exchange(0, generation, Ordering::AcqRel, Ordering::Acquire) {
                Ok(_) => return process,
                Err(of) if of == generation => return process,
                Err(_) => process = process.child.get_or_init(|| Box::new(Process::new())),
            }
        }
    }

    /// Counts one more handle, on a thread that runs.
    fn enter(&self) -> Result<Arc<Inbox>, Error> {
        let mut running = self.running.lock();
        // One that failed is told to nobody here and not waited for: it may itself be about to leave.
        drop(running.take_if(|r| r.inbox.is_closed()));
        let running = match &mut *running {
            Some(running) => running,
            none => none.insert(start().map_err(|e| cannot_start(&e))?),
        };
        running.handles = running.handles.saturating_add(1);
        Ok(running.inbox.clone())
    }

    /// Forgets a client; ends the thread, and waits for that, when it was the last.
    fn leave(&self, waker: &ClientWaker) {
        let inbox = waker.inbox();
        // A thread that is gone has forgotten it already.
        let _ = inbox.post(Command::Remove(waker.client));
        let mut running = self.running.lock();
        let Some(mine) = running.as_mut().filter(|r| Arc::ptr_eq(&r.inbox, inbox)) else { return };
        mine.handles = mine.handles.saturating_sub(1);
        if mine.handles > 0 {
            return;
        }
        let last = running.take();
        drop(running);
        if let Some(last) = last {
            let _ = last.inbox.post(Command::Stop);
            join(last.thread);
        }
    }
}

fn start() -> io::Result<Running> {
    let selector = Selector::new()?;
    let inbox = Arc::new(Inbox::new(selector.waker()?));
    let resolver = Resolver::new(inbox.clone(), system_lookup, IDLE);
    let event_loop = EventLoop::new(inbox.clone(), selector, resolver);
    let thread = thread::spawn("milena-io", move || event_loop.run())?;
    Ok(Running { inbox, thread, handles: 0 })
}

fn cannot_start(e: &io::Error) -> Error {
    Error::new(Code::TRANSPORT, "the I/O thread could not be started")
        .cause(e.to_string())
        .hint("the process is at a limit of threads or descriptors (ulimit -u, ulimit -n)")
}

/// Waits for the thread's end, unless it is this one: a machine may own the last handle.
fn join(thread: JoinHandle<()>) {
    if thread.thread().id() != std::thread::current().id() {
        // A panic outside of the loop's own barrier has no one left to be told to.
        let _ = thread.join();
    }
}

/// A client's place on the I/O thread. Dropping it closes the client's connections and drops its machine, on the
/// I/O thread, soon; dropping the last one of the process also ends the thread and waits for that, which takes as
/// long as the machine calls that are under way. In a forked child nothing happens.
pub struct ClientHandle {
    waker: Arc<ClientWaker>,
    process: &'static Process,
}

impl ClientHandle {
    /// What wakes the I/O thread for this client, to be kept by others.
    pub fn waker(&self) -> Arc<dyn Wake> {
        self.waker.clone()
    }

    /// The same as dropping it.
    pub fn remove(self) {}

    /// How often the I/O thread has been awake since it started, whatever the reason; for statistics.
    pub fn thread_turns(&self) -> u64 {
        self.waker.inbox().turns()
    }
}

impl Wake for ClientHandle {
    fn wake(&self) {
        self.waker.wake();
    }
}

impl Drop for ClientHandle {
    fn drop(&mut self) {
        if self.waker.inbox().is_of_this_process() {
            self.process.leave(&self.waker);
        }
    }
}
