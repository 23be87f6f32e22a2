//! Which files a `.dockerignore` keeps out of the context (Dockerfile reference; Go's `filepath.Match`, and `**`).

/// Whether `path` is left out: the last line that fits it, or a folder above it, decides.
pub fn leaves_out(ignore: &str, path: &str) -> bool {
    let mut left_out = false;
    for line in ignore.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')) {
        let (pattern, leaves) = match line.strip_prefix('!') {
            Some(exception) => (exception.trim(), false),
            None => (line, true),
        };
        let pattern = pattern.trim_start_matches("./").trim_matches('/');
        let parts: Vec<&str> = path.split('/').collect();
        if (1..=parts.len()).any(|depth| fits(&pattern.split('/').collect::<Vec<_>>(), &parts[..depth])) {
            left_out = leaves;
        }
    }
    left_out
}

fn fits(pattern: &[&str], path: &[&str]) -> bool {
    match (pattern.split_first(), path.split_first()) {
        (None, None) => true,
        (Some((&"**", rest)), _) => (0..=path.len()).any(|skip| fits(rest, &path[skip..])),
        (Some((first, rest)), Some((name, below))) => {
            let (first, name): (Vec<char>, Vec<char>) = (first.chars().collect(), name.chars().collect());
            fits_name(&first, &name) && fits(rest, below)
        }
        _ => false,
    }
}

fn fits_name(pattern: &[char], name: &[char]) -> bool {
    match (pattern.first(), name.first()) {
        (None, None) => true,
        (Some('*'), _) => (0..=name.len()).any(|skip| fits_name(&pattern[1..], &name[skip..])),
        (Some('?'), Some(_)) => fits_name(&pattern[1..], &name[1..]),
        (Some('['), Some(character)) => {
            let Some(end) = pattern.iter().skip(1).position(|c| *c == ']') else { return false };
            let class = &pattern[1..=end];
            let (negated, class) = class.strip_prefix(&['^']).map_or((false, class), |rest| (true, rest));
            let mut at = 0;
            let mut within = false;
            while at < class.len() {
                let range = at + 2 < class.len() && class[at + 1] == '-';
                within |= if range { (class[at]..=class[at + 2]).contains(character) } else { class[at] == *character };
                at += if range { 3 } else { 1 };
            }
            within != negated && fits_name(&pattern[end + 2..], &name[1..])
        }
        (Some('\\'), Some(character)) => pattern.get(1) == Some(character) && fits_name(&pattern[2..], &name[1..]),
        (Some(wanted), Some(character)) => wanted == character && fits_name(&pattern[1..], &name[1..]),
        (_, None) | (None, _) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::leaves_out;

    #[test]
    fn patterns_fit_as_docker_says() {
        for (ignore, path) in [
            ("target", "target/debug/app"),
            ("/target/", "target/x"),
            ("**/target", "labs/a/target/x"),
            ("**/target", "target/x"),
            (".*", ".git/config"),
            ("*\n!src", "target/x"),
            ("tar[a-z]et", "target/x"),
            ("t?rget/**", "target/debug/x"),
            ("# a comment\n\n.env*", ".env"),
        ] {
            assert!(leaves_out(ignore, path), "{ignore:?} {path}");
        }
        for (ignore, path) in [
            ("", "target/x"),
            ("target\n!target/x", "target/x"),
            ("labs/target", "target/x"),
            ("*/target", "target/x"),
            ("#target", "target"),
        ] {
            assert!(!leaves_out(ignore, path), "{ignore:?} {path}");
        }
    }
}
