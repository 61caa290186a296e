//! Independent work on scoped threads. The results do not depend on how many there are.

use std::panic::resume_unwind;
use std::sync::OnceLock;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering::Relaxed;
use std::thread;

/// Below this many items of quick work for each thread, starting a thread takes longer.
const WORTHWHILE: usize = 32;

/// How many jobs that compute and wait run at the same time by default: one for each core, and one
/// for the time that the others wait for a disk or an index.
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
    let threads = cores().min(items.len() / WORTHWHILE + 1);
    let parts: Vec<&[T]> = items.chunks(items.len().div_ceil(threads).max(1)).collect();
    let done = map(threads, &parts, |part| part.iter().map(&work).collect::<Vec<R>>());
    done.into_iter().flatten().collect()
}

/// The same for work that waits for a disk as long as it computes: four threads for each core, more
/// of which gained nothing when it was measured.
pub fn waiting<T: Sync, R: Send>(items: &[T], work: impl Fn(&T) -> R + Sync) -> Vec<R> {
    map((4 * cores()).min(items.len() / WORTHWHILE + 1), items, work)
}

/// Applies `work` to every item, at most `jobs` at a time; the results are in the items' order.
pub fn map<T: Sync, R: Send>(jobs: usize, items: &[T], work: impl Fn(&T) -> R + Sync) -> Vec<R> {
    let jobs = jobs.min(items.len());
    if jobs <= 1 {
        return items.iter().map(work).collect();
    }
    let next = AtomicUsize::new(0);
    let worker = || {
        let mut done = Vec::new();
        loop {
            let index = next.fetch_add(1, Relaxed);
            let Some(item) = items.get(index) else { return done };
            done.push((index, work(item)));
        }
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
    done.sort_unstable_by_key(|(index, _)| *index);
    done.into_iter().map(|(_, result)| result).collect()
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
        assert!(super::quick(&Vec::<usize>::new(), |n| *n).is_empty());
        assert_eq!(super::quick(&items, |n| *n), items);
        assert_eq!(super::quick(&items[..3], |n| *n), items[..3]);
        assert_eq!(super::waiting(&items, |n| *n), items);
        let many: Vec<usize> = (0..10_001).collect();
        assert_eq!(super::quick(&many, |n| *n), many);
    }
}
