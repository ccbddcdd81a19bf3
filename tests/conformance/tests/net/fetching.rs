//! Requests and their answers.

use super::{is_not_supported, server};
use asyncferry::{
    net::{Bytes, FetchErrorKind, Request, fetch},
    spawn_local, timeout, yield_now,
};
use asyncferry_conformance::{
    platform::{CAN_BLOCK, HAS_HTTP, random},
    real_clock,
};
use std::time::Duration;

fn url(path: &str) -> String {
    format!("http://{}/{path}", server())
}

mod a_platform_without_http_says_so {
    use super::*;

    real_clock!(async {
        if !HAS_HTTP {
            assert!(is_not_supported(&fetch("http://localhost/").await.unwrap_err()));
        }
    });
}

mod an_answer_has_its_head_and_body {
    use super::*;

    real_clock!(async {
        if HAS_HTTP {
            let response = fetch(&url("hello#part")).await.unwrap();
            assert_eq!((response.status(), response.ok(), response.url()), (200, true, &*url("hello")));
            assert_eq!(response.headers().get("X-Where"), Some("here"));
            assert_eq!(response.text().await.unwrap(), "hello");
            let response = fetch(&url("nothing")).await.unwrap();
            assert_eq!((response.status(), response.ok()), (404, false));
        }
    });
}

mod a_request_has_its_method_headers_and_body {
    use super::*;

    real_clock!(async {
        if HAS_HTTP {
            let put = Request::new("PUT", &url("echo")).header("x-a", "1").body(vec![1, 2, 3]);
            let response = put.send().await.unwrap();
            assert_eq!((response.status(), response.headers().get("x-method")), (201, Some("PUT")));
            assert_eq!(response.bytes().await.unwrap(), [1, 2, 3][..]);
            let posted = Request::post(&url("echo")).text("☃").send().await.unwrap();
            assert_eq!(posted.text().await.unwrap(), "☃");
        }
    });
}

mod a_body_streams_out_where_that_can_be {
    use super::*;
    use asyncferry::{AsyncError, stream};

    real_clock!(async {
        let parts = stream::iter(["one", "two"].map(|part| Ok::<_, AsyncError>(Bytes::from(part))));
        match Request::post(&url("echo")).body_stream(parts).send().await {
            Ok(response) => assert_eq!(response.text().await.unwrap(), "onetwo"),
            Err(error) => assert!(is_not_supported(&error) && !(HAS_HTTP && CAN_BLOCK), "{error}"),
        }
    });
}

mod redirects_are_followed {
    use super::*;

    real_clock!(async {
        if HAS_HTTP {
            let response = Request::post(&url("moved")).body("parcel").send().await.unwrap();
            assert_eq!(response.url(), url("hello"));
            assert_eq!(response.text().await.unwrap(), "hello");
            let error = fetch(&url("around")).await.unwrap_err();
            // JavaScript doesn't tell it apart.
            let kinds = [FetchErrorKind::Redirects, FetchErrorKind::Unreachable];
            assert!(kinds[..if CAN_BLOCK { 1 } else { 2 }].contains(error.kind()), "{error}");
        }
    });
}

mod a_large_body_comes_whole_and_has_a_limit {
    use super::*;

    real_clock!(async {
        if HAS_HTTP {
            let mut chunks = fetch(&url("large")).await.unwrap().chunks();
            let mut size = 0;
            while let Some(chunk) = chunks.next().await {
                size += chunk.unwrap().len();
            }
            assert_eq!(size, 1 << 20);
            assert!(chunks.next().await.is_none(), "the end stays the end");
            let large = Request::get(&url("large")).limit(1000).send().await.unwrap();
            assert_eq!(large.bytes().await.unwrap_err().kind(), &FetchErrorKind::TooLarge(1000));
        }
    });
}

mod errors_are_told_apart {
    use super::*;

    real_clock!(async {
        if HAS_HTTP {
            let half = async { fetch(&url("half")).await?.bytes().await };
            assert_eq!(half.await.unwrap_err().kind(), &FetchErrorKind::Broken);
            // Nobody listens on such a port.
            let error = fetch("http://127.0.0.1:2/").await.unwrap_err();
            assert_eq!(error.kind(), &FetchErrorKind::Unreachable, "{error}");
            for bad in [Request::get("http://"), Request::new("GET IT", &url("hello"))] {
                let error = bad.send().await.unwrap_err();
                assert_eq!(error.kind(), &FetchErrorKind::BadRequest, "{error}");
            }
        }
    });
}

mod a_transfer_that_is_dropped_ends_on_the_wire {
    use super::*;

    real_clock!(async {
        if HAS_HTTP {
            let names = [format!("silent/{}", random()), format!("drip/{}", random())];
            let after = Duration::from_millis(100);
            for name in names {
                let whole = async { fetch(&url(&name)).await?.bytes().await };
                assert!(timeout(after, whole).await.is_err());
                let id = name.split('/').nth(1).unwrap();
                assert_eq!(fetch(&url(&format!("gone/{id}"))).await.unwrap().text().await.unwrap(), "gone");
            }
            let name = format!("drip/{}", random());
            let slow = async { Request::get(&url(&name)).timeout(after).send().await?.bytes().await };
            assert_eq!(slow.await.unwrap_err().kind(), &FetchErrorKind::Timeout(after));
        }
    });
}

mod a_body_is_read_while_it_comes {
    use super::*;

    real_clock!(async {
        if HAS_HTTP {
            let id = random();
            let mut chunks = fetch(&url(&format!("drip/{id}"))).await.unwrap().chunks();
            assert_eq!(chunks.next().await.unwrap().unwrap(), "half");
            drop(chunks);
            assert!(fetch(&url(&format!("gone/{id}"))).await.unwrap().ok());
        }
    });
}

mod others_run_while_one_waits {
    use super::*;

    real_clock!(async {
        if HAS_HTTP {
            let id = random();
            let silent = url(&format!("silent/{id}"));
            let waits = spawn_local(async move { fetch(&silent).await });
            yield_now().await;
            let found = [(); 3].map(|()| spawn_local(async { fetch(&url("hello")).await?.text().await }));
            for text in found {
                assert_eq!(text.await.unwrap().unwrap(), "hello");
            }
            assert!(!waits.is_finished());
            waits.abort();
            assert!(waits.await.is_err());
        }
    });
}
