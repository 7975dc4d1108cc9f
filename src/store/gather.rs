//! What many callers ask for at the same moment, done for all of them at once.
//!
//! Callers push what they want and wait. The first one starts a task that works on what is waiting, until nothing is:
//! while one batch is under way, the next gathers. So a busy broker needs a statement for many, an idle one answers at
//! once, and there is no task when nobody asks.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot;

use super::StoreError;

/// Entries of one batch at the most.
const MOST: usize = 500;

/// The answers to a batch, in its order.
pub type Answers<O> = Pin<Box<dyn Future<Output = Result<Vec<O>, StoreError>> + Send>>;

/// Work that is done for many callers at once. Cheap to clone; clones share their batches.
pub struct Gather<I, O>(Arc<Shared<I, O>>);

struct Shared<I, O> {
    work: Box<dyn Fn(Vec<I>) -> Answers<O> + Send + Sync>,
    waiting: Mutex<Waiting<I, O>>,
}

type Done<O> = oneshot::Sender<Result<O, Arc<StoreError>>>;

struct Waiting<I, O> {
    entries: Vec<(I, Done<O>)>,
    /// Whether a task is working.
    is_draining: bool,
}

impl<I, O> Clone for Gather<I, O> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<I, O> fmt::Debug for Gather<I, O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Gather({} waiting)", self.0.lock().entries.len())
    }
}

impl<I: Send + 'static, O: Send + 'static> Gather<I, O> {
    /// `work` answers a batch: one answer an entry, in the order of the entries.
    pub fn new(work: impl Fn(Vec<I>) -> Answers<O> + Send + Sync + 'static) -> Self {
        let waiting = Waiting { entries: Vec::new(), is_draining: false };
        Self(Arc::new(Shared { work: Box::new(work), waiting: Mutex::new(waiting) }))
    }

    /// Asks, and waits for the answer. What was asked is done too when the caller stops waiting.
    ///
    /// # Errors
    /// When the work failed for the batch.
    pub async fn ask(&self, entry: I) -> Result<O, StoreError> {
        let (done, wait) = oneshot::channel();
        let was_draining = {
            let mut waiting = self.0.lock();
            waiting.entries.push((entry, done));
            std::mem::replace(&mut waiting.is_draining, true)
        };
        if !was_draining {
            tokio::spawn(drain(Draining(self.0.clone())));
        }
        match wait.await {
            Ok(answer) => answer.map_err(StoreError::Shared),
            Err(_) => Err(StoreError::Interrupted),
        }
    }
}

impl<I, O> Shared<I, O> {
    fn lock(&self) -> MutexGuard<'_, Waiting<I, O>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The next batch; none ends the task, in the same moment in which the next caller may start another.
    fn next(&self) -> Option<Vec<(I, Done<O>)>> {
        let mut waiting = self.lock();
        if waiting.entries.is_empty() {
            waiting.is_draining = false;
            return None;
        }
        let count = waiting.entries.len().min(MOST);
        let rest = waiting.entries.split_off(count);
        Some(std::mem::replace(&mut waiting.entries, rest))
    }
}

/// The right to work. Lost by a panic or the end of the runtime, it lets the next caller start anew, and who waited
/// learns that nothing was done.
struct Draining<I, O>(Arc<Shared<I, O>>);

impl<I, O> Drop for Draining<I, O> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let mut waiting = self.0.lock();
            waiting.entries.clear();
            waiting.is_draining = false;
        }
    }
}

async fn drain<I: Send + 'static, O: Send + 'static>(draining: Draining<I, O>) {
    let shared = &draining.0;
    loop {
        // Who is about to ask gets a turn first: fuller batches, fewer statements.
        tokio::task::yield_now().await;
        let Some(batch) = shared.next() else { return };
        let (entries, waiters): (Vec<I>, Vec<Done<O>>) = batch.into_iter().unzip();
        // Who no longer waits has gone away; the work is done all the same.
        match (shared.work)(entries).await {
            Ok(answers) => waiters.into_iter().zip(answers).for_each(|(waiter, answer)| drop(waiter.send(Ok(answer)))),
            Err(error) => {
                let error = Arc::new(error);
                for waiter in waiters {
                    drop(waiter.send(Err(error.clone())));
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::Gather;
    use crate::store::StoreError;

    /// A gatherer of numbers that doubles them, counts its batches, and fails for a batch that holds 13.
    fn doubling() -> (Gather<u32, u32>, Arc<AtomicUsize>) {
        let batches = Arc::new(AtomicUsize::new(0));
        let counted = batches.clone();
        let gather = Gather::new(move |entries: Vec<u32>| {
            counted.fetch_add(1, Ordering::SeqCst);
            Box::pin(async move {
                tokio::task::yield_now().await;
                assert!(!entries.contains(&99), "no batch holds 99");
                if entries.contains(&13) {
                    Err(StoreError::Interrupted)
                } else {
                    Ok(entries.iter().map(|n| n * 2).collect())
                }
            })
        });
        (gather, batches)
    }

    #[tokio::test]
    async fn each_caller_has_the_answer_to_its_own_question() {
        let (gather, batches) = doubling();
        let asking = (0..1_000u32).filter(|n| *n != 13 && *n != 99).map(|number| {
            let gather = gather.clone();
            tokio::spawn(async move { (number, gather.ask(number).await.unwrap()) })
        });
        for asked in asking.collect::<Vec<_>>() {
            let (number, answer) = asked.await.unwrap();
            assert_eq!(answer, number * 2);
        }
        let batches = batches.load(Ordering::SeqCst);
        assert!((2..100).contains(&batches), "{batches} batches");
    }

    #[tokio::test]
    async fn a_failure_and_a_panic_end_their_batch_only() {
        let (gather, _) = doubling();
        assert!(matches!(gather.ask(13).await, Err(StoreError::Shared(_))));
        assert_eq!(gather.ask(1).await.unwrap(), 2);
        assert!(matches!(gather.ask(99).await, Err(StoreError::Interrupted)));
        assert_eq!(gather.ask(2).await.unwrap(), 4);
    }
}
