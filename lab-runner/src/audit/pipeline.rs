//! Works on a few things at once and hands them out in order: one is built while another is graded.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::pin::Pin;
use std::task::Poll;

/// Runs the futures of `work`, `depth` at a time, and calls `done` with each result in turn.
///
/// # Errors
/// The first that `done` gives; the others are dropped.
pub(super) async fn pipeline<T, E>(
    work: impl IntoIterator<Item = impl Future<Output = T>>,
    depth: usize,
    mut done: impl FnMut(T) -> Result<(), E>,
) -> Result<(), E> {
    let mut work = work.into_iter();
    // The first in the row: its result waits for nobody's.
    let mut row: VecDeque<(Pin<Box<_>>, Option<T>)> = VecDeque::new();
    loop {
        while row.len() < depth
            && let Some(next) = work.next()
        {
            row.push_back((Box::pin(next), None));
        }
        if row.is_empty() {
            return Ok(());
        }
        let first = poll_fn(|context| {
            for (future, result) in &mut row {
                if result.is_none()
                    && let Poll::Ready(value) = future.as_mut().poll(context)
                {
                    *result = Some(value);
                }
            }
            row.front_mut().and_then(|(_, result)| result.take()).map_or(Poll::Pending, Poll::Ready)
        })
        .await;
        row.pop_front();
        done(first)?;
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::pipeline;

    #[tokio::test]
    async fn results_come_in_order_and_no_more_than_the_depth_is_begun() {
        let (running, most) = (Cell::new(0), Cell::new(0));
        let (running, most) = (&running, &most);
        let work = (0..6_u64).map(|number| async move {
            running.set(running.get() + 1);
            most.set(most.get().max(running.get()));
            // The later ones are quicker.
            for _ in 0..(10 - number) {
                tokio::task::yield_now().await;
            }
            running.set(running.get() - 1);
            number
        });
        let mut seen = Vec::new();
        pipeline(work, 3, |number| {
            seen.push(number);
            Ok::<_, ()>(())
        })
        .await
        .unwrap();
        assert_eq!(seen, [0, 1, 2, 3, 4, 5]);
        assert_eq!(most.get(), 3);
    }
}
