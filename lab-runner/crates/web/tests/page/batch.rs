//! The page of a batch, and those that it leads to.

use serde_json::json;

use crate::sample;

#[test]
fn the_page_of_a_batch_leads_to_each_result_and_no_name_is_markup() {
    let keep = tempfile::tempdir().unwrap();
    let ada = keep.path().join("submissions/ada");
    std::fs::create_dir_all(&ada).unwrap();
    std::fs::write(ada.join("result.json"), sample::hostile().to_string()).unwrap();
    let submission = |name: &str, folder: &str, outcome: serde_json::Value, score: Option<u32>| {
        json!({"name": name, "folder": folder, "outcome": outcome, "score": score, "max_score": score.map(|_| 100),
            "message": "<script>alert(1)</script>", "sha256": null, "standing": {"how": "graded"}, "duration_ms": 1, "failed": []})
    };
    let grades = json!({
        "schema": "backend-labs/grades/v1", "lab": "tiny-1", "title": "Greeter", "runner_version": "0.1.0", "suite_sha256": "11",
        "seed": 7, "isolation": "bubblewrap", "duration_ms": 1, "checks": [{"id": "echoes", "title": "it echoes", "failed": 1}],
        "submissions": [submission("<b>ada\u{202e}", "ada", json!("graded"), Some(60)), submission("bob", "bob", json!(null), None)],
    });
    std::fs::write(keep.path().join("grades.json"), grades.to_string()).unwrap();
    lab_web::batch::write(keep.path().try_into().unwrap()).unwrap();
    let page = std::fs::read_to_string(keep.path().join("index.html")).unwrap();
    assert!(page.contains("href=\"submissions/ada/report.html\"") && page.contains("60/100"), "{page}");
    assert!(page.contains("2 submissions, 1 without a grade") && page.contains("cannot be read"), "{page}");
    assert!(!page.contains("<b>") && !page.contains("<script>") && !page.contains('\u{202e}'), "{page}");
    assert!(ada.join("report.html").is_file());
    assert!(!page.contains("submissions/bob/report.html"), "{page}");
}
