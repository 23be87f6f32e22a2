"""Reads the documents that lab-results writes with programs of others: a schema, and parsers of readers.

The folder that is named holds one folder for each outcome of a submission, as the tests `formats` of lab-results write them.
"""

import json
import pathlib
import sys

import junitparser
import lxml.etree
import otr_ctrf_bridge.ctrf
from pylti1p3.grade import Grade

LTI = {
    "scoreGiven": Grade.set_score_given,
    "scoreMaximum": Grade.set_score_maximum,
    "activityProgress": Grade.set_activity_progress,
    "gradingProgress": Grade.set_grading_progress,
    "timestamp": Grade.set_timestamp,
    "userId": Grade.set_user_id,
    "comment": Grade.set_comment,
}


def read_junit(path):
    """What junitparser counts, and what the document says of itself."""
    suites = [suite for suite in junitparser.JUnitXml.fromfile(str(path))]
    assert len(suites) == 1, path
    cases = [case for case in suites[0]]
    failed = [case for case in cases if any(isinstance(one, junitparser.Failure) for one in case.result)]
    assert (suites[0].tests, suites[0].failures) == (len(cases), len(failed)), path
    return sorted(case.name for case in cases)


def read_lti(score):
    """The score as the library posts it: every member is known to it, and none is changed."""
    grade = Grade()
    for name, value in score.items():
        LTI[name](grade, value)
    assert json.loads(grade.get_value()) == score, score


def main():
    root, schema = pathlib.Path(sys.argv[1]), lxml.etree.XMLSchema(file=sys.argv[2])
    outcomes = sorted(path for path in root.iterdir() if path.is_dir())
    assert len(outcomes) >= 5, outcomes
    for place in outcomes:
        schema.assertValid(lxml.etree.parse(str(place / "junit-strict.xml")))
        strict, common = read_junit(place / "junit-strict.xml"), read_junit(place / "junit.xml")
        # The two dialects name what kept the whole from being graded differently.
        assert len(strict) == len(common), place
        ctrf = json.loads((place / "ctrf.json").read_text())
        tests = otr_ctrf_bridge.ctrf.parse_ctrf(ctrf)
        assert len(tests) == len(strict) and all(test.name and test.suite for test in tests), place
        read_lti(json.loads((place / "lti.json").read_text()))
        print(f"{place.name}: {len(tests)} tests")


main()
