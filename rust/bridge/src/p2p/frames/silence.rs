//! Notices a connection on which nothing is heard any more.
//!
//! A connection whose packets are dropped on the way looks like an idle one until TCP gives up, after a
//! quarter of an hour. Both ends of a live one hear from each other often, since both send pings.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::task::{ready, Context, Poll};
use std::time::Duration;

use tokio::time::{Instant, Sleep};

/// The limit passes in so many equal ticks. Time during which this process was stopped, or nobody asked,
/// counts as one tick at most: what the peer sent meanwhile is still to be read.
const TICKS: u32 = 3;
/// Pings sent within the limit; one tick has to contain at least one.
const PINGS: u32 = 4;

/// How often a peer has to be pinged so that it is heard well within the limit.
pub fn ping_interval(limit: Duration) -> Duration {
    limit / PINGS
}

/// Counts the ticks in which there was no sign of life.
pub struct Silence {
    limit: Duration,
    timer: Pin<Box<Sleep>>,
    heard: bool,
    quiet: u32,
}

impl Silence {
    pub fn new(limit: Duration) -> Silence {
        Silence { limit, timer: Box::pin(tokio::time::sleep(limit / TICKS)), heard: false, quiet: 0 }
    }

    /// The peer has given a sign of life.
    pub fn heard(&mut self) {
        self.heard = true;
    }

    /// Ready, and from then on always, when the peer was silent for the limit. To be asked only when there
    /// is nothing to read right now.
    pub fn poll(&mut self, cx: &mut Context<'_>) -> Poll<io::Error> {
        while self.quiet < TICKS {
            ready!(self.timer.as_mut().poll(cx));
            self.timer.as_mut().reset(Instant::now() + self.limit / TICKS);
            self.quiet = if std::mem::take(&mut self.heard) { 0 } else { self.quiet + 1 };
        }
        let text = format!("connection lost: nothing was heard from the peer for {:?}", self.limit);
        Poll::Ready(io::Error::new(io::ErrorKind::TimedOut, text))
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;
    use std::time::Instant;

    use super::*;

    const LIMIT: Duration = Duration::from_millis(300);

    #[tokio::test]
    async fn silence_is_noticed_and_a_sign_of_life_puts_it_off() {
        let start = Instant::now();
        let mut silence = Silence::new(LIMIT);
        silence.heard();
        let error = poll_fn(|cx| silence.poll(cx)).await;
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        // Three quiet ticks after the one in which something was heard.
        assert!(start.elapsed() >= LIMIT + LIMIT / TICKS);
        assert!(matches!(futures::poll!(poll_fn(|cx| silence.poll(cx))), Poll::Ready(_)));
    }

    #[tokio::test]
    async fn time_in_which_nobody_asked_is_one_tick() {
        let mut silence = Silence::new(LIMIT);
        assert!(futures::poll!(poll_fn(|cx| silence.poll(cx))).is_pending());
        std::thread::sleep(3 * LIMIT);
        assert!(futures::poll!(poll_fn(|cx| silence.poll(cx))).is_pending());
        let start = Instant::now();
        poll_fn(|cx| silence.poll(cx)).await;
        assert!(start.elapsed() >= LIMIT / TICKS);
    }
}
