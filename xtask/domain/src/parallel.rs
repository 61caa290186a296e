//! Independent work side by side, on scoped threads. What comes out does not depend on how many
//! there are.

use std::panic::resume_unwind;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

/// How many things that compute and wait to do at the same time when nobody says: one for each core,
/// and one for the time that the others wait for a disk or an index.
pub fn jobs() -> usize {
    cores() + 1
}

fn cores() -> usize {
    thread::available_parallelism().map_or(1, usize::from)
}

/// Applies work that takes microseconds, such as reading a file, to every item, on as many cores as
/// it pays for; the results are in the items' order.
pub fn quick<T: Sync, R: Send>(items: &[T], work: impl Fn(&T) -> R + Sync) -> Vec<R> {
    // Below that, starting threads and asking how many cores there are takes longer.
    match items.len() / 32 {
        0 => items.iter().map(work).collect(),
        worthwhile => map(cores().min(worthwhile + 1), items, work),
    }
}

/// The same for work that waits for a disk as long as it computes: four at a time for each core,
/// which is where it stopped to pay.
pub fn waiting<T: Sync, R: Send>(items: &[T], work: impl Fn(&T) -> R + Sync) -> Vec<R> {
    let worthwhile = items.len() / 32 + 1;
    map(worthwhile.min(4 * cores()), items, work)
}

/// Applies `work` to every item, at most `jobs` at a time; the results are in the items' order.
pub fn map<T: Sync, R: Send>(jobs: usize, items: &[T], work: impl Fn(&T) -> R + Sync) -> Vec<R> {
    let jobs = jobs.min(items.len());
    if jobs <= 1 {
        return items.iter().map(work).collect();
    }
    let next = AtomicUsize::new(0);
    let worker = || {
        let mut done = Vec::with_capacity(items.len() / jobs + 1);
        while let Some((at, item)) = {
            let at = next.fetch_add(1, Ordering::Relaxed);
            items.get(at).map(|item| (at, item))
        } {
            done.push((at, work(item)));
        }
        done
    };
    let mut results: Vec<Option<R>> = items.iter().map(|_| None).collect();
    thread::scope(|scope| {
        // This thread is one of them.
        let others: Vec<_> = (1..jobs).map(|_| scope.spawn(worker)).collect();
        let own = worker();
        let others = others.into_iter().map(|other| other.join());
        let others = others.flat_map(|done| done.unwrap_or_else(|panic| resume_unwind(panic)));
        own.into_iter().chain(others).for_each(|(at, result)| results[at] = Some(result));
    });
    results.into_iter().flatten().collect()
}

#[cfg(test)]
mod tests {
    #[test]
    fn results_keep_the_order_of_the_items() {
        let items: Vec<usize> = (0..50).collect();
        assert_eq!(
            super::map(4, &items, |n| n * 2),
            items.iter().map(|n| n * 2).collect::<Vec<_>>()
        );
        assert!(super::map(4, &Vec::<usize>::new(), |n| *n).is_empty());
        assert_eq!(super::quick(&items, |n| *n), items);
        assert_eq!(super::quick(&items[..3], |n| *n), items[..3]);
        assert_eq!(super::waiting(&items, |n| *n), items);
    }
}
