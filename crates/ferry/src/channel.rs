//! Channels between tasks: those of tokio, as they are.
//!
//! [`mpsc`], [`broadcast`], [`watch`] and [`oneshot`] are [`tokio::sync`](https://docs.rs/tokio/1/tokio/sync/index.html)'s,
//! which need no runtime and no threads: they work in every task of Ferry, on every platform, and on the virtual clock.
//! `blocking_send` and `blocking_recv` are for plain threads only: on a loop they would stop it. A thread that the loop
//! does not see keeps a virtual clock from jumping with [`hold_clock`](crate::hold_clock).
//!
//! | | from → to | bound | when it's full |
//! |---|---|---|---|
//! | [`mpsc::channel`] | many → one | its capacity | senders wait |
//! | [`broadcast::channel`] | many → each of many | its capacity | the oldest go; who was too slow gets `Lagged` |
//! | [`watch::channel`] | many → each of many | one value | the newest replaces it |
//! | [`oneshot::channel`] | one → one | one value | |
//!
//! `mpsc::unbounded_channel` has no bound: memory is its end, so it's for where something else bounds what is sent.
//!
//! # Or one of Ferry's own?
//!
//! | for | take |
//! |---|---|
//! | several consumers; a look at the items; waiting until all are worked off; a shutdown by anyone | [`sync::Queue`](crate::sync::Queue) |
//! | items by priority, or the newest first | [`sync::PriorityQueue`](crate::sync::PriorityQueue), [`sync::LifoQueue`](crate::sync::LifoQueue) |
//! | one value that many wait for, that may fail or be cancelled, or that comes from another language | [`promise`](crate::promise()) |
//! | a flag | [`sync::Event`](crate::sync::Event) |
//! | one consumer that is to learn when the last producer is gone, and producers when the consumer is | [`mpsc`] |
//! | each consumer is to see each item | [`broadcast`] |
//! | each consumer is to see the newest state, and may miss those before | [`watch`] |
//! | one answer, owned by who asked | [`oneshot`], or a [`promise`](crate::promise()) |
//!
//! # Cancel safety
//! Each way to receive here may be dropped half-way and loses nothing. A `send` of [`mpsc`] that is dropped while it waits
//! has not sent, and its item is gone; [`reserve`](mpsc::Sender::reserve) waits for room first.
//!
//! # Examples
//!
//! Many senders, one receiver, which ends with the last of them:
//!
//! ```
//! use asyncferry::{AsyncRuntime, Order, channel::mpsc, spawn_local};
//!
//! AsyncRuntime::block_on_virtual(Order::Fifo, async {
//!     let (sender, mut receiver) = mpsc::channel(2);
//!     for number in 1..=3 {
//!         let sender = sender.clone();
//!         drop(spawn_local(async move { sender.send(number).await }));
//!     }
//!     drop(sender);
//!     let mut sum = 0;
//!     while let Some(number) = receiver.recv().await {
//!         sum += number;
//!     }
//!     assert_eq!(sum, 6);
//! });
//! ```
//!
//! Each receiver gets each item, as long as it keeps up:
//!
//! ```
//! use asyncferry::{AsyncRuntime, Order, channel::broadcast::{self, error::RecvError}};
//!
//! AsyncRuntime::block_on_virtual(Order::Fifo, async {
//!     let (sender, mut quick) = broadcast::channel(2);
//!     let mut slow = sender.subscribe();
//!     for number in 1..=3 {
//!         sender.send(number).unwrap();
//!         assert_eq!(quick.recv().await, Ok(number));
//!     }
//!     assert_eq!(slow.recv().await, Err(RecvError::Lagged(1)));
//!     assert_eq!(slow.recv().await, Ok(2));
//! });
//! ```
//!
//! The newest state of something:
//!
//! ```
//! use asyncferry::{AsyncRuntime, Order, channel::watch, sleep, spawn_local};
//! use std::time::Duration;
//!
//! AsyncRuntime::block_on_virtual(Order::Fifo, async {
//!     let (sender, mut receiver) = watch::channel("starting");
//!     let starting = spawn_local(async move {
//!         sleep(Duration::from_secs(5)).await;
//!         sender.send("ready").unwrap();
//!     });
//!     assert_eq!(*receiver.borrow(), "starting");
//!     receiver.changed().await.unwrap();
//!     assert_eq!(*receiver.borrow_and_update(), "ready");
//!     starting.await.unwrap();
//! });
//! ```
//!
//! One answer:
//!
//! ```
//! use asyncferry::{AsyncRuntime, Order, channel::oneshot, spawn_local};
//!
//! AsyncRuntime::block_on_virtual(Order::Fifo, async {
//!     let (answer, asked) = oneshot::channel();
//!     let answering = spawn_local(async move { answer.send(42).unwrap() });
//!     assert_eq!(asked.await, Ok(42));
//!     answering.await.unwrap();
//! });
//! ```
//!
//! Receivers as streams are in [`stream`](crate::stream):
//!
//! ```
//! use asyncferry::{
//!     AsyncRuntime, Order,
//!     channel::{broadcast, mpsc, watch},
//!     stream::{BroadcastStream, ReceiverStream, StreamExt, WatchStream},
//! };
//!
//! AsyncRuntime::block_on_virtual(Order::Fifo, async {
//!     let (sender, receiver) = mpsc::channel(4);
//!     let (teller, told) = broadcast::channel(4);
//!     let (setter, state) = watch::channel(0);
//!     for number in 1..=3 {
//!         sender.send(number).await.unwrap();
//!         teller.send(number).unwrap();
//!         setter.send(number).unwrap();
//!     }
//!     drop((sender, teller, setter));
//!     assert_eq!(ReceiverStream::new(receiver).collect::<Vec<_>>().await, [1, 2, 3]);
//!     assert_eq!(BroadcastStream::new(told).collect::<Vec<_>>().await, [Ok(1), Ok(2), Ok(3)]);
//!     assert_eq!(WatchStream::new(state).collect::<Vec<_>>().await, [3]);
//! });
//! ```

pub use tokio::sync::{broadcast, mpsc, oneshot, watch};
