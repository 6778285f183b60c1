//! How fast the line to the terminal is, by the terminal's own word: after a frame it is asked whether it is well, and
//! its answer says that the frame has arrived. Over ssh writing never blocks, so that nothing else tells.
//!
//! At most two frames are under way, the second only when the first has left the line: whatever is pressed meanwhile is
//! in the frame that follows, and the screen is never farther behind than a round trip and the frames on the line. A
//! terminal that does not answer is asked twice and no more, and frames are not held.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// The question: a device status report.
pub const QUESTION: &str = "\x1b[5n";

/// Frames under way.
const MOST: usize = 2;
/// A terminal that has not answered its first questions by then does not answer.
const FIRST: Duration = Duration::from_secs(5);
/// An answer that has not come by then was lost.
const LOST: Duration = Duration::from_secs(10);
/// Longest time after a question for which leaving waits for its answer, of a terminal that has not answered yet.
const UNSURE: Duration = Duration::from_secs(1);
/// Time that an answer may take beyond what was measured.
const SLACK: Duration = Duration::from_millis(50);
/// Longest time for which a frame is taken to be on the line.
const LONGEST: Duration = Duration::from_secs(2);
/// Frames of fewer bytes tell nothing about the rate.
const TELLS: usize = 1000;
/// Below this rate, in bytes a second, a line is slow.
const SLOW: f64 = 100_000.0;
/// Above this rate it is no longer.
const FAST: f64 = 200_000.0;
/// Frames in a row that say so before it is believed: a busy machine answers late now and then.
const BELIEVED: u32 = 3;

/// A frame under way.
#[derive(Debug, Clone, Copy)]
struct Sent {
    at: Instant,
    bytes: usize,
}

/// Whether the terminal answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Answers {
    /// Not known yet.
    Unknown,
    Yes,
    No,
}

/// When frames may be written.
#[derive(Debug)]
pub struct Pace {
    answers: Answers,
    under_way: VecDeque<Sent>,
    last_answer: Option<Instant>,
    /// The shortest time to an answer: there and back, with next to nothing on the line.
    round_trip: Option<Duration>,
    /// Seconds a byte, of the last frames: a mean of times, where one of rates would be that of the fastest.
    per_byte: Option<f64>,
    /// Frames in a row that were slow.
    slow_in_row: u32,
    is_slow: bool,
    lost: u32,
    /// Questions that were given up before any answer had come, and when: their answers, if they come, are of no frame
    /// that follows.
    late: Option<(usize, Instant)>,
}

impl Pace {
    /// Whether to ask at all.
    pub fn new(asks: bool) -> Self {
        Self {
            answers: if asks { Answers::Unknown } else { Answers::No },
            under_way: VecDeque::new(),
            last_answer: None,
            round_trip: None,
            per_byte: None,
            slow_in_row: 0,
            is_slow: false,
            lost: 0,
            late: None,
        }
    }

    /// Whether the question is to follow the next frame.
    pub fn asks(&self) -> bool {
        self.answers != Answers::No && self.under_way.len() < MOST
    }

    /// A frame was written, with the question behind it.
    pub fn sent(&mut self, bytes: usize, now: Instant) {
        self.under_way.push_back(Sent { at: now, bytes });
    }

    /// An answer has come.
    pub fn answered(&mut self, now: Instant) {
        if let Some((left, since)) = self.late.take().filter(|late| now.saturating_duration_since(late.1) < LOST) {
            // It answers after all: the line was slower than it was given time.
            self.answers = Answers::Yes;
            self.late = (left > 1).then_some((left - 1, since));
            return;
        }
        let Some(sent) = self.under_way.front().copied() else { return };
        let took = now.saturating_duration_since(sent.at);
        if self.lost > 0 && self.round_trip.is_some_and(|least| took < least / 2) {
            // The answer that was taken for lost.
            return;
        }
        self.under_way.pop_front();
        if self.answers == Answers::Unknown {
            self.answers = Answers::Yes;
        }
        self.lost = 0;
        let round_trip = self.round_trip.map_or(took, |least| least.min(took));
        self.round_trip = Some(round_trip);
        // A frame behind another has the line for itself when that has arrived.
        let began = self.last_answer.map_or(sent.at + round_trip, |last| last.max(sent.at + round_trip));
        self.last_answer = Some(now);
        if sent.bytes < TELLS {
            return;
        }
        let on_line = now.saturating_duration_since(began).max(Duration::from_millis(1));
        let now = on_line.as_secs_f64() / sent.bytes as f64;
        let per_byte = self.per_byte.map_or(now, |before| f64::midpoint(before, now));
        self.per_byte = Some(per_byte);
        let rate = per_byte.recip();
        self.slow_in_row = if rate < SLOW { self.slow_in_row.saturating_add(1) } else { 0 };
        self.is_slow = self.slow_in_row >= BELIEVED || (self.is_slow && rate < FAST);
    }

    /// When the next frame may be written; past times are now.
    pub fn free_at(&self) -> Option<Instant> {
        let first = self.under_way.front().filter(|_| self.answers == Answers::Yes)?;
        match self.under_way.len() {
            // On a long line the second follows in the middle between the first and its answer: so no key waits longer
            // than half of the way there and back for the frame that shows it.
            1 => Some(first.at + self.on_line(first.bytes).max(self.round_trip.unwrap_or_default() / 2)),
            _ => Some(first.at + LOST),
        }
    }

    /// Time that bytes take on the line.
    fn on_line(&self, bytes: usize) -> Duration {
        let seconds = self.per_byte.map_or(0.0, |each| bytes as f64 * each);
        Duration::from_secs_f64(seconds.min(LONGEST.as_secs_f64()))
    }

    /// Gives up answers that were lost. Where several were, or none ever came, nothing more is asked.
    pub fn look(&mut self, now: Instant) {
        let waits = self.under_way.front().map(|sent| now.saturating_duration_since(sent.at));
        match (self.answers, waits) {
            (Answers::Unknown, Some(waits)) if waits >= FIRST => {
                self.answers = Answers::No;
                self.late = Some((self.under_way.len(), now));
            }
            (Answers::Yes, Some(waits)) if waits >= LOST => {
                self.lost += 1;
                if self.lost > 1 {
                    self.answers = Answers::No;
                    self.is_slow = false;
                }
            }
            _ => return,
        }
        self.under_way.clear();
    }

    /// Whether the line is slow and carries an answer, which may come in pieces.
    pub fn cuts(&self) -> bool {
        self.is_slow && !self.under_way.is_empty()
    }

    /// How long answers may take that are under way: whoever leaves the terminal before finds them typed at the shell.
    pub fn open(&self, now: Instant) -> Option<Duration> {
        let last = self.under_way.back().filter(|_| self.answers != Answers::No)?;
        let takes = match self.round_trip {
            Some(round_trip) => {
                let bytes = self.under_way.iter().map(|s| s.bytes).sum();
                ((round_trip + self.on_line(bytes)) * 2 + SLACK).min(LONGEST)
            }
            None => UNSURE,
        };
        (last.at + takes).checked_duration_since(now).filter(|left| !left.is_zero())
    }

    /// The terminal was given away and taken back: its answers may have gone elsewhere.
    pub fn forget(&mut self) {
        self.under_way.clear();
    }

    /// Of a line that holds frames back: bytes a second, and time between two frames like the last.
    pub fn slow(&self) -> Option<(f64, Duration)> {
        let rate = self.per_byte.filter(|_| self.is_slow)?.recip();
        let bytes = self.under_way.back().map_or(TELLS, |s| s.bytes);
        Some((rate, self.on_line(bytes)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const MILLI: Duration = Duration::from_millis(1);

    /// A line with a rate and a delay, and a terminal at its end that answers; in milliseconds.
    struct Line {
        rate: f64,
        delay: f64,
        free: f64,
        answers: VecDeque<f64>,
    }

    impl Line {
        fn write(&mut self, bytes: usize, now: f64) {
            self.free = self.free.max(now) + bytes as f64 / self.rate * 1000.0;
            self.answers.push_back(self.free + 2.0 * self.delay);
        }
    }

    /// Draws as the session does while a key is held for a second, and tells when the last key is on the screen, how
    /// many frames there were, and how many were under way at most.
    fn held(rate: f64, delay: f64, bytes: usize) -> (f64, usize, usize) {
        let start = Instant::now();
        let mut pace = Pace::new(true);
        let mut line = Line { rate, delay, free: 0.0, answers: VecDeque::new() };
        let at = |ms: f64| start + Duration::from_secs_f64(ms / 1000.0);
        // What went before: the terminal is known to answer.
        for (size, when) in [(200, 0.0), (bytes, 5_000.0), (bytes, 20_000.0)] {
            pace.sent(size, at(when));
            line.write(size, when);
            let answer = line.answers.pop_front().unwrap();
            pace.answered(at(answer));
        }
        let (mut frames, mut most, mut shown, mut dirty) = (0, 0, 0.0, false);
        let begin = 40_000.0;
        for ms in 0..20_000 {
            let now = begin + f64::from(ms);
            if ms < 1000 && ms % 33 == 0 {
                dirty = true;
            }
            while line.answers.front().is_some_and(|a| *a <= now) {
                line.answers.pop_front();
                pace.answered(at(now));
            }
            pace.look(at(now));
            if dirty && pace.free_at().is_none_or(|free| free <= at(now)) {
                let asks = pace.asks();
                assert!(asks, "a frame that is let through is asked about");
                pace.sent(bytes, at(now));
                line.write(bytes, now);
                (dirty, shown) = (false, line.free + delay);
                frames += 1;
                most = most.max(line.answers.len());
            }
        }
        assert!(!dirty);
        (shown - begin - 990.0, frames, most)
    }

    /// The last of many keys is seen after no more than a frame that was under way, its own frame, and the way; never
    /// after all that was pressed.
    #[test]
    fn the_screen_is_never_far_behind_a_held_key() {
        for (rate, delay, bytes) in [
            (30_000.0, 100.0, 6500),
            (30_000.0, 100.0, 1000),
            (10_000.0, 20.0, 6500),
            (1e6, 100.0, 6500),
            (30_000.0, 5.0, 20_000),
            (1e8, 0.05, 6500),
        ] {
            let (behind, frames, most) = held(rate, delay, bytes);
            let frame = bytes as f64 / rate * 1000.0;
            assert!(most <= MOST, "{rate} {delay} {bytes}: {most} under way");
            let bound = 2.0 * delay + 2.2 * frame + 5.0;
            assert!(behind <= bound, "{rate} {delay} {bytes}: {behind} ms behind, {bound} at most");
            // And the line is used: not a frame a round trip where it carries more.
            let least = (0.7 * 1000.0 / frame.max(33.0)).min(1000.0 / (delay + 0.5 * frame));
            assert!(frames as f64 >= least - 1.0, "{rate} {delay} {bytes}: {frames} frames, {least} at least");
        }
    }

    #[test]
    fn a_terminal_that_does_not_answer_is_asked_twice() {
        let start = Instant::now();
        let mut pace = Pace::new(true);
        let mut asked = 0;
        for k in 0..200u32 {
            let now = start + 100 * k * MILLI;
            pace.look(now);
            assert_eq!(pace.free_at(), None, "nothing is held back");
            if pace.asks() {
                pace.sent(5000, now);
                asked += 1;
            }
        }
        assert_eq!(asked, 2);
        assert_eq!(pace.slow(), None);
        assert!(!Pace::new(false).asks());
    }

    #[test]
    fn a_lost_answer_holds_nothing_for_ever() {
        let start = Instant::now();
        let mut pace = Pace::new(true);
        pace.sent(100, start);
        pace.answered(start + MILLI);
        for k in 0..2 {
            pace.sent(100, start + (10 + k) * MILLI);
        }
        assert!(!pace.asks());
        let free = pace.free_at().unwrap();
        assert!(free > start + 5000 * MILLI && free <= start + 11_000 * MILLI);
        pace.look(free);
        assert!(pace.asks() && pace.free_at().is_none(), "once may be chance");
        for k in 0..2 {
            pace.sent(100, free + k * MILLI);
        }
        pace.look(free + 11_000 * MILLI);
        assert!(!pace.asks() && pace.free_at().is_none(), "twice is silence");
    }

    /// The first frame of a line that carries little takes longer than one waits for an answer: when it comes the line
    /// is paced after all, and neither answer is taken for that of another frame.
    #[test]
    fn a_late_answer_is_an_answer() {
        let start = Instant::now();
        let mut pace = Pace::new(true);
        pace.sent(6500, start);
        pace.sent(6500, start + 100 * MILLI);
        pace.look(start + 5100 * MILLI);
        assert!(!pace.asks());
        pace.answered(start + 6500 * MILLI);
        assert!(pace.asks());
        pace.sent(500, start + 12_990 * MILLI);
        pace.answered(start + 13_000 * MILLI);
        assert_eq!(pace.round_trip, None, "it was that of the second frame");
        pace.answered(start + 13_490 * MILLI);
        assert_eq!(pace.round_trip, Some(500 * MILLI));
        // Nor is one that was taken for lost.
        pace.sent(500, start + 20_000 * MILLI);
        pace.look(start + 30_000 * MILLI);
        pace.sent(500, start + 30_100 * MILLI);
        pace.answered(start + 30_110 * MILLI);
        pace.answered(start + 30_600 * MILLI);
        assert_eq!((pace.round_trip, pace.under_way.len()), (Some(500 * MILLI), 0));
    }

    /// Whoever leaves waits for what is under way, no longer than it takes, and not where nothing is or will be.
    #[test]
    fn leaving_waits_for_what_is_under_way() {
        let start = Instant::now();
        let mut pace = Pace::new(true);
        assert_eq!(pace.open(start), None);
        pace.sent(100, start);
        assert_eq!(pace.open(start), Some(UNSURE));
        pace.answered(start + 200 * MILLI);
        assert_eq!(pace.open(start + 200 * MILLI), None);
        pace.sent(100, start + 300 * MILLI);
        let left = pace.open(start + 310 * MILLI).unwrap();
        assert!(left >= 390 * MILLI && left < 600 * MILLI, "{left:?}");
        assert_eq!(pace.open(start + 3000 * MILLI), None);
        pace.answered(start + 500 * MILLI);
        assert_eq!(pace.open(start + 500 * MILLI), None);
        let mut silent = Pace::new(true);
        silent.sent(100, start);
        silent.look(start + FIRST);
        assert_eq!(silent.open(start + FIRST), None);
    }

    /// A slow line is told as such, one busy moment is not.
    #[test]
    fn slow_is_what_stays_slow() {
        let start = Instant::now();
        let mut pace = Pace::new(true);
        let mut now = start;
        let mut frame = |pace: &mut Pace, took: u32, bytes: usize| {
            now += 1000 * MILLI;
            pace.sent(bytes, now);
            now += took * MILLI;
            pace.answered(now);
        };
        frame(&mut pace, 1, 100);
        for _ in 0..5 {
            frame(&mut pace, 2, 8000);
        }
        frame(&mut pace, 300, 8000);
        frame(&mut pace, 2, 8000);
        assert_eq!(pace.slow(), None, "a busy moment");
        for _ in 0..8 {
            frame(&mut pace, 270, 8000);
        }
        let (rate, _) = pace.slow().unwrap();
        assert!((25_000.0..40_000.0).contains(&rate), "{rate}");
        for _ in 0..8 {
            frame(&mut pace, 3, 8000);
        }
        assert_eq!(pace.slow(), None);
    }

    proptest! {
        /// Whatever the line, there are never more than two questions open, and a frame always gets its turn.
        #[test]
        fn at_most_two_are_open(rate in 1e3f64..1e7, delay in 0.05f64..500.0, bytes in 1usize..30_000) {
            let (_, frames, most) = held(rate, delay, bytes);
            prop_assert!(most <= MOST && frames >= 1);
        }
    }
}
