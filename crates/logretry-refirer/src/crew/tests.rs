use std::collections::HashSet;
use std::time::Duration;

use super::*;

/// A crew of one hall for each of `threads`, or among the tasks of the test.
fn crew<J, E, W, F>(threads: usize, work: W) -> Crew<J, E>
where
    J: Send + 'static,
    E: Send + 'static,
    W: Fn(J) -> F + Clone + Send + Sync + 'static,
    F: Future<Output = E> + Send + 'static,
{
    Crew::new(std::iter::repeat_n(work.clone(), threads), work)
}

#[tokio::test(start_paused = true)]
async fn every_job_comes_to_its_end_and_tasks_are_as_many_as_jobs_at_once() {
    for threads in [0, 1, 3] {
        let mut crew = crew(threads, |job: u64| async move {
            for _ in 0..job % 7 {
                tokio::task::yield_now().await;
            }
            job
        });
        let mut ends = HashSet::new();
        for job in 0..1000 {
            while crew.under_way() >= 5 {
                crew.wait().await;
                ends.extend(std::iter::from_fn(|| crew.ended()));
            }
            crew.hand(job);
        }
        while crew.under_way() > 0 {
            crew.wait().await;
            ends.extend(crew.ended());
        }
        assert_eq!(ends.len(), 1000);
        let places: usize = crew.halls.iter().map(|hall| hall.desk.open().places()).sum();
        assert!((1..=5).contains(&places), "{places} tasks in {threads} threads");
        assert_eq!(crew.halls.iter().map(|hall| hall.under_way).sum::<usize>(), 0);
    }
}

#[tokio::test(start_paused = true)]
async fn a_task_takes_a_job_that_comes_while_it_is_on_its_way_to_rest() {
    for threads in [0, 2] {
        let mut crew = crew(threads, |job: u64| async move { job });
        for job in 0..100 {
            crew.hand(job);
            if job % 3 == 0 {
                crew.begin();
                tokio::task::yield_now().await;
            }
        }
        for _ in 0..100 {
            crew.wait().await;
            assert!(crew.ended().is_some());
        }
        assert_eq!(crew.under_way(), 0);
    }
}

#[tokio::test]
#[should_panic(expected = "the job went wrong")]
async fn a_panic_is_not_lost() {
    let mut crew = crew(0, |(): ()| async { panic!("the job went wrong") });
    crew.hand(());
    let () = crew.wait().await;
    let () = crew.ended().expect("it panics before");
}

#[tokio::test]
#[should_panic(expected = "the job went wrong")]
async fn a_panic_in_a_thread_is_not_lost() {
    let mut crew = crew(2, |(): ()| async { panic!("the job went wrong") });
    crew.hand(());
    let () = crew.wait().await;
    let () = crew.ended().expect("it panics before");
}

#[tokio::test(start_paused = true)]
async fn nothing_goes_on_when_it_is_dropped() {
    for threads in [0, 2] {
        let flag = Arc::new(());
        let mut crew = crew(threads, |held: Arc<()>| async move {
            tokio::time::sleep(Duration::from_secs(60)).await;
            drop(held);
        });
        for _ in 0..3 {
            crew.hand(Arc::clone(&flag));
        }
        crew.begin();
        tokio::task::yield_now().await;
        drop(crew);
        tokio::task::yield_now().await;
        assert_eq!(Arc::strong_count(&flag), 1, "{threads} threads");
    }
}
