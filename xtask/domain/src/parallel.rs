//! Independent work side by side, on scoped threads. What comes out does not depend on how many
//! there are.

use std::cmp::Ordering;
use std::panic::resume_unwind;
use std::sync::OnceLock;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering::Relaxed;
use std::thread;

/// How many items of quick work are worth a thread, and are taken at a time.
const BLOCK: usize = 32;

/// How many things that compute and wait to do at the same time when nobody says: one for each core,
/// and one for the time that the others wait for a disk or an index.
pub fn jobs() -> usize {
    cores() + 1
}

fn cores() -> usize {
    // Finding out takes longer than starting a thread: it reads what containers may use.
    static CORES: OnceLock<usize> = OnceLock::new();
    *CORES.get_or_init(|| thread::available_parallelism().map_or(1, usize::from))
}

/// Applies work that takes microseconds, such as reading a file, to every item, on as many cores as
/// it pays for; the results are in the items' order.
pub fn quick<T: Sync, R: Send>(items: &[T], work: impl Fn(&T) -> R + Sync) -> Vec<R> {
    // Below that, starting a thread takes longer.
    match items.len() / BLOCK {
        0 => items.iter().map(work).collect(),
        worthwhile => blocks(cores().min(worthwhile + 1), BLOCK, items, work),
    }
}

/// The same for work that waits for a disk as long as it computes: four at a time for each core,
/// which is where it stopped to pay.
pub fn waiting<T: Sync, R: Send>(items: &[T], work: impl Fn(&T) -> R + Sync) -> Vec<R> {
    let worthwhile = items.len() / BLOCK + 1;
    map(worthwhile.min(4 * cores()), items, work)
}

/// Applies `work` to every item, at most `jobs` at a time; the results are in the items' order.
pub fn map<T: Sync, R: Send>(jobs: usize, items: &[T], work: impl Fn(&T) -> R + Sync) -> Vec<R> {
    blocks(jobs, 1, items, work)
}

/// `map` by blocks of `size` items: one result is moved for each of them, not for each item.
fn blocks<T: Sync, R: Send>(
    jobs: usize,
    size: usize,
    items: &[T],
    work: impl Fn(&T) -> R + Sync,
) -> Vec<R> {
    let blocks: Vec<&[T]> = items.chunks(size).collect();
    let jobs = jobs.min(blocks.len());
    if jobs <= 1 {
        return items.iter().map(work).collect();
    }
    let next = AtomicUsize::new(0);
    let worker = || {
        let mut done = Vec::with_capacity(blocks.len() / jobs + 1);
        while let Some((at, block)) = {
            let at = next.fetch_add(1, Relaxed);
            blocks.get(at).map(|block| (at, block))
        } {
            done.push((at, block.iter().map(&work).collect::<Vec<R>>()));
        }
        done
    };
    let mut done = thread::scope(|scope| {
        // This thread is one of them.
        let others: Vec<_> = (1..jobs).map(|_| scope.spawn(worker)).collect();
        let mut done = worker();
        for other in others {
            done.extend(other.join().unwrap_or_else(|panic| resume_unwind(panic)));
        }
        done
    });
    done.sort_unstable_by_key(|(at, _)| *at);
    let mut results = Vec::with_capacity(items.len());
    done.into_iter().for_each(|(_, block)| results.extend(block));
    results
}

/// Sorts, keeping the order of what is equal, on two cores where it pays for.
pub fn sort<T: Send>(items: &mut [T], compare: impl Fn(&T, &T) -> Ordering + Sync) {
    if items.len() > 32 * BLOCK && cores() > 1 {
        let (left, right) = items.split_at_mut(items.len() / 2);
        thread::scope(|scope| {
            scope.spawn(|| left.sort_by(&compare));
            right.sort_by(&compare);
        });
    }
    // Of two halves that are sorted, it merges them.
    items.sort_by(compare);
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
        let many: Vec<usize> = (0..10_000).collect();
        assert_eq!(super::quick(&many, |n| *n), many);
    }

    #[test]
    fn what_is_equal_keeps_its_order_when_it_is_sorted() {
        for count in [0, 1, 7, 5_000, 5_001] {
            let mut items: Vec<(usize, usize)> = (0..count).map(|n| (n * 7919 % 13, n)).collect();
            let mut expected = items.clone();
            expected.sort_by_key(|(key, _)| *key);
            super::sort(&mut items, |a, b| a.0.cmp(&b.0));
            assert_eq!(items, expected);
        }
    }
}
