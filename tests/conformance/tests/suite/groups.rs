//! Several at once: gather, wait, groups.

use asyncferry::{ReturnWhen, as_completed, gather, gather_all, sleep, spawn_local, task_group, wait};
use asyncferry_conformance::portable;
use std::{future::pending, time::Duration};

const MS: Duration = Duration::from_millis(1);

async fn after(milliseconds: u32, value: u32) -> Result<u32, String> {
    sleep(milliseconds * MS).await;
    if value == 0 { Err("zero".to_owned()) } else { Ok(value) }
}

portable! {
    gather_gives_results_in_order: async {
        assert_eq!(gather([after(3, 1), after(1, 2), after(2, 3)]).await, Ok(vec![1, 2, 3]));
    };

    gather_ends_with_the_first_error: async {
        assert_eq!(gather([after(300_000, 1), after(1, 0)]).await, Err("zero".to_owned()));
    };

    gather_all_keeps_errors_as_results: async {
        let expected = [Ok(1), Err("zero".to_owned()), Ok(3)];
        assert_eq!(gather_all([after(2, 1), after(1, 0), after(3, 3)]).await, expected);
    };

    wait_ends_with_the_first_and_keeps_the_rest: async {
        let tasks = [300_000, 1].map(|milliseconds| spawn_local(sleep(milliseconds * MS)));
        let (done, pending) = wait(tasks, ReturnWhen::FirstCompleted, None).await;
        assert_eq!(done, [(1, Ok(()))]);
        for (number, task) in pending {
            assert_eq!(number, 0);
            task.cancel("too slow");
            assert!(task.await.is_err());
        }
    };

    as_completed_gives_them_as_they_come: async {
        let mut ends = as_completed([after(9, 1), after(1, 2), after(5, 0)]);
        let mut order = Vec::new();
        while let Some((index, _)) = ends.next().await {
            order.push(index);
        }
        assert_eq!(order, [1, 2, 0]);
    };

    a_failure_in_a_group_cancels_its_siblings: async {
        let failed = task_group(async |group| {
            group.spawn_local(async { pending::<Result<(), String>>().await }).expect("it's open").detach();
            group.spawn_local(after(1, 0)).expect("it's open").detach();
            Ok::<_, String>(())
        })
        .await
        .expect_err("a child failed");
        assert_eq!(failed.errors().len(), 1);
    };

    a_group_waits_for_its_tasks: async {
        let sum = task_group(async |group| {
            let tasks = [1, 2, 3].map(|value| group.spawn_local(after(4 - value, value)).expect("it's open"));
            let mut sum = 0;
            for task in tasks {
                sum += task.await.map_err(|failure| failure.to_string())?;
            }
            Ok::<_, String>(sum)
        })
        .await;
        assert_eq!(sum.ok(), Some(6));
    };
}
