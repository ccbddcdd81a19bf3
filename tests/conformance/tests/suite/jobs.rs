//! Jobs: a pool on threads, or on the loop where there are none.

use asyncferry::{
    Failure, Value, cancellable, gather_all,
    jobs::{Pool, Retry, SubmitError, WhenFull},
    patterns::Drained,
    sleep,
    value::to_value,
};
use asyncferry_conformance::portable;
use std::{io, time::Duration};

const MOMENT: Duration = Duration::from_millis(1);
const LONG: Duration = Duration::from_secs(3600);

type Sure<T> = Result<T, io::Error>;

portable! {
    a_pool_runs_what_blocks_and_what_is_async: async {
        let pool = Pool::builder().workers(2).build();
        let mut jobs = Vec::new();
        for number in 0..10_u32 {
            let blocking = pool.blocking(move |_| Sure::Ok(number)).submit().await.unwrap();
            let task = pool.task(move |_| async move {
                sleep(MOMENT).await;
                Sure::Ok(number)
            });
            jobs.extend([blocking, task.submit().await.unwrap()]);
        }
        let sums: Vec<u32> = gather_all(jobs).await.into_iter().map(Result::unwrap).collect();
        assert_eq!(sums.iter().sum::<u32>(), 90);
        assert_eq!(pool.metrics()[0].done, 20);
        assert_eq!(pool.shutdown(LONG).await, Drained::Finished);
    };

    a_job_is_cancelled_times_out_or_is_tried_again: async {
        let pool = Pool::builder().workers(3).build();
        let long = |_| async {
            sleep(LONG).await;
            Sure::Ok(())
         };
        let cancelled = pool.task(long).submit().await.unwrap();
        let slow = pool.task(long).timeout(MOMENT).submit().await.unwrap();
        let retry = Retry::new(3).delay(MOMENT);
        let again = pool.blocking_again(retry, |job| if job.attempt() < 3 { Err("again") } else { Ok(job.attempt()) });
        let again = again.submit().await.unwrap();
        sleep(MOMENT).await;
        assert!(cancelled.cancel("enough"));
        assert_eq!(cancelled.await.unwrap_err().to_string(), "cancelled: enough");
        assert_eq!(slow.await.unwrap_err().to_string(), "timed out after 1ms");
        assert_eq!(again.await.unwrap(), 3);
    };

    a_full_pool_rejects_or_is_waited_for: async {
        let pool = Pool::builder().workers(1).max_queued(1).when_full(WhenFull::Reject).build();
        let mut jobs = Vec::new();
        let error = loop {
            let job = pool.task(|_| async {
                sleep(MOMENT).await;
                Sure::Ok(())
            }).submit().await;
            match job {
                Ok(job) => jobs.push(job),
                Err(error) => break error,
            }
        };
        assert!(matches!(error, SubmitError::Full { max_queued: 1 }));
        for job in jobs {
            job.await.unwrap();
        }
    };

    a_job_is_called_by_its_name_and_known_by_a_number: async {
        let pool = Pool::new();
        pool.register("add", |(a, b): (i64, i64)| async move { Sure::Ok(a + b) }).unwrap();
        let job = pool.named("add", to_value(&(40, 2)).unwrap()).submit().await.unwrap();
        assert_eq!(job.await.unwrap(), Value::from(42));
        let id = pool.ids().call("add", to_value(&(1, "x")).unwrap()).await.unwrap();
        let error = pool.ids().wait(id).await.unwrap_err().to_string();
        assert!(error.starts_with("job 'add' can't take these arguments: at [1]"), "{error}");
        pool.ids().cleanup(id).unwrap();
        assert_eq!(pool.ids().get(id).unwrap_err().to_string(), "future not found");
    };

    a_latent_job_starts_in_time: async {
        let pool = Pool::new();
        let soon = pool.blocking(|_| Sure::Ok(1)).latent("r", "s", pool.clock_now() + 0.002).unwrap();
        let never = pool.blocking(|_| Sure::Ok(2)).latent("r", "s", pool.clock_now() + 1e6).unwrap();
        let sooner = pool.blocking(|_| Sure::Ok(3)).latent("r", "s", pool.clock_now() + 1e6).unwrap();
        assert!(never.cancel("cut"));
        assert!(matches!(never.await, Err(Failure::Cancelled(_))));
        assert_eq!(sooner.materialize().await.unwrap(), 3);
        assert_eq!(soon.await.unwrap(), 1);
    };

    a_shutdown_lets_jobs_clean_up: async {
        let pool = Pool::builder().workers(1).build();
        let tidy = pool.task(|_| async {
            let cancelled = cancellable(sleep(LONG)).await;
            sleep(MOMENT).await;
            cancelled
        });
        let tidy = tidy.name("tidy").submit().await.unwrap();
        sleep(MOMENT).await;
        let left = vec!["tidy".to_owned()];
        assert_eq!(pool.shutdown(MOMENT).await, Drained::DeadlinePassed { left });
        assert!(matches!(tidy.await, Err(Failure::Cancelled(_))));
    };
}
