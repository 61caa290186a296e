//! Release order: dependencies first, the same on every machine.

use std::collections::BTreeSet;

use crate::ids::{Id, IdVec};

/// A distribution that has no place in the order yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Node(usize);

impl Id for Node {
    fn from_index(index: usize) -> Self {
        Node(index)
    }

    fn index(self) -> usize {
        self.0
    }
}

/// An edge `(from, to)`: `from` needs `to`, so `to` is released first.
pub(crate) type Edge = (Node, Node);

/// A dependency cycle: every node needs the next one, the last one needs the first.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Cycle(pub Vec<Node>);

/// The release level of each of `count` nodes: 0 needs nothing, every other level lies one above
/// the highest it needs. `hard` edges always count; a `soft` edge (an extra) counts when it
/// closes no cycle with the edges already taken, in the order given.
///
/// # Errors
/// The hard edges close a cycle.
pub(crate) fn levels(
    count: usize,
    hard: &[Edge],
    soft: &[Edge],
) -> Result<IdVec<Node, usize>, Cycle> {
    let mut graph = Graph::new(count, hard);
    let levels = graph.levels();
    if let Some((left, _)) = levels.enumerate().find(|(_, level)| level.is_none()) {
        return Err(graph.cycle_from(left, &levels));
    }
    if soft.is_empty() {
        return Ok(levels.into_iter().flatten().collect());
    }
    // Most repositories have no cycle through extras either: try them all at once first.
    let all: Vec<Edge> = hard.iter().chain(soft).copied().collect();
    let everything = Graph::new(count, &all).levels();
    if everything.iter().all(Option::is_some) {
        return Ok(everything.into_iter().flatten().collect());
    }
    for &(from, to) in soft {
        let is_tangled = everything[from].is_none() && everything[to].is_none();
        if !is_tangled || !graph.reaches(to, from) {
            graph.needs[from].push(to);
        }
    }
    Ok(graph.levels().into_iter().flatten().collect())
}

struct Graph {
    needs: IdVec<Node, Vec<Node>>,
}

impl Graph {
    fn new(count: usize, edges: &[Edge]) -> Graph {
        let mut needs: IdVec<Node, Vec<Node>> = (0..count).map(|_| Vec::new()).collect();
        for &(from, to) in edges {
            needs[from].push(to);
        }
        Graph { needs }
    }

    /// Kahn's algorithm; `None` for nodes in a cycle or behind one.
    fn levels(&self) -> IdVec<Node, Option<usize>> {
        let mut needed_by: IdVec<Node, Vec<Node>> = IdVec::like(&self.needs, Vec::new);
        let mut open: IdVec<Node, usize> = self.needs.iter().map(Vec::len).collect();
        for (from, needs) in self.needs.enumerate() {
            needs.iter().for_each(|&to| needed_by[to].push(from));
        }
        let mut level = IdVec::like(&self.needs, || 0);
        let mut done = IdVec::like(&self.needs, || false);
        let mut ready: Vec<Node> = self.needs.ids().filter(|&node| open[node] == 0).collect();
        while let Some(node) = ready.pop() {
            done[node] = true;
            for &dependent in &needed_by[node] {
                level[dependent] = level[dependent].max(level[node] + 1);
                open[dependent] -= 1;
                if open[dependent] == 0 {
                    ready.push(dependent);
                }
            }
        }
        level.into_iter().zip(done).map(|(level, done)| done.then_some(level)).collect()
    }

    /// A cycle found by walking from a node that has no level: each such node needs another one.
    fn cycle_from(&self, start: Node, levels: &IdVec<Node, Option<usize>>) -> Cycle {
        let mut path = vec![start];
        loop {
            let needs = &self.needs[*path.last().unwrap_or(&start)];
            let Some(&next) = needs.iter().find(|&&to| levels[to].is_none()) else {
                return Cycle(path);
            };
            if let Some(from) = path.iter().position(|&node| node == next) {
                return Cycle(path.split_off(from));
            }
            path.push(next);
        }
    }

    fn reaches(&self, from: Node, goal: Node) -> bool {
        let mut seen = BTreeSet::from([from]);
        let mut open = vec![from];
        while let Some(node) = open.pop() {
            if node == goal {
                return true;
            }
            open.extend(self.needs[node].iter().copied().filter(|&to| seen.insert(to)));
        }
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(count: usize, hard: &[(usize, usize)], soft: &[(usize, usize)], expected: &[usize]) {
        assert_eq!(levels(count, &edges(hard), &edges(soft)).unwrap().as_slice(), expected);
    }

    fn edges(pairs: &[(usize, usize)]) -> Vec<Edge> {
        pairs.iter().map(|&(from, to)| (Node(from), Node(to))).collect()
    }

    #[test]
    fn dependencies_lie_below() {
        check(0, &[], &[], &[]);
        check(3, &[(1, 0), (2, 0), (2, 1)], &[], &[0, 1, 2]);
        check(4, &[(0, 3), (1, 3)], &[], &[1, 1, 0, 0]);
    }

    #[test]
    fn extras_count_only_where_they_close_no_cycle() {
        check(2, &[], &[(0, 1)], &[1, 0]);
        check(2, &[(1, 0)], &[(0, 1)], &[0, 1]);
        check(2, &[], &[(0, 1), (1, 0)], &[1, 0]);
        check(4, &[(1, 0)], &[(0, 1), (3, 2), (2, 1)], &[0, 1, 2, 3]);
    }

    #[test]
    fn a_hard_cycle_is_its_own_path() {
        let cycle =
            |count, hard: &[(usize, usize)]| levels(count, &edges(hard), &[]).unwrap_err().0;
        assert_eq!(cycle(4, &[(0, 1), (1, 2), (2, 1), (3, 0)]), [Node(1), Node(2)]);
        assert_eq!(cycle(1, &[(0, 0)]), [Node(0)]);
    }
}
