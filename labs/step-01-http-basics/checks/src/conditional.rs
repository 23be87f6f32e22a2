//! Task 7: entity tags, and requests that depend on them.

use lab_kit::prelude::*;

use crate::support::{Site, random_bytes};

/// A file need not be sent again to a client that already has it (RFC 9110 §13.1.2, §15.4.5).
#[check(title = "If-None-Match with the file's ETag gets 304", task = 7, points = 1, needs = ["file_read"],
        hints = ["An ETag names one version of a file's content, in double quotes. The length and the time of the last change may be enough.",
                 "If-None-Match is a list of such tags, or `*`. If it includes the file's tag, send 304, with the ETag again.",
                 "A 304 response has no body."])]
async fn not_modified(lab: &Lab) -> CheckResult {
    let site = Site::start(lab).await?;
    let (name, content) = (lab.word(), random_bytes(lab, 300));
    site.write(&name, &content)?;
    let path = format!("/files/{name}");
    // never fails alone: `file_read` asks the same of the status
    let answer = site.app.get(&path).await?.expect_status(200)?.expect_header_where("etag", ETAG, is_etag)?;
    let tag = opaque(answer.header("etag").unwrap_or_default()).to_owned();
    let other = lab.word();
    let mut connection = site.app.connect().await?;
    for known in [tag.clone(), format!("W/{tag}"), format!("\"{other}\", {tag}"), "*".to_owned()] {
        let answer = site.app.get(&path).header("If-None-Match", known).over(&mut connection).await?;
        answer
            .expect_status(304)?
            .expect_header_where("etag", "is the tag of the file", |found| opaque(found) == tag)?;
    }
    // The second has the file's tag in it, and is another tag all the same.
    for unknown in [format!("\"{other}\""), format!("\"{}{other}\"", tag.trim_matches('"'))] {
        let answer = site.app.get(&path).header("If-None-Match", unknown).over(&mut connection).await?;
        answer.expect_status(200)?.expect_body(&content)?;
    }
    Ok(())
}

/// Different content has a different tag: an old tag must not hide the new content (RFC 9110 §8.8.3).
#[check(title = "a new content has a new ETag", task = 7, points = 1, needs = ["not_modified", "file_replaced"],
        hints = ["What is the tag made of, and does it change with the content?"])]
async fn etag_changes(lab: &Lab) -> CheckResult {
    let site = Site::start(lab).await?;
    let path = format!("/files/{}", lab.word());
    // never fails alone: `file_created` asks the same
    site.app.put(&path).raw_body(lab.word()).await?.expect_status(201)?;
    // never fails alone: `file_read` asks the same
    let mut tag = site.app.get(&path).await?.expect_status(200)?.header("etag").unwrap_or_default().to_owned();
    let longer = format!("{} {}", lab.word(), lab.word());
    let as_long = format!("{} {}", lab.word(), lab.word());
    // A file system's clock may not tell two quick writes apart. Each is dated on by another time: by the same, the
    // second would be as old as the first again.
    for (content, after, seconds) in
        [(longer, "the new content is longer", 10), (as_long, "the new content is as long as the old", 20)]
    {
        // never fails alone: `file_replaced` asks the same
        site.app.put(&path).raw_body(&content).await?.expect_status_in(&[200, 204])?;
        let clock_set = site.made_later(&path["/files/".len()..], seconds);
        // Where the clock may not be set, length has to do.
        if after.contains("as long") && !clock_set {
            return Ok(());
        }
        let answer = site.app.get(&path).header("If-None-Match", &tag).await?.expect_status(200).because(after)?;
        let answer = answer.expect_body(&content)?;
        answer
            .clone()
            .expect_header_where("etag", "is another than before", |found| opaque(found) != opaque(&tag))
            .because(after)?;
        tag = answer.header("etag").unwrap_or_default().to_owned();
    }
    Ok(())
}

/// Two clients that create the same file must not overwrite each other unknowingly: `*` says so, and a condition that
/// fails leaves everything unchanged (RFC 9110 §13.1.2, §13.2).
#[check(title = "PUT with If-None-Match does not overwrite a file that it names", task = 7, points = 1, needs = ["not_modified", "file_replaced"],
        hints = ["When do you check the condition: before you write the file, or after?",
                 "If the file exists and its tag is on the list, or the list is `*`, send 412 and change nothing.",
                 "If there is no such file, nothing matches, not even `*`: create it."])]
async fn put_if_none_match(lab: &Lab) -> CheckResult {
    let site = Site::start(lab).await?;
    let (name, other, content) = (lab.word(), lab.word(), lab.word());
    let put = |name: &str, condition: &str| {
        site.app.put(format!("/files/{name}")).header("If-None-Match", condition).raw_body(lab.word())
    };
    site.app
        .put(format!("/files/{other}"))
        .header("If-None-Match", "*")
        .raw_body(&content)
        .await?
        .expect_status(201)?;
    site.expect_file(&other, content.as_bytes())?;
    site.write(&name, content.as_bytes())?;
    // never fails alone: `file_read` asks the same
    let answer = site.app.get(format!("/files/{name}")).await?.expect_status(200)?;
    let tag = answer.header("etag").unwrap_or_default();
    for condition in ["*", tag, &format!("\"{other}\", {tag}")] {
        put(&name, condition).await?.expect_status(412)?;
        site.expect_file(&name, content.as_bytes()).because("a condition that fails leaves the file unchanged")?;
    }
    put(&name, &format!("\"{other}\"")).await?.expect_status_in(&[200, 204])?;
    Ok(())
}

const ETAG: &str = "is text in double quotes, such as \"abc\" or W/\"abc\"";

/// Whether it is an entity tag (RFC 9110 §8.8.3).
fn is_etag(value: &str) -> bool {
    let inner = opaque(value).strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
    inner.is_some_and(|inner| !inner.contains(['"', ' ']))
}

/// The tag without its mark of weakness, which does not count here.
fn opaque(tag: &str) -> &str {
    tag.strip_prefix("W/").unwrap_or(tag)
}
