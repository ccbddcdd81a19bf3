//! Connections outlive loops, and serve any thread.

use super::{Server, ok, read_request};
use crate::{
    AsyncRuntime, Instant, Order, gather_all,
    net::{FetchError, Request, fetch},
    sleep, spawn, timeout, yield_now,
};
use std::{
    io::Write,
    net::{TcpListener, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::Duration,
};

async fn text(url: String) -> Result<String, FetchError> {
    fetch(&url).await?.text().await
}

/// A server that answers with the path that was asked for, on as many connections as come at once, until it's asked for
/// `/stop`; gives how many connections that were.
fn echo_paths() -> Server<usize> {
    Server::start(|listener| {
        let stops = Arc::new(AtomicBool::new(false));
        let mut count = 0;
        while !stops.load(Ordering::SeqCst) {
            let (stream, stops) = (listener.accept(), stops.clone());
            count += 1;
            thread::spawn(move || echo_paths_of(stream, &stops));
        }
        count
    })
}

fn echo_paths_of(mut stream: TcpStream, stops: &AtomicBool) {
    let address = stream.local_addr().unwrap();
    while stream.peek(&mut [0]).is_ok_and(|count| count > 0) {
        let request = read_request(&mut stream);
        let path = request.split(' ').nth(1).unwrap();
        stream.write_all(&ok(path)).unwrap();
        if path == "/stop" {
            stops.store(true, Ordering::SeqCst);
            TcpStream::connect(address).unwrap();
        }
    }
}

fn stop(server: Server<usize>) -> usize {
    AsyncRuntime::block_on(text(format!("{}stop", server.http()))).unwrap();
    server.join()
}

#[test]
fn a_connection_serves_loops_one_after_the_other_and_code_without_a_loop() {
    const ROUNDS: usize = 30;
    let server = echo_paths();
    let url = server.http();
    let wants = || text(format!("{url}it"));
    for _ in 0..ROUNDS {
        assert_eq!(AsyncRuntime::block_on(wants()).unwrap(), "/it");
        assert_eq!(futures_lite::future::block_on(wants()).unwrap(), "/it");
        let pooled = wants();
        assert_eq!(AsyncRuntime::block_on(async { spawn(pooled).await.unwrap() }).unwrap(), "/it");
        let elsewhere = wants();
        let there = thread::spawn(move || AsyncRuntime::block_on(elsewhere));
        assert_eq!(there.join().unwrap().unwrap(), "/it");
    }
    // A connection is free again a moment after its body was read, so now and then there is a new one.
    let connections = stop(server);
    assert!(connections < ROUNDS, "{connections} connections for {} requests", 4 * ROUNDS);
}

#[test]
fn a_body_is_read_on_another_loop_than_its_head() {
    let server = Server::start(|listener| listener.answer(&ok("there")));
    let response = AsyncRuntime::block_on(fetch(&server.http())).unwrap();
    let body = thread::spawn(|| AsyncRuntime::block_on(response.text()));
    assert_eq!(body.join().unwrap().unwrap(), "there");
    server.join();
}

#[test]
fn threads_and_tasks_fetch_at_once() {
    const THREADS: usize = 8;
    const EACH: usize = 20;
    let server = echo_paths();
    let url = server.http();
    let fetch_some = |thread: usize| {
        let paths: Vec<_> = (0..EACH).map(|number| format!("{thread}/{number}")).collect();
        let wanted: Vec<_> = paths.iter().map(|path| text(format!("{url}{path}"))).collect();
        let found = AsyncRuntime::block_on(gather_all(wanted));
        for (found, path) in found.into_iter().zip(paths) {
            assert_eq!(found.unwrap(), format!("/{path}"));
        }
    };
    thread::scope(|scope| {
        for thread in 0..THREADS {
            let fetch_some = &fetch_some;
            scope.spawn(move || fetch_some(thread));
        }
    });
    stop(server);
}

#[test]
fn a_virtual_clock_stands_still_while_a_transfer_is_out() {
    let server = Server::start(|listener| listener.answer(&ok("here")));
    let url = server.http();
    let (body, passed) = AsyncRuntime::block_on_virtual(Order::Fifo, async {
        let start = Instant::now();
        let body =
            timeout(Duration::from_nanos(1), Request::get(&url).timeout(Duration::from_nanos(1)).send());
        let body = body.await.expect("no time passes").unwrap().text().await.unwrap();
        (body, start.elapsed())
    });
    assert_eq!((&*body, passed), ("here", Duration::ZERO));
    server.join();
}

#[test]
fn a_virtual_clock_runs_on_once_a_transfer_is_dropped() {
    AsyncRuntime::block_on_virtual(Order::Fifo, async {
        // Nobody accepts, so no answer comes.
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let task = spawn(fetch(&format!("http://{}/", listener.local_addr().unwrap())));
        yield_now().await;
        task.abort();
        assert!(task.await.is_err());
        let hour = Duration::from_secs(3600);
        let start = Instant::now();
        sleep(hour).await;
        assert_eq!(start.elapsed(), hour);
    });
}
