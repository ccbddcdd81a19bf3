//! Files, where there are any.

use asyncferry::{AsyncError, fs, fs::File};
use asyncferry_conformance::{
    platform::{HAS_FILES, scratch},
    real_clock, virtual_clock,
};
use std::io::{self, ErrorKind, SeekFrom};

async fn check(name: &str) -> io::Result<()> {
    let folder = scratch().join(format!("ferry-conformance-{name}"));
    if !HAS_FILES {
        let error = fs::read("any").await.expect_err("there are no files");
        assert_eq!(error.kind(), ErrorKind::Unsupported);
        let inner = error.get_ref().and_then(|inner| inner.downcast_ref::<AsyncError>());
        assert!(matches!(inner, Some(AsyncError::PlatformNotSupported(_))));
        assert_eq!(File::open("any").await.expect_err("there are no files").kind(), ErrorKind::Unsupported);
        return Ok(());
    }
    let _ = fs::remove_dir_all(&folder).await;
    fs::create_dir_all(&folder).await?;
    fs::write(folder.join("one"), "one two").await?;
    assert_eq!(fs::read_to_string(folder.join("one")).await?, "one two");
    fs::rename(folder.join("one"), folder.join("two")).await?;
    let names: Vec<_> = fs::read_dir(&folder).await?.iter().map(|entry| entry.file_name().clone()).collect();
    assert_eq!(names, ["two"]);
    let mut file = File::options().read(true).write(true).open(folder.join("two")).await?;
    file.seek(SeekFrom::Start(4)).await?;
    file.write_all(b"six").await?;
    file.seek(SeekFrom::Start(0)).await?;
    let mut text = String::new();
    file.read_to_string(&mut text).await?;
    assert_eq!(text, "one six");
    assert_eq!(fs::read(folder.join("no")).await.expect_err("it isn't there").kind(), ErrorKind::NotFound);
    drop(file);
    fs::remove_dir_all(&folder).await
}

mod files_are_read_and_written {
    use super::*;

    real_clock!(async { check("real").await.expect("the files work") });
    virtual_clock!(async { check("virtual").await.expect("the files work") });
}
