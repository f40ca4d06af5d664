//! The calls of `KafkaConsumer` that wait for an answer: commits, committed offsets, positions, ends and times, close.
//!
//! Each is a question to the I/O thread (`start_…`, which does not block) and a wait for the answer.

use super::commands::{reply, Command, GroupCommand, OffsetsCommand, Pending};
use super::kafka_consumer::{check_partitions, woken_up, KafkaConsumer};
use super::types::{OffsetAndMetadata, OffsetAndTimestamp, Offsets};
use crate::error::{Code, Error, Result};
use crate::serialization::TopicPartition;
use crate::sys::clock;
use std::time::Duration;

type Times = Vec<(TopicPartition, Option<OffsetAndTimestamp>)>;

impl KafkaConsumer {
    // ---- commits

    /// Commits these offsets, or without any the positions of all assigned partitions, and waits for it at most
    /// `timeout`. Failures that pass are retried.
    ///
    /// # Errors
    /// REBALANCE_IN_PROGRESS while this member joins, or when a rebalance was faster: commit again after the assigned
    /// event what is assigned then. UNKNOWN_MEMBER_ID or ILLEGAL_GENERATION when this member was taken out of its
    /// group, or left it for lack of polls: the partitions may belong to others already. TIMED_OUT, WAKEUP: it is
    /// not known whether they were committed.
    pub fn commit_sync(&mut self, offsets: Option<&Offsets>, timeout: Duration) -> Result<()> {
        let pending = self.start_commit(offsets, timeout)?;
        self.wait(&pending, timeout, "the offsets were not committed")
    }

    /// As [`KafkaConsumer::commit_sync`] without the wait: the end of it is an event.
    pub fn commit_async(&mut self, offsets: Option<&Offsets>) -> Result<()> {
        let offsets = self.offsets_to_commit(offsets)?;
        let timeout_ms = self.options.api_timeout_ms;
        let command = GroupCommand::Commit { offsets, timeout_ms, reply: None, own: false };
        self.shared.command(Command::Group(command));
        Ok(())
    }

    /// Begins a commit; see [`KafkaConsumer::commit_sync`].
    pub fn start_commit(&mut self, offsets: Option<&Offsets>, timeout: Duration) -> Result<Pending<()>> {
        let offsets = self.offsets_to_commit(offsets)?;
        let (question, pending) = reply(&self.shared.answered);
        let timeout_ms = millis(timeout);
        let command = GroupCommand::Commit { offsets, timeout_ms, reply: Some(question), own: false };
        self.shared.command(Command::Group(command));
        Ok(pending)
    }

    fn offsets_to_commit(&self, offsets: Option<&Offsets>) -> Result<Offsets> {
        self.check_open()?;
        self.check_group("commit")?;
        let Some(offsets) = offsets else { return Ok(self.shared.subscription.lock().all_positions()) };
        for (partition, at) in offsets {
            check_partitions(std::slice::from_ref(partition))?;
            if at.offset < 0 {
                let text = format!("{} is not an offset of {partition}", at.offset);
                return Err(Error::new(Code::INVALID_ARGUMENT, text));
            }
        }
        Ok(offsets.clone())
    }

    /// The group's committed offsets of these partitions; `None` where there is none.
    pub fn committed(
        &mut self,
        partitions: &[TopicPartition],
        timeout: Duration,
    ) -> Result<Vec<(TopicPartition, Option<OffsetAndMetadata>)>> {
        let pending = self.start_committed(partitions, timeout)?;
        self.wait(&pending, timeout, "the committed offsets were not told")
    }

    /// Begins to ask for committed offsets; see [`KafkaConsumer::committed`].
    #[allow(clippy::type_complexity)]
    pub fn start_committed(
        &mut self,
        partitions: &[TopicPartition],
        timeout: Duration,
    ) -> Result<Pending<Vec<(TopicPartition, Option<OffsetAndMetadata>)>>> {
        self.check_open()?;
        self.check_group("ask for committed offsets")?;
        check_partitions(partitions)?;
        let (question, pending) = reply(&self.shared.answered);
        let (partitions, timeout_ms) = (partitions.to_vec(), millis(timeout));
        let command = GroupCommand::Committed { partitions, timeout_ms, reply: question };
        self.shared.command(Command::Group(command));
        Ok(pending)
    }

    // ---- positions and offsets

    /// The offset of the next record that poll gives of this partition; waits until it is known.
    ///
    /// # Errors
    /// INVALID_STATE when the partition is not assigned; NO_OFFSET and what else keeps it from having a position.
    pub fn position(&mut self, partition: &TopicPartition, timeout: Duration) -> Result<i64> {
        let until = clock::mono() + timeout;
        loop {
            self.shared.answered.lower();
            if let Some(offset) = self.try_position(partition)? {
                return Ok(offset);
            }
            let left = until.since(clock::mono());
            if left.is_zero() {
                let text = format!("the position of {partition} was not found within {} ms", millis(timeout));
                let own = self.shared.subscription.lock().trouble(partition);
                let error = Error::new(Code::TIMED_OUT, text);
                return Err(self.shared.troubles.explain(error, own.as_ref(), None));
            }
            if self.shared.take_wakeup() {
                return Err(woken_up());
            }
            self.shared.answered.wait(left);
        }
    }

    /// [`KafkaConsumer::position`] without the wait; `None`: it is not known yet.
    pub fn try_position(&mut self, partition: &TopicPartition) -> Result<Option<i64>> {
        self.check_open()?;
        match self.shared.subscription.lock().position(partition)? {
            Ok(position) => Ok(Some(position.offset)),
            Err(Some(error)) => Err(error),
            Err(None) => Ok(None),
        }
    }

    /// The offset of the first record that each of these partitions still has.
    pub fn beginning_offsets(&mut self, partitions: &[TopicPartition], timeout: Duration) -> Result<Times> {
        self.find_offsets(partitions.iter().map(|p| (p.clone(), -2)).collect(), timeout)
    }

    /// The offset that the next record written to each of these partitions will get.
    pub fn end_offsets(&mut self, partitions: &[TopicPartition], timeout: Duration) -> Result<Times> {
        self.find_offsets(partitions.iter().map(|p| (p.clone(), -1)).collect(), timeout)
    }

    /// The first record of each partition whose timestamp is at least the given one (milliseconds since the Unix
    /// epoch, not negative); `None` where there is none.
    pub fn offsets_for_times(&mut self, times: &[(TopicPartition, i64)], timeout: Duration) -> Result<Times> {
        if let Some((partition, time)) = times.iter().find(|(_, time)| *time < 0) {
            let text = format!("{time} is not a timestamp to look for in {partition}");
            return Err(Error::new(Code::INVALID_ARGUMENT, text));
        }
        self.find_offsets(times.to_vec(), timeout)
    }

    fn find_offsets(&mut self, targets: Vec<(TopicPartition, i64)>, timeout: Duration) -> Result<Times> {
        let pending = self.start_find_offsets(targets, timeout)?;
        self.wait(&pending, timeout, "the offsets were not found")
    }

    /// Begins to ask for offsets: -2 stands for the beginning, -1 for the end, others are timestamps.
    pub fn start_find_offsets(
        &mut self,
        targets: Vec<(TopicPartition, i64)>,
        timeout: Duration,
    ) -> Result<Pending<Times>> {
        self.check_open()?;
        targets.iter().try_for_each(|(p, _)| check_partitions(std::slice::from_ref(p)))?;
        let (question, pending) = reply(&self.shared.answered);
        let timeout_ms = millis(timeout);
        self.shared.command(Command::Offsets(OffsetsCommand { targets, timeout_ms, reply: question }));
        Ok(pending)
    }

    // ---- the end

    /// Commits (with `enable.auto.commit`), leaves the group, closes the connections. Returns by its deadline in any
    /// case, and the consumer is closed then; closing it again does nothing. Batches that were handed out stay valid.
    ///
    /// # Errors
    /// Says what was left undone.
    pub fn close(&mut self, timeout: Duration) -> Result<()> {
        if self.closed {
            return Ok(());
        }
        let until = clock::mono() + timeout;
        let pending = self.start_close(timeout);
        let result = loop {
            self.shared.answered.lower();
            if let Some(result) = pending.try_take() {
                break result;
            }
            if let Some(error) = self.shared.fatal() {
                break Err(error.clone());
            }
            if self.shared.is_abandoned() {
                let text = "the consumer was freed before it had committed and left its group";
                break Err(Error::new(Code::CLOSED, text));
            }
            let left = until.since(clock::mono());
            if left.is_zero() {
                let text = "the consumer is closed, but it had no time to commit and to leave its group";
                break Err(self.shared.troubles.explain(Error::new(Code::TIMED_OUT, text), None, None));
            }
            self.shared.answered.wait(left);
        };
        self.shared.abandon();
        self.handle = None;
        result
    }

    /// Begins to close; from now on all other calls are refused. See [`KafkaConsumer::close`].
    pub fn start_close(&mut self, timeout: Duration) -> Pending<()> {
        let offsets = self.take_own_commits();
        self.shared.subscription.lock().unsubscribe();
        self.closed = true;
        let (question, pending) = reply(&self.shared.answered);
        // The answer needs a moment to get back within the time given.
        let timeout_ms = millis(timeout);
        let timeout_ms = timeout_ms - (timeout_ms / 4).min(50);
        self.shared.command(Command::Group(GroupCommand::Close { offsets, timeout_ms, reply: question }));
        pending
    }

    fn wait<T>(&self, pending: &Pending<T>, timeout: Duration, what: &str) -> Result<T> {
        let until = clock::mono() + timeout;
        loop {
            self.shared.answered.lower();
            if let Some(result) = pending.try_take() {
                return result;
            }
            self.check_open()?;
            if self.shared.take_wakeup() {
                return Err(woken_up());
            }
            let left = until.since(clock::mono());
            if left.is_zero() {
                let error = Error::new(Code::TIMED_OUT, format!("{what} within {} ms", millis(timeout)));
                return Err(self.shared.troubles.explain(error, pending.last_trouble().as_ref(), None));
            }
            self.shared.answered.wait(left);
        }
    }
}

fn millis(timeout: Duration) -> u64 {
    u64::try_from(timeout.as_millis()).unwrap_or(u64::MAX)
}
