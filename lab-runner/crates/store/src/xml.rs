//! The answers of S3, which are XML: the texts of named elements in elements of one name.

use lab_check::{CheckResult, Failure};
use quick_xml::Reader;
use quick_xml::events::Event;

/// An element with the texts of its children, by their names.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(super) struct Element(Vec<(String, String)>);

impl Element {
    /// The text of the child `name`, or none.
    pub fn text(&self, name: &str) -> &str {
        self.0.iter().find(|(known, _)| known == name).map_or("", |(_, text)| text)
    }
}

/// Every element called `name` in `text`, wherever it is.
pub(super) fn elements(text: &str, name: &str) -> CheckResult<Vec<Element>> {
    let mut reader = Reader::from_str(text);
    let (mut found, mut open, mut path): (Vec<Element>, Option<usize>, Vec<String>) = (Vec::new(), None, Vec::new());
    loop {
        match reader.read_event() {
            Ok(Event::Start(start)) => {
                path.push(String::from_utf8_lossy(start.local_name().as_ref()).into_owned());
                if open.is_none() && path.last().is_some_and(|last| last == name) {
                    open = Some(path.len());
                    found.push(Element::default());
                } else if open.is_some_and(|depth| path.len() == depth + 1) {
                    let child = path.last().cloned().unwrap_or_default();
                    if let Some(element) = found.last_mut() {
                        element.0.push((child, String::new()));
                    }
                }
            }
            Ok(Event::Text(text)) => add(&mut found, open, &path, &String::from_utf8_lossy(&text)),
            Ok(Event::GeneralRef(reference)) => {
                let name = String::from_utf8_lossy(&reference).into_owned();
                let resolved = match reference.resolve_char_ref() {
                    Ok(Some(character)) => character.to_string(),
                    _ => quick_xml::escape::resolve_predefined_entity(&name).unwrap_or_default().to_owned(),
                };
                add(&mut found, open, &path, &resolved);
            }
            Ok(Event::End(_)) => {
                if open == Some(path.len()) {
                    open = None;
                }
                path.pop();
            }
            Ok(Event::Eof) => return Ok(found),
            Ok(_) => {}
            Err(error) => return Err(Failure::ours("reading an answer of the object store", &error)),
        }
    }
}

/// Adds to the text of the child that is open.
fn add(found: &mut [Element], open: Option<usize>, path: &[String], text: &str) {
    if open.is_some_and(|depth| path.len() == depth + 1)
        && let Some((_, held)) = found.last_mut().and_then(|element| element.0.last_mut())
    {
        held.push_str(text);
    }
}

/// The text of the first element called `name`.
pub(super) fn text(answer: &str, name: &str) -> CheckResult<String> {
    let mut reader = Reader::from_str(answer);
    let (mut inside, mut found) = (false, String::new());
    loop {
        match reader.read_event() {
            Ok(Event::Start(start)) => inside = start.local_name().as_ref() == name.as_bytes(),
            Ok(Event::Text(text)) if inside => found.push_str(&String::from_utf8_lossy(&text)),
            Ok(Event::End(_)) if inside => return Ok(found),
            Ok(Event::Eof) => return Err(Failure::Ours(format!("the object store's answer has no {name}: {answer}"))),
            Ok(_) => {}
            Err(error) => return Err(Failure::ours("reading an answer of the object store", &error)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIST: &str = "<?xml version=\"1.0\"?><ListBucketResult xmlns=\"x\"><Name>b</Name>\
        <Contents><Key>a &amp; b/&#233;</Key><Size>5</Size><Owner><ID>1</ID></Owner></Contents>\
        <Contents><Key>c</Key><ETag>&quot;e&quot;</ETag></Contents></ListBucketResult>";

    #[test]
    fn elements_are_found_with_the_texts_of_their_children() {
        let found = elements(LIST, "Contents").unwrap();
        assert_eq!(found.len(), 2);
        assert_eq!((found[0].text("Key"), found[0].text("Size"), found[0].text("ID")), ("a & b/é", "5", ""));
        assert_eq!((found[1].text("ETag"), found[1].text("Size")), ("\"e\"", ""));
        assert_eq!(elements(LIST, "Upload").unwrap(), []);
    }

    #[test]
    fn the_first_text_of_a_name_is_found_or_missed() {
        assert_eq!(text(LIST, "Name").unwrap(), "b");
        assert!(text(LIST, "UploadId").is_err());
    }
}
