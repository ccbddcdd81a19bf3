//! [`Inbox`]: messages between the connection and who receives them, so many bytes at most.
//!
//! ```text
//!   Open ── end ──▶ Ended(close frame, or an error): what came before is still received, then the error once
//!     └── ignore ──▶ Ignored: nobody receives any more, so nothing is kept and there's always room
//! ```

use super::{CloseFrame, Message, WebSocketError};
use std::{
    collections::VecDeque,
    mem,
    sync::{Mutex, MutexGuard},
    task::{Context, Poll, Waker},
};

/// What a message is counted as beside its bytes.
const OVERHEAD: usize = 64;

pub(in crate::net) struct Inbox {
    state: Mutex<State>,
    /// How many bytes are kept; one message always has room.
    bound: usize,
}

#[derive(Default)]
struct State {
    messages: VecDeque<Message>,
    /// Of all messages, with their overhead.
    bytes: usize,
    end: Option<Result<Option<CloseFrame>, WebSocketError>>,
    close_frame: Option<CloseFrame>,
    is_ignored: bool,
    receiver: Option<Waker>,
    connection: Option<Waker>,
}

#[allow(dead_code, reason = "each platform needs some of these")]
impl Inbox {
    pub(in crate::net) fn new(bound: usize) -> Self {
        Self { state: Mutex::default(), bound }
    }

    /// Ready when there's room for a message of any size.
    pub(in crate::net) fn poll_room(&self, cx: &Context<'_>) -> Poll<()> {
        let mut state = self.state();
        if state.is_ignored || state.bytes < self.bound {
            return Poll::Ready(());
        }
        let stale = state.connection.replace(cx.waker().clone());
        drop(state);
        drop(stale);
        Poll::Pending
    }

    /// Whether there's room for `message`, for who can't wait.
    pub(in crate::net) fn has_room_for(&self, message: &Message) -> bool {
        let state = self.state();
        state.is_ignored || state.messages.is_empty() || state.bytes + size_of(message) <= self.bound
    }

    /// Keeps `message`, unless nobody will receive it. Whether there is room was asked before.
    pub(in crate::net) fn push(&self, message: Message) {
        let mut state = self.state();
        if state.is_ignored || state.end.is_some() {
            return;
        }
        state.bytes += size_of(&message);
        state.messages.push_back(message);
        wake(state, |state| &mut state.receiver);
    }

    /// Ends it: with the frame that closed it, if there was one, or with why it broke. The first end counts.
    pub(in crate::net) fn end(&self, end: Result<Option<CloseFrame>, WebSocketError>) {
        let mut state = self.state();
        if state.end.is_none() {
            if let Ok(frame) = &end {
                state.close_frame.clone_from(frame);
            }
            state.end = Some(end);
            wake(state, |state| &mut state.receiver);
        }
    }

    /// Takes the next message, or the error that ended it, once; `None` at its end.
    pub(super) fn poll_next(&self, cx: &Context<'_>) -> Poll<Option<Result<Message, WebSocketError>>> {
        let mut state = self.state();
        if let Some(message) = state.messages.pop_front() {
            state.bytes -= size_of(&message);
            wake(state, |state| &mut state.connection);
            return Poll::Ready(Some(Ok(message)));
        }
        match &mut state.end {
            None => {
                let stale = state.receiver.replace(cx.waker().clone());
                drop(state);
                drop(stale);
                Poll::Pending
            }
            Some(end) => Poll::Ready(mem::replace(end, Ok(None)).err().map(Err)),
        }
    }

    /// How the other side closed it, once it has.
    pub(super) fn close_frame(&self) -> Option<CloseFrame> {
        self.state().close_frame.clone()
    }

    /// Nobody will receive any more.
    pub(super) fn ignore(&self) {
        let mut state = self.state();
        state.is_ignored = true;
        state.bytes = 0;
        let messages = mem::take(&mut state.messages);
        wake(state, |state| &mut state.connection);
        drop(messages);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}

fn size_of(message: &Message) -> usize {
    message.len() + OVERHEAD
}

/// Wakes who waits, outside of the lock, as wakers are foreign code.
fn wake(mut state: MutexGuard<'_, State>, who: impl FnOnce(&mut State) -> &mut Option<Waker>) {
    let waker = who(&mut state).take();
    drop(state);
    if let Some(waker) = waker {
        waker.wake();
    }
}

#[cfg(all(test, not(ferry_loom)))]
mod tests {
    use super::*;
    use crate::net::WebSocketErrorKind;

    fn next(inbox: &Inbox) -> Poll<Option<Result<Message, WebSocketError>>> {
        inbox.poll_next(&Context::from_waker(Waker::noop()))
    }

    fn has_room(inbox: &Inbox) -> bool {
        inbox.poll_room(&Context::from_waker(Waker::noop())).is_ready()
    }

    #[test]
    fn it_holds_its_bound_and_one_message_of_any_size() {
        let inbox = Inbox::new(200);
        let (small, large) = (Message::from("1"), Message::from(vec![0; 1000]));
        assert!(inbox.has_room_for(&large) && has_room(&inbox));
        inbox.push(large.clone());
        assert!(!inbox.has_room_for(&small) && !has_room(&inbox));
        assert_eq!(next(&inbox), Poll::Ready(Some(Ok(large))));
        for _ in 0..3 {
            assert!(inbox.has_room_for(&small) && has_room(&inbox));
            inbox.push(small.clone());
        }
        assert!(!inbox.has_room_for(&small), "three with their overhead are 195 bytes");
    }

    #[test]
    fn what_came_before_the_end_is_received_first_and_an_error_once() {
        let broken = WebSocketError::new(WebSocketErrorKind::Broken, "ws://h", "reset");
        let inbox = Inbox::new(200);
        inbox.push(Message::from("last words"));
        inbox.end(Err(broken.clone()));
        inbox.end(Ok(Some(CloseFrame { code: 1000, reason: String::new() })));
        assert_eq!(next(&inbox), Poll::Ready(Some(Ok(Message::from("last words")))));
        assert_eq!(next(&inbox), Poll::Ready(Some(Err(broken))));
        assert_eq!((next(&inbox), inbox.close_frame()), (Poll::Ready(None), None));
    }

    #[test]
    fn an_inbox_that_is_ignored_has_room_and_keeps_nothing() {
        let inbox = Inbox::new(1);
        inbox.push(Message::from("1"));
        assert!(!has_room(&inbox));
        inbox.ignore();
        inbox.push(Message::from("2"));
        assert!(has_room(&inbox));
        assert_eq!(next(&inbox), Poll::Pending);
    }
}
