//! Which known name did the user mean by an unknown one?

/// The nearest of `known`, if it is near enough to be meant. Case, `_` and `-` for `.` don't count.
pub(super) fn nearest<'k>(name: &str, known: impl Iterator<Item = &'k str>) -> Option<&'k str> {
    const LONGEST: usize = 100;
    if name.chars().count() > LONGEST {
        return None;
    }
    let wanted = plain(name);
    let allowed = (wanted.len() / 3).clamp(1, 8);
    known
        .map(|candidate| (distance(&wanted, &plain(candidate)), candidate))
        .min_by_key(|(distance, candidate)| (*distance, *candidate))
        .filter(|(distance, _)| *distance <= allowed)
        .map(|(_, candidate)| candidate)
}

fn plain(name: &str) -> Vec<char> {
    name.to_lowercase().chars().map(|c| if matches!(c, '_' | '-') { '.' } else { c }).collect()
}

/// Insertions, deletions, substitutions and swaps of neighbours that turn `a` into `b`.
fn distance(a: &[char], b: &[char]) -> usize {
    let first: Vec<usize> = (0..=b.len()).collect();
    let mut before_last = first.clone();
    let mut last = first;
    let mut left_a = None;
    for (i, ca) in a.iter().enumerate() {
        let mut row = vec![i.saturating_add(1)];
        let mut left_b = None;
        for (j, cb) in b.iter().enumerate() {
            let at = |r: &[usize], k: usize| r.get(k).copied().unwrap_or(usize::MAX);
            let mut best = at(&last, j).saturating_add(usize::from(ca != cb));
            best = best.min(at(&last, j.saturating_add(1)).saturating_add(1));
            best = best.min(at(&row, j).saturating_add(1));
            if left_a == Some(cb) && left_b == Some(ca) {
                best = best.min(at(&before_last, j.saturating_sub(1)).saturating_add(1));
            }
            row.push(best);
            left_b = Some(cb);
        }
        before_last = std::mem::replace(&mut last, row);
        left_a = Some(ca);
    }
    last.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn d(a: &str, b: &str) -> usize {
        distance(&a.chars().collect::<Vec<_>>(), &b.chars().collect::<Vec<_>>())
    }

    #[test]
    fn distances() {
        assert_eq!(d("", ""), 0);
        assert_eq!(d("acks", ""), 4);
        assert_eq!(d("", "acks"), 4);
        assert_eq!(d("kitten", "sitting"), 3);
        assert_eq!(d("akcs", "acks"), 1);
        assert_eq!(d("linger", "linger.ms"), 3);
    }

    #[test]
    fn nearest_name() {
        let known = ["acks", "linger.ms", "batch.size", "bootstrap.servers", "group.id"];
        let ask = |name: &str| nearest(name, known.into_iter());
        assert_eq!(ask("akcs"), Some("acks"));
        assert_eq!(ask("bootstrap_server"), Some("bootstrap.servers"));
        assert_eq!(ask("bootstrapServers"), Some("bootstrap.servers"));
        assert_eq!(ask("GROUP-ID"), Some("group.id"));
        assert_eq!(ask("something.else.entirely"), None);
        assert_eq!(ask(&"x".repeat(5000)), None);
        assert_eq!(ask(""), None);
    }
}
