//! Futures that are dropped midway, as `timeout` and `select!` drop them.

use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;

/// When a future is dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Cut {
    /// At its n-th poll, polled only when it asks for it: between two of its own steps.
    Poll(u32),
    /// After n turns of the scheduler, polled at each: also in the midst of what others do for it.
    Turns(u32),
}

impl Cut {
    /// Drops `future` there. `None` when it was not ready by that time.
    pub async fn apply<T>(self, future: impl Future<Output = T>) -> Option<T> {
        let (Self::Poll(mut left) | Self::Turns(mut left)) = self;
        let mut future = pin!(future);
        poll_fn(|context| {
            if left == 0 {
                return Poll::Ready(None);
            }
            left -= 1;
            match future.as_mut().poll(context) {
                Poll::Ready(value) => Poll::Ready(Some(value)),
                Poll::Pending if left == 0 => Poll::Ready(None),
                Poll::Pending => {
                    if matches!(self, Self::Turns(_)) {
                        context.waker().wake_by_ref();
                    }
                    Poll::Pending
                }
            }
        })
        .await
    }

    /// Tries `call` with later and later cuts: at each poll, then after twice as many turns each
    /// time. `call` says whether its future was ready before the cut, which ends either series.
    pub async fn at_each(mut call: impl AsyncFnMut(Self) -> bool) {
        for polls in 1..=64 {
            if call(Self::Poll(polls)).await {
                break;
            }
        }
        for doublings in 0..=16 {
            if call(Self::Turns(1 << doublings)).await {
                break;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn three_polls() -> u8 {
        tokio::task::yield_now().await;
        tokio::task::yield_now().await;
        7
    }

    #[tokio::test]
    async fn it_drops_at_the_poll_named() {
        assert_eq!(Cut::Poll(0).apply(async {}).await, None);
        assert_eq!(Cut::Poll(2).apply(three_polls()).await, None);
        assert_eq!(Cut::Poll(3).apply(three_polls()).await, Some(7));
    }

    #[tokio::test]
    async fn turns_do_not_wait_to_be_asked() {
        assert_eq!(Cut::Turns(9).apply(std::future::pending::<()>()).await, None);
    }

    #[tokio::test]
    async fn each_series_ends_when_the_future_was_ready() {
        let mut cuts = Vec::new();
        Cut::at_each(async |cut| {
            cuts.push(cut);
            cut.apply(three_polls()).await.is_some()
        })
        .await;
        let polls = [Cut::Poll(1), Cut::Poll(2), Cut::Poll(3)];
        assert_eq!(cuts, [&polls[..], &[Cut::Turns(1), Cut::Turns(2), Cut::Turns(4)]].concat());
    }
}
