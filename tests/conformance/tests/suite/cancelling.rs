//! Requests to cancel, and what they find.

use asyncferry::{AsyncError, Canceller, cancellable, shield, sleep, spawn_local, uncancel, yield_now};
use asyncferry_conformance::portable;
use std::{future::pending, time::Duration};

portable! {
    a_request_arrives_as_an_error_with_its_message: async {
        let task = spawn_local(async {
            match cancellable(pending::<()>()).await {
                Ok(()) => unreachable!("it never ends"),
                Err(cancelled) => cancelled.message().to_owned(),
            }
        });
        yield_now().await;
        assert!(task.cancel("enough"));
        assert_eq!(task.await, Ok("enough".to_owned()));
    };

    a_body_cleans_up_after_a_request: async {
        let task = spawn_local(async {
            let cancelled = cancellable(sleep(Duration::from_secs(3600))).await.expect_err("it's cancelled");
            sleep(Duration::from_millis(1)).await;
            Err::<(), _>(cancelled.message().to_owned())
        });
        yield_now().await;
        task.cancel("stop");
        assert_eq!(task.await, Ok(Err("stop".to_owned())));
    };

    a_request_can_be_suppressed: async {
        let task = spawn_local(async {
            let first = cancellable(pending::<()>()).await.is_err();
            uncancel();
            (first, cancellable(sleep(Duration::from_millis(1))).await.is_ok())
        });
        yield_now().await;
        task.cancel("");
        assert_eq!(task.await, Ok((true, true)));
    };

    a_task_that_knows_no_requests_is_dropped: async {
        let task = spawn_local(pending::<()>());
        yield_now().await;
        assert!(task.cancel("not needed"));
        assert_eq!(task.await, Err(AsyncError::Cancelled("not needed".to_owned())));
    };

    a_task_cancels_itself: async {
        let task = spawn_local(async {
            let me = Canceller::current().expect("a task runs");
            me.cancel("by myself");
            cancellable(pending::<()>()).await.expect_err("it's cancelled").message().to_owned()
        });
        assert_eq!(task.await, Ok("by myself".to_owned()));
    };

    a_shielded_task_runs_on: async {
        let inner = spawn_local(async {
            sleep(Duration::from_millis(2)).await;
            9
        });
        let mut shielded = shield(inner);
        let outer = spawn_local(async move { cancellable(&mut shielded).await.map(|_| ()).is_err() });
        yield_now().await;
        outer.cancel("");
        assert_eq!(outer.await, Ok(true));
    };
}
