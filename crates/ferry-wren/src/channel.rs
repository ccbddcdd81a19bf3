//! `Channel`: hands a script's values from fiber to fiber, as they are.
//!
//! It holds as many as it was made for. Who sends more waits, and so does who receives from an empty one. One for none holds a
//! value until it's received, and its sender waits for that. What is closed takes nothing more, and gives what it has.

use crate::{
    home::{Home, current},
    park::{Answer, By, Item, Park, Waited, wait},
};
use asyncferry::{
    Failure, Promise, promise,
    sync::{GetError, PutError, Queue, QueueShutDown, Shutdown},
};
use std::{rc::Rc, sync::Arc};
use wren::{Context, Error, VmBuilder};

pub(crate) struct ChannelObject(pub(crate) Arc<Channel>);

pub(crate) struct Channel {
    sent: Queue<Sent>,
    capacity: usize,
}

/// A value on its way, and who waits until it's received.
struct Sent {
    value: wren::Value,
    received: Option<Promise<()>>,
}

const CLOSED: &str = "The channel is closed.";

impl Channel {
    fn new(capacity: usize) -> Self {
        Self { sent: Queue::new(capacity.max(1)), capacity }
    }

    async fn send(self: Arc<Self>, value: wren::Value) -> Waited {
        let closed = |_: QueueShutDown<Sent>| Failure::from_error(CLOSED);
        if self.capacity > 0 {
            self.sent.put(Sent { value, received: None }).await.map_err(closed)?;
            return Ok(Item::NULL);
        }
        let (received, is_received) = promise();
        self.sent.put(Sent { value, received: Some(received) }).await.map_err(closed)?;
        is_received.await.map(|()| Item::NULL)
    }

    /// The next value; `None` once it's closed and empty.
    pub(crate) async fn receive(self: Arc<Self>) -> Option<wren::Value> {
        loop {
            match self.sent.get().await {
                Ok(sent) => {
                    if let Some(value) = sent.taken() {
                        return Some(value);
                    }
                }
                Err(QueueShutDown(())) => return None,
            }
        }
    }

    fn try_receive(&self) -> Result<Option<wren::Value>, GetError> {
        loop {
            if let Some(value) = self.sent.get_nowait()?.taken() {
                return Ok(Some(value));
            }
        }
    }
}

impl Sent {
    /// The value, if its sender has not given up.
    fn taken(self) -> Option<wren::Value> {
        match self.received {
            Some(received) => received.complete(()).is_ok().then_some(self.value),
            None => Some(self.value),
        }
    }
}

fn or_end(value: Option<wren::Value>) -> Item {
    value.map_or(Item::End, |value| Item::Next(Box::new(Item::Own(value))))
}

fn or_null(value: Option<wren::Value>) -> Item {
    value.map_or(Item::NULL, Item::Own)
}

fn receiving(
    channel: &ChannelObject,
    cx: &mut Context<'_>,
    made: fn(Option<wren::Value>) -> Item,
) -> Result<Answer, Error> {
    let receive = channel.0.clone().receive();
    wait(&current(), cx, Park::new(By::Others, async move { Ok(made(receive.await)) }))
}

fn send(
    channel: &mut ChannelObject,
    cx: &mut Context<'_>,
    (value,): (wren::Value,),
) -> Result<Answer, Error> {
    let home: Rc<Home> = current();
    wait(&home, cx, Park::new(By::Others, channel.0.clone().send(value)))
}

fn try_send(
    channel: &mut ChannelObject,
    _: &mut Context<'_>,
    (value,): (wren::Value,),
) -> Result<bool, Error> {
    if channel.0.capacity == 0 && channel.0.sent.getters() == 0 {
        return Ok(false);
    }
    match channel.0.sent.put_nowait(Sent { value, received: None }) {
        Ok(()) => Ok(true),
        Err(PutError::Full(_)) => Ok(false),
        Err(PutError::ShutDown(_)) => Err(Error::new(CLOSED)),
    }
}

pub(crate) fn register(builder: VmBuilder) -> VmBuilder {
    let class = "Channel";
    builder
        .class("async", class, |_: &mut Context<'_>, (capacity,): (Option<wren::Value>,)| {
            let capacity = match capacity {
                None => 0,
                Some(given) => crate::primitives::count(&given, "A channel's capacity", 0)?,
            };
            Ok(ChannelObject(Arc::new(Channel::new(capacity))))
        })
        .method_of("async", class, "send(_)", send)
        .method_of("async", class, "trySend(_)", try_send)
        .method_of("async", class, "receive()", |channel: &mut ChannelObject, cx: &mut Context<'_>, ()| {
            receiving(channel, cx, or_null)
        })
        .method_of("async", class, "advance_()", |channel: &mut ChannelObject, cx: &mut Context<'_>, ()| {
            receiving(channel, cx, or_end)
        })
        .method_of("async", class, "tryReceive()", |channel: &mut ChannelObject, _: &mut Context<'_>, ()| {
            channel.0.try_receive().ok().flatten().unwrap_or(wren::Value::Null)
        })
        .method_of("async", class, "close()", |channel: &mut ChannelObject, _: &mut Context<'_>, ()| {
            channel.0.sent.shutdown(Shutdown::Drain);
        })
        .method_of("async", class, "isClosed", |channel: &mut ChannelObject, _: &mut Context<'_>, ()| {
            channel.0.sent.is_shut_down()
        })
        .method_of("async", class, "count", |channel: &mut ChannelObject, _: &mut Context<'_>, ()| {
            // One for none has only what its senders wait with.
            if channel.0.capacity == 0 { 0.0 } else { channel.0.sent.qsize() as f64 }
        })
        .method_of("async", class, "capacity", |channel: &mut ChannelObject, _: &mut Context<'_>, ()| {
            channel.0.capacity as f64
        })
}
