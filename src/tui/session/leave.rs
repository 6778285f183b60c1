//! What is still to come from the terminal when it is given away.

use std::sync::mpsc::{Receiver, Sender};
use std::time::Instant;

use crate::state::message::Message;
use crate::terminal::pace::Pace;

/// Waits for answers that are under way: the shell, or an editor, would take them for keys. What else comes meanwhile
/// is heard afterwards.
pub fn hear_answers(pace: &mut Pace, messages: &Receiver<Message>, tell: &Sender<Message>) {
    let mut others = Vec::new();
    while let Some(left) = pace.open(Instant::now()) {
        match messages.recv_timeout(left) {
            Ok(Message::Answered) => pace.answered(Instant::now()),
            Ok(other) => {
                let is_gone = matches!(other, Message::TerminalGone);
                others.push(other);
                if is_gone {
                    break;
                }
            }
            Err(_) => break,
        }
    }
    for other in others {
        // Nobody is there to hear it where this fails.
        let _ = tell.send(other);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc::channel;
    use std::time::Duration;

    #[test]
    fn answers_are_waited_for_and_nothing_else_is_lost() {
        let (tell, messages) = channel();
        let mut pace = Pace::new(true);
        hear_answers(&mut pace, &messages, &tell);
        pace.sent(100, Instant::now());
        let later = tell.clone();
        let answers = std::thread::spawn(move || {
            later.send(Message::SizeChanged).unwrap();
            std::thread::sleep(Duration::from_millis(20));
            later.send(Message::Continued).unwrap();
            later.send(Message::Answered).unwrap();
        });
        hear_answers(&mut pace, &messages, &tell);
        answers.join().unwrap();
        assert_eq!(pace.open(Instant::now()), None);
        let kept: Vec<Message> = messages.try_iter().collect();
        assert!(matches!(kept[..], [Message::SizeChanged, Message::Continued]), "{}", kept.len());
        // Nobody is there any more: nothing is waited for.
        pace.sent(100, Instant::now());
        tell.send(Message::TerminalGone).unwrap();
        hear_answers(&mut pace, &messages, &tell);
        assert!(pace.open(Instant::now()).is_some());
        assert!(matches!(messages.try_recv(), Ok(Message::TerminalGone)));
    }
}
