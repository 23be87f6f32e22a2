//! JUnit XML for readers that validate: what both published schemas allow, Jenkins' `junit-10.xsd` and the older one of Ant's
//! reports, and nothing else. The common dialect is the runner's own.

use lab_protocol::Verdict;
use lab_runner::report::Check;
use quick_xml::Writer;
use quick_xml::events::{BytesDecl, BytesText, Event};

use super::Named;
use crate::ResultsError;
use crate::words;

type Xml = Writer<Vec<u8>>;

/// The result: one suite, one case for each check, and one for what kept the whole from being graded.
pub(super) fn write(of: Named<'_>) -> Result<String, ResultsError> {
    let mut xml = Writer::new_with_indent(Vec::new(), b' ', 2);
    document(&mut xml, of).map_err(|error| ResultsError::Write(error.to_string()))?;
    let mut text = String::from_utf8(xml.into_inner()).map_err(|error| ResultsError::Write(error.to_string()))?;
    text.push('\n');
    Ok(text)
}

fn document(xml: &mut Xml, of: Named<'_>) -> std::io::Result<()> {
    let report = of.report;
    let count = |verdicts: &[Verdict]| report.checks.iter().filter(|check| verdicts.contains(&check.verdict)).count();
    let whole = usize::from(report.diagnostics.is_some());
    let (fails, errs) = if report.has_score() { (whole, 0) } else { (0, whole) };
    let numbers = [
        ("tests", report.checks.len() + whole),
        ("failures", count(&[Verdict::Failed, Verdict::TimedOut]) + fails),
        ("errors", count(&[Verdict::Error]) + errs),
    ];
    let numbers: Vec<(&str, String)> = numbers.into_iter().map(|(name, number)| (name, number.to_string())).collect();
    let numbers = numbers.iter().map(|(name, number)| (*name, number.as_str()));
    let time = seconds(report.duration_ms);
    // Without a zone, as Ant writes it.
    let when = report.started_at.format("%Y-%m-%dT%H:%M:%S").to_string();
    xml.write_event(Event::Decl(BytesDecl::new("1.0", Some("UTF-8"), None)))?;
    xml.create_element("testsuites").write_inner_content(|xml| {
        let suite = xml.create_element("testsuite").with_attributes(numbers).with_attributes([
            ("name", report.lab.as_str()),
            ("id", "0"),
            ("package", "backend-labs"),
            ("hostname", "localhost"),
            ("timestamp", &when),
            ("time", &time),
        ]);
        suite.write_inner_content(|xml| {
            properties(xml, of)?;
            report.checks.iter().try_for_each(|check| case(xml, &report.lab, check))?;
            if report.diagnostics.is_some() {
                let kind = if report.has_score() { "failure" } else { "error" };
                let word = words::outcome(report);
                test_case(xml, [("name", word), ("classname", &report.lab), ("time", &time)], |xml| {
                    problem(xml, kind, word, &words::line(report), &words::obstacle(report))
                })?;
            }
            xml.create_element("system-out").write_empty()?;
            xml.create_element("system-err").write_empty()?;
            Ok(())
        })?;
        Ok(())
    })?;
    Ok(())
}

fn properties(xml: &mut Xml, of: Named<'_>) -> std::io::Result<()> {
    let report = of.report;
    let seed = report.seed.to_string();
    let score = report.score.to_string();
    let max = report.possible_points().to_string();
    let points = [("score", score.as_str()), ("max_score", max.as_str())].into_iter().filter(|_| report.has_score());
    let all = [("schema", report.schema.as_str()), ("submission", of.name), ("seed", &seed)].into_iter().chain(points);
    xml.create_element("properties").write_inner_content(|xml| {
        for (name, value) in all {
            xml.create_element("property").with_attributes([("name", name), ("value", value)]).write_empty()?;
        }
        Ok(())
    })?;
    Ok(())
}

fn case(xml: &mut Xml, lab: &str, check: &Check) -> std::io::Result<()> {
    let (class, time) = (format!("{lab}.task-{}", check.task), seconds(check.duration_ms));
    let attributes = [("name", check.id.as_str()), ("classname", &class), ("time", &time)];
    let why = words::explanation(check);
    test_case(xml, attributes, |xml| match check.verdict {
        Verdict::Passed => Ok(()),
        Verdict::Skipped => xml.create_element("skipped").write_empty().map(|_| ()),
        Verdict::Error => problem(xml, "error", words::verdict(check), &check.title, &why),
        Verdict::Failed | Verdict::TimedOut => problem(xml, "failure", words::verdict(check), &check.title, &why),
    })
}

fn test_case(
    xml: &mut Xml,
    attributes: [(&str, &str); 3],
    inside: impl FnOnce(&mut Xml) -> std::io::Result<()>,
) -> std::io::Result<()> {
    xml.create_element("testcase").with_attributes(attributes).write_inner_content(inside)?;
    Ok(())
}

fn problem(xml: &mut Xml, element: &str, kind: &str, message: &str, text: &str) -> std::io::Result<()> {
    let attributes = [("type", kind), ("message", message)];
    xml.create_element(element).with_attributes(attributes).write_text_content(BytesText::new(text))?;
    Ok(())
}

/// With three decimals and without a sign, as the schema's pattern has it.
fn seconds(ms: u64) -> String {
    format!("{}.{:03}", ms / 1000, ms % 1000)
}
