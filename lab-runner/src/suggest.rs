//! The nearest name to one that does not exist.

/// How alike two names must be (Jaro–Winkler, 0 to 1) before one is suggested for the other.
const ALIKE: f64 = 0.75;

/// The name among `known` that is most like `unknown`, if any is like it at all.
///
/// ```
/// use lab_runner::suggest::nearest;
///
/// assert_eq!(nearest("editabel", ["editable", "services"]), Some("editable"));
/// assert_eq!(nearest("xyz", ["editable", "services"]), None);
/// ```
pub fn nearest<'a>(unknown: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let unknown = unknown.to_lowercase();
    known
        .into_iter()
        .map(|name| (strsim::jaro_winkler(&unknown, &name.to_lowercase()), name))
        .filter(|(likeness, _)| *likeness >= ALIKE)
        .max_by(|(one, _), (other, _)| one.total_cmp(other))
        .map(|(_, name)| name)
}

/// The line `did you mean …?` for [`nearest`].
pub fn did_you_mean<'a>(unknown: &str, known: impl IntoIterator<Item = &'a str>) -> Option<String> {
    nearest(unknown, known).map(|name| format!("did you mean `{name}`?"))
}
