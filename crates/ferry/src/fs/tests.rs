//! Tests of files, on both clocks.

use super::*;
use crate::{AsyncRuntime, Order, timeout};
use std::{
    future::poll_fn,
    io::{ErrorKind, SeekFrom},
    path::PathBuf,
    sync::atomic::{AtomicU32, Ordering},
    task::Poll,
    time::Duration,
};

/// A folder that goes with the test.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("ferry-fs-{}-{number}", std::process::id()));
        std::fs::create_dir(&path).expect("it's new");
        Self(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn both_clocks(test: impl AsyncFn(PathBuf) -> io::Result<()>) {
    let folder = Folder::new();
    AsyncRuntime::block_on(test(folder.0.clone())).expect("the disk works");
    let folder = Folder::new();
    AsyncRuntime::block_on_virtual(Order::Fifo, test(folder.0.clone())).expect("the disk works");
}

#[test]
fn whole_files_are_written_and_read() {
    both_clocks(async |folder| {
        let path = folder.join("a");
        write(&path, "grüße").await?;
        assert_eq!(read_to_string(&path).await?, "grüße");
        assert_eq!(copy(&path, folder.join("b")).await?, 7);
        rename(folder.join("b"), folder.join("c")).await?;
        assert!(!try_exists(folder.join("b")).await?);
        assert_eq!(metadata(folder.join("c")).await?.len(), 7);
        create_dir_all(folder.join("d/e")).await?;
        let names: Vec<_> = read_dir(&folder).await?.iter().map(|entry| entry.file_name().clone()).collect();
        assert_eq!(names, ["a", "c", "d"]);
        assert!(read_dir(&folder).await?[2].file_type().is_dir());
        remove_dir_all(folder.join("d")).await?;
        remove_file(&path).await?;
        assert_eq!(read(&path).await.expect_err("it's gone").kind(), ErrorKind::NotFound);
        write(&path, [0xff]).await?;
        assert_eq!(read_to_string(&path).await.expect_err("it's no text").kind(), ErrorKind::InvalidData);
        Ok(())
    });
}

#[test]
fn an_open_file_reads_writes_and_seeks_in_one_position() {
    both_clocks(async |folder| {
        let path = folder.join("f");
        let mut file = File::options().read(true).write(true).create_new(true).open(&path).await?;
        file.write_all(b"0123456789").await?;
        assert_eq!(file.seek(SeekFrom::Start(2)).await?, 2);
        let mut two = [0; 2];
        file.read_exact(&mut two).await?;
        assert_eq!(&two, b"23");
        // It has read ahead, and still writes where the reader is.
        file.write_all(b"xy").await?;
        assert_eq!(file.seek(SeekFrom::Current(0)).await?, 6);
        file.read_exact(&mut two).await?;
        assert_eq!(&two, b"67");
        assert_eq!(file.seek(SeekFrom::Current(-1)).await?, 7);
        let mut rest = Vec::new();
        assert_eq!(file.read_to_end(&mut rest).await?, 3);
        assert_eq!(rest, b"789");
        assert_eq!(file.read(&mut two).await?, 0);
        file.set_len(3).await?;
        file.sync_all().await?;
        assert_eq!(file.metadata().await?.len(), 3);
        assert_eq!(read(&path).await?, b"012");
        let again = File::options().write(true).create_new(true).open(&path).await;
        assert_eq!(again.expect_err("it's there").kind(), ErrorKind::AlreadyExists);
        Ok(())
    });
}

#[test]
fn large_files_come_in_chunks_and_whole() {
    both_clocks(async |folder| {
        let path = folder.join("large");
        let bytes: Vec<u8> = (0..300_000_u32).map(|number| (number % 251) as u8).collect();
        File::create(&path).await?.write_all(&bytes).await?;
        // A file that is dropped closes once its last write is done; this one was awaited.
        let mut file = File::open(&path).await?;
        let mut seen = Vec::new();
        file.read_to_end(&mut seen).await?;
        assert!(seen == bytes);
        let mut short = vec![0; 300_001];
        file.seek(SeekFrom::Start(0)).await?;
        assert_eq!(file.read_exact(&mut short).await.expect_err("it ends").kind(), ErrorKind::UnexpectedEof);
        Ok(())
    });
}

#[test]
fn a_read_that_is_dropped_loses_nothing() {
    both_clocks(async |folder| {
        let path = folder.join("f");
        write(&path, "abcdef").await?;
        let mut file = File::open(&path).await?;
        let mut buffer = [0; 3];
        for _ in 0..3 {
            // Polled once and dropped.
            let mut read = std::pin::pin!(file.read(&mut buffer));
            let polled = poll_fn(|cx| Poll::Ready(read.as_mut().poll(cx).is_ready())).await;
            if polled {
                break;
            }
        }
        let mut file = file;
        if &buffer != b"abc" {
            assert_eq!(file.read(&mut buffer).await?, 3);
        }
        assert_eq!(&buffer, b"abc");
        assert_eq!(file.read(&mut buffer).await?, 3);
        assert_eq!(&buffer, b"def");
        Ok(())
    });
}

#[test]
fn a_write_that_is_dropped_is_done_before_what_follows() {
    both_clocks(async |folder| {
        let path = folder.join("f");
        let mut file = File::create(&path).await?;
        let _ = timeout(Duration::ZERO, file.write_all(b"one")).await;
        {
            let mut write = std::pin::pin!(file.write_all(b"two"));
            let _ = poll_fn(|cx| Poll::Ready(write.as_mut().poll(cx))).await;
        }
        file.write_all(b"three").await?;
        let text = read_to_string(&path).await?;
        assert!(["twothree", "onetwothree"].contains(&text.as_str()), "{text}");
        Ok(())
    });
}

#[test]
fn errors_are_stds_and_come_once() {
    both_clocks(async |folder| {
        assert_eq!(
            File::open(folder.join("no")).await.expect_err("it isn't there").kind(),
            ErrorKind::NotFound
        );
        write(folder.join("f"), "abc").await?;
        let mut file = File::open(folder.join("f")).await?;
        assert!(file.write_all(b"x").await.is_err(), "it's open for reading");
        let mut text = String::new();
        file.read_to_string(&mut text).await?;
        assert_eq!(text, "abc");
        let mut folder = File::open(&folder).await?;
        assert!(folder.read(&mut [0; 4]).await.is_err());
        Ok(())
    });
}
