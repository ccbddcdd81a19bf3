//! Streams, channels and tokens.

use asyncferry::{
    AsyncError, CancellationToken, Instant,
    channel::{broadcast, mpsc, oneshot, watch},
    interval, sleep, spawn_local,
    stream::{self, ReceiverStream, StreamExt, TimedStreamExt},
    sync::{Queue, Shutdown},
    yield_now,
};
use asyncferry_conformance::portable;
use std::{future::pending, rc::Rc, time::Duration};

const MS: Duration = Duration::from_millis(1);

portable! {
    streams_are_mapped_filtered_and_buffered: async {
        let squares: Vec<_> = stream::iter(1..=6)
            .filter(|number| std::future::ready(number % 2 == 0))
            .map(|number| async move {
                sleep((7 - number) * MS).await;
                number * number
            })
            .buffered(3)
            .collect()
            .await;
        assert_eq!(squares, [4, 16, 36]);
    };

    a_throttled_stream_keeps_its_pace_and_its_items: async {
        let start = Instant::now();
        let items: Vec<_> = stream::iter(0..4).throttle(2 * MS).collect().await;
        assert_eq!(items, [0, 1, 2, 3]);
        assert!(start.elapsed() >= 6 * MS);
    };

    a_late_item_is_an_error_and_the_stream_goes_on: async {
        let (sender, receiver) = mpsc::channel(4);
        let producer = spawn_local(async move {
            for (wait, number) in [(0, 1), (40, 2), (0, 3)] {
                sleep(wait * MS).await;
                sender.send(number).await.expect("it's received");
            }
        });
        let mut items = std::pin::pin!(ReceiverStream::new(receiver).timeout(15 * MS));
        let (mut got, mut late) = (Vec::new(), 0);
        while let Some(item) = items.next().await {
            match item {
                Ok(number) => got.push(number),
                Err(error) => {
                    assert_eq!(error, AsyncError::Timeout(15 * MS));
                    late += 1;
                }
            }
        }
        assert_eq!(got, [1, 2, 3]);
        assert!(late >= 1);
        assert_eq!(producer.await, Ok(()));
    };

    intervals_and_queues_are_streams: async {
        assert_eq!(interval(MS).take(3).count().await, 3);
        let queue = Rc::new(Queue::new(2));
        let there = queue.clone();
        let producer = spawn_local(async move {
            for number in 0..5 {
                there.put(number).await.expect("it's open");
            }
            there.shutdown(Shutdown::Drain);
        });
        let got: Vec<_> = stream::from_queue(queue.clone()).collect().await;
        assert_eq!(got, [0, 1, 2, 3, 4]);
        assert_eq!(producer.await, Ok(()));
    };

    a_bounded_channel_holds_back_its_sender: async {
        let (sender, mut receiver) = mpsc::channel(2);
        let producer = spawn_local(async move {
            for number in 0..6 {
                sender.send(number).await.expect("it's received");
            }
        });
        for _ in 0..4 {
            yield_now().await;
        }
        assert!(!producer.is_finished());
        let mut got = Vec::new();
        while let Some(number) = receiver.recv().await {
            got.push(number);
        }
        assert_eq!(got, [0, 1, 2, 3, 4, 5]);
    };

    broadcast_reaches_all_and_watch_keeps_the_last: async {
        let (sender, first) = broadcast::channel(4);
        let receivers = [first, sender.subscribe()].map(|mut receiver| {
            spawn_local(async move { (receiver.recv().await.ok(), receiver.recv().await.ok()) })
        });
        sender.send(1).expect("they listen");
        sender.send(2).expect("they listen");
        for receiver in receivers {
            assert_eq!(receiver.await, Ok((Some(1), Some(2))));
        }
        let (sender, mut receiver) = watch::channel(0);
        let changed = spawn_local(async move {
            receiver.changed().await.expect("the sender is there");
            *receiver.borrow()
        });
        yield_now().await;
        sender.send(7).expect("it's watched");
        assert_eq!(changed.await, Ok(7));
        let (sender, receiver) = oneshot::channel();
        assert_eq!(sender.send(8), Ok(()));
        assert_eq!(receiver.await, Ok(8));
    };

    a_token_cancels_its_tree: async {
        let server = CancellationToken::new();
        let request = server.child_token();
        let work = spawn_local(async move { request.run_until_cancelled(pending::<()>()).await });
        let sibling = server.child_token();
        let guard = sibling.clone().drop_guard();
        drop(guard);
        assert!(sibling.is_cancelled() && !server.is_cancelled());
        yield_now().await;
        server.cancel("closing");
        assert_eq!(work.await.expect("it ends").expect_err("it was cancelled").message(), "closing");
    };
}
