//! `Pace`: how fast a busy broker answers, and so for how long nobody need look whether it did.
//!
//! A broker with several requests of a connection before it answers them one by one. Waking up for each answer costs
//! more than all else that a batch costs, and a broker that has enough to do gains nothing by it.

use super::NetworkClient;
use crate::client::in_flight::InFlightRequests;
use crate::client::request::NodeKey;
use crate::client::wire::NetOp;
use crate::protocol::ApiKey;
use crate::time::{Nanos, Now};

/// So many requests are still before the broker when a rest ends, so that it never waits for us.
const LEFT_AT_WORK: usize = 2;
/// In a rest that is worth it so many answers come.
const FEWEST_ANSWERS: u64 = 2;
const LONGEST_REST_NS: u64 = 5_000_000;
/// One that is not longer than a wake-up takes is none.
const SHORTEST_REST_NS: u64 = 50_000;

/// Of one connection.
#[derive(Debug, Default)]
pub struct Pace {
    /// The average time between two answers while the broker had something to do; 0 before the first.
    gap_ns: u64,
    /// Since when `answers` are counted.
    since: Nanos,
    answers: u64,
    /// There were answers since the last rest was thought of.
    fresh: bool,
}

impl Pace {
    /// A request goes to a broker that had none.
    pub fn begins(&mut self, now: Nanos) {
        self.measure(now);
        self.since = now;
    }

    pub fn answered(&mut self) {
        self.answers += 1;
        self.fresh = true;
    }

    fn measure(&mut self, now: Nanos) {
        if self.answers == 0 {
            return;
        }
        // After a rest that was too long this is too long as well, but shorter than the rest was: it comes down.
        let gap = now.0.saturating_sub(self.since.0) / self.answers;
        self.gap_ns = match self.gap_ns {
            0 => gap,
            last => (last / 4 * 3).saturating_add(gap / 4),
        };
        self.since = now;
        self.answers = 0;
    }

    /// Until when answers may wait, with these requests under way; None when they are wanted at once.
    fn rest(&mut self, now: Nanos, in_flight: &InFlightRequests) -> Option<Nanos> {
        self.measure(now);
        if !std::mem::take(&mut self.fresh) {
            return None;
        }
        let most = u64::try_from(in_flight.len().saturating_sub(LEFT_AT_WORK)).unwrap_or(0);
        let answers = most.min(LONGEST_REST_NS / self.gap_ns.max(1));
        let rest = self.gap_ns.saturating_mul(answers);
        let of_use = answers >= FEWEST_ANSWERS && rest >= SHORTEST_REST_NS;
        (of_use && in_flight.await_only(ApiKey::Produce)).then_some(Nanos(now.0.saturating_add(rest)))
    }
}

impl NetworkClient {
    /// Lets a connection rest whose broker has answered and still has enough to do.
    pub(super) fn let_rest(&mut self, now: Now, key: NodeKey) {
        let Some(node) = self.nodes.get_mut(&key) else { return };
        let until = node.pace.rest(now.mono, &node.in_flight);
        if let (Some(until), Some(conn)) = (until, node.connection.state.conn()) {
            self.ops.push_back(NetOp::Rest { conn, until });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::in_flight::InFlight;

    const US: u64 = 1000;

    fn requests(apis: &[ApiKey], answered: bool) -> InFlightRequests {
        let mut all = InFlightRequests::default();
        for api in apis {
            let correlation = all.next_correlation();
            all.push(InFlight {
                correlation,
                owner: None,
                api: *api,
                version: 0,
                sent: Nanos(0),
                deadline: Nanos::NEVER,
                bytes: 0,
                answered,
            });
        }
        all
    }

    /// Answers `count` at `now`, and says for how long is rested then, in microseconds.
    fn rest_us(pace: &mut Pace, now: u64, count: usize, in_flight: &InFlightRequests) -> Option<u64> {
        (0..count).for_each(|_| pace.answered());
        pace.rest(Nanos(now), in_flight).map(|until| (until.0 - now) / US)
    }

    #[test]
    fn a_rest_leaves_the_broker_two_requests() {
        let mut pace = Pace::default();
        pace.begins(Nanos(5 * US));
        let five = requests(&[ApiKey::Produce; 5], true);
        assert_eq!(rest_us(&mut pace, 205 * US, 1, &five), Some(600));
        assert_eq!(rest_us(&mut pace, 300 * US, 0, &five), None, "nothing new was heard");
        assert_eq!(
            rest_us(&mut pace, 805 * US, 3, &five),
            Some(600),
            "three answers in three times the time"
        );
        let four = requests(&[ApiKey::Produce; 4], true);
        assert_eq!(rest_us(&mut pace, 1005 * US, 1, &four), Some(400));
        let three = requests(&[ApiKey::Produce; 3], true);
        assert_eq!(rest_us(&mut pace, 1205 * US, 1, &three), None, "for one answer it is not worth it");
    }

    #[test]
    fn a_rest_that_was_too_long_is_followed_by_shorter_ones() {
        let five = requests(&[ApiKey::Produce; 5], true);
        let (mut pace, mut now, mut last) = (Pace::default(), 0, 0);
        pace.begins(Nanos(0));
        for round in 0..40 {
            now += if round == 0 { 600 * US } else { last * US };
            // All five are answered, and the broker waits for the next ones.
            let rest = rest_us(&mut pace, now, 5, &five);
            let Some(rest) = rest else { return };
            assert!(last == 0 || rest < last, "{rest} after {last}");
            last = rest;
        }
        panic!("still rests for {last} us");
    }

    #[test]
    fn the_time_in_which_a_broker_had_nothing_to_do_does_not_count() {
        let mut pace = Pace::default();
        let five = requests(&[ApiKey::Produce; 5], true);
        pace.begins(Nanos(0));
        assert_eq!(rest_us(&mut pace, 100 * US, 1, &requests(&[], true)), None);
        pace.begins(Nanos(9_000_000 * US));
        assert_eq!(rest_us(&mut pace, 9_000_100 * US, 1, &five), Some(300));
    }

    #[test]
    fn only_answers_to_produce_requests_can_wait() {
        let mut pace = Pace::default();
        let mixed = [ApiKey::Produce, ApiKey::Produce, ApiKey::Metadata, ApiKey::Produce, ApiKey::Produce];
        assert_eq!(rest_us(&mut pace, 200 * US, 1, &requests(&mixed, true)), None);
        let unanswered = requests(&[ApiKey::Produce; 5], false);
        assert_eq!(rest_us(&mut pace, 400 * US, 1, &unanswered), None);
        assert_eq!(rest_us(&mut pace, 600 * US, 1, &requests(&[ApiKey::Produce; 5], true)), Some(600));
    }

    #[test]
    fn neither_slow_nor_very_fast_brokers_are_worth_a_rest() {
        let five = requests(&[ApiKey::Produce; 5], true);
        for (gap_us, rest) in [
            (10, None),
            (17, Some(51)),
            (1_600, Some(4_800)),
            (2_500, Some(5_000)),
            (2_501, None),
            (50_000, None),
        ] {
            let mut pace = Pace::default();
            assert_eq!(rest_us(&mut pace, gap_us * US, 1, &five), rest, "{gap_us}");
        }
    }
}
