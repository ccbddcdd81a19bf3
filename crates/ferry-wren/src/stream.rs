//! `Stream`: several values over time, which a script takes one by one: `for (row in Async.stream("lines", [path])) …`. The next
//! one is made when it's asked for, so nothing piles up.

use crate::{
    home::{Home, current},
    host::Items,
    park::{Answer, By, Item, Park, Waited, wait},
};
use asyncferry::{Failure, Value, sync::Lock};
use futures_util::StreamExt;
use std::{
    rc::Rc,
    sync::{Arc, Mutex, PoisonError},
};
use wren::{Context, Error, VmBuilder};

/// What an object of the class holds: where the stream lies in its home, which may not be sent.
pub(crate) struct StreamObject {
    key: Arc<Key>,
}

struct Key {
    number: usize,
    /// Numbers of streams that no object holds any more.
    gone: Arc<Mutex<Vec<usize>>>,
}

impl Drop for Key {
    fn drop(&mut self) {
        self.gone.lock().unwrap_or_else(PoisonError::into_inner).push(self.number);
    }
}

/// The streams of a home.
#[derive(Default)]
pub(crate) struct Streams {
    streams: slab::Slab<Rc<Lock<Option<Items>>>>,
    gone: Arc<Mutex<Vec<usize>>>,
}

impl Streams {
    /// Those that no object holds any more.
    pub(crate) fn take_gone(&mut self) -> Vec<Rc<Lock<Option<Items>>>> {
        let gone = std::mem::take(&mut *self.gone.lock().unwrap_or_else(PoisonError::into_inner));
        gone.into_iter().filter_map(|number| self.streams.try_remove(number)).collect()
    }
}

impl StreamObject {
    pub(crate) fn new(home: &Home, items: Items) -> Self {
        let mut streams = home.streams.borrow_mut();
        let number = streams.streams.insert(Rc::new(Lock::new(Some(items))));
        Self { key: Arc::new(Key { number, gone: streams.gone.clone() }) }
    }

    fn items(&self) -> Rc<Lock<Option<Items>>> {
        let home = current();
        let streams = home.streams.borrow();
        streams.streams[self.key.number].clone()
    }
}

/// The next item, when it's this fiber's turn.
async fn next(items: Rc<Lock<Option<Items>>>, _key: Arc<Key>) -> Result<Option<Value>, Failure> {
    let mut items = items.acquire().await;
    let Some(stream) = items.as_mut() else { return Ok(None) };
    let item = stream.next().await;
    if !matches!(item, Some(Ok(_))) {
        // At its end, or when it fails, it's over.
        *items = None;
    }
    item.transpose()
}

fn waiting(stream: &StreamObject, made: fn(Option<Value>) -> Item) -> Park {
    let next = next(stream.items(), stream.key.clone());
    Park::new(By::Itself, async move { Waited::Ok(made(next.await?)) })
}

fn in_loop(item: Option<Value>) -> Item {
    item.map_or(Item::End, |value| Item::Next(Box::new(Item::Plain(value))))
}

fn or_null(item: Option<Value>) -> Item {
    item.map_or(Item::NULL, Item::Plain)
}

pub(crate) fn register(builder: VmBuilder) -> VmBuilder {
    let on = |builder: VmBuilder, signature: &str, made: fn(Option<Value>) -> Item| {
        let method = move |stream: &mut StreamObject, cx: &mut Context<'_>, ()| -> Result<Answer, Error> {
            wait(&current(), cx, waiting(stream, made))
        };
        builder.method_of("async", "Stream", signature, method)
    };
    let builder = on(builder, "advance_()", in_loop);
    let builder = on(builder, "next()", or_null);
    builder.method_of("async", "Stream", "close()", |stream: &mut StreamObject, _: &mut Context<'_>, ()| {
        // One that another fiber waits for is closed by that one's end.
        let items = stream.items();
        let taken = items.try_acquire().and_then(|mut items| items.take());
        drop(taken);
    })
}
