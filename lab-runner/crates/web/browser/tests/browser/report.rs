//! The page of a result, opened from the disk.

use std::path::Path;
use std::process::Command;

use fantoccini::actions::{InputSource as _, KeyAction, KeyActions, MouseActions, PointerAction};
use fantoccini::key::Key;
use serde_json::{Value, json};

use crate::browser::Browser;
use crate::sample;

async fn open(browser: &Browser, folder: &Path, result: &Value) {
    std::fs::write(folder.join("result.json"), result.to_string()).unwrap();
    assert!(Command::new(crate::program()).arg("report").arg(folder).status().unwrap().success());
    browser.page.goto(&format!("file://{}", folder.join("report.html").display())).await.unwrap();
}

/// How many events the list that is in sight shows.
async fn listed(browser: &Browser) -> u64 {
    let visible = "return [...document.querySelectorAll('.check.on .timeline .events li:not(.group)')].filter((item) => \
                   !item.closest('.out')).length";
    browser.run(visible).await.as_u64().unwrap()
}

#[tokio::test]
async fn a_report_opens_from_the_disk_and_its_timeline_can_be_read_dragged_and_walked() {
    let Some(browser) = Browser::start(1280, 900).await else { return };
    let keep = tempfile::tempdir().unwrap();
    open(&browser, keep.path(), &sample::learners()).await;
    // The first failure of the first unfinished task is in sight, and nothing else.
    let ids =
        "return [...document.querySelectorAll('.check')].filter((one) => one.offsetHeight > 0).map((one) => one.id)";
    assert_eq!(browser.run(ids).await, json!(["orders_in_few_statements"]));
    let lanes = "return [...document.querySelectorAll('.check.on .names text')].map((one) => one.textContent)";
    assert_eq!(browser.run(lanes).await, json!(["client", "server :20001", "SQL", "log"]));
    // Fifty equal statements are one item, and fifty bars of the comb.
    let group = "const one = document.querySelector('.check.on .group'); return [one.querySelector('.times').textContent, \
                 one.querySelector('.res').textContent, one.querySelectorAll('li').length]";
    assert_eq!(browser.run(group).await, json!(["× 50", "20 ms in all", 50]));
    assert_eq!(browser.run("return document.querySelectorAll('.check.on .area .x').length").await, 51);
    // A bar leads to its event, which is opened.
    let bar = "const bar = document.querySelector('.check.on .area .q'); const at = bar.getBoundingClientRect(); \
               return [at.left + at.width / 2, at.top + at.height / 2]";
    let at = browser.run(bar).await;
    let (x, y) = (at[0].as_f64().unwrap(), at[1].as_f64().unwrap());
    let press =
        |x: f64, y: f64| MouseActions::new("mouse".into()).then(to(x, y)).then(PointerAction::Down { button: 0 });
    browser.page.perform_actions(press(x, y).then(PointerAction::Up { button: 0 })).await.unwrap();
    let found = "const one = document.querySelector('.check.on .found details[open]'); return one && one.textContent";
    let found = browser.run(found).await;
    assert!(found.as_str().is_some_and(|text| text.contains("ada@example.com")), "{found}");
    browser.run("window.scrollTo(0, 0)").await;
    // Dragging keeps what happened meanwhile, and Escape all of it again.
    let all = listed(&browser).await;
    assert_eq!(all, 55);
    let area = browser.run("const a = document.querySelector('.check.on .area').getBoundingClientRect(); return [a.left, a.width, a.top]").await;
    let [left, width, top] = [0, 1, 2].map(|n| area[n].as_f64().unwrap());
    let drag = press(left + width * 0.7, top + 30.0)
        .then(to(left + width * 0.8, top + 30.0))
        .then(to(left + width * 0.9, top + 30.0));
    browser.page.perform_actions(drag.then(PointerAction::Up { button: 0 })).await.unwrap();
    let dragged = listed(&browser).await;
    assert!(dragged > 5 && dragged < 30, "{dragged}");
    let said = browser.run("return document.querySelector('.check.on .said').textContent").await;
    assert!(said.as_str().unwrap().ends_with(&format!(" ms: {dragged} events")), "{said}");
    // By keyboard alone: the first slider to the right.
    browser
        .run("document.querySelector('.check.on .clear').click(); document.querySelector('.check.on .from').focus()")
        .await;
    assert_eq!(listed(&browser).await, all);
    let mut keys = KeyActions::new("keys".into());
    for _ in 0..6 {
        let page = Key::PageUp.into();
        keys = keys.then(KeyAction::Down { value: page }).then(KeyAction::Up { value: page });
    }
    browser.page.perform_actions(keys).await.unwrap();
    let slid = listed(&browser).await;
    assert!(slid > 1 && slid < all, "{slid}");
    // And on the drawing, with the arrows.
    browser
        .run("document.querySelector('.check.on .clear').click(); document.querySelector('.check.on .area').focus()")
        .await;
    let right = Key::Right.into();
    browser
        .page
        .perform_actions(
            KeyActions::new("keys".into()).then(KeyAction::Down { value: right }).then(KeyAction::Up { value: right }),
        )
        .await
        .unwrap();
    assert!(listed(&browser).await < all);
    let (console, asked) = browser.seen().await;
    assert_eq!(console, Vec::<String>::new());
    assert!(asked.iter().all(|url| url.starts_with("file://") || url.starts_with("data:")), "{asked:?}");
    browser.end().await;
}

fn to(x: f64, y: f64) -> PointerAction {
    PointerAction::MoveTo { duration: None, x, y }
}

#[tokio::test]
async fn a_report_is_dark_where_that_is_wanted_and_prints_what_is_in_sight() {
    let Some(browser) = Browser::start(500, 900).await else { return };
    let keep = tempfile::tempdir().unwrap();
    open(&browser, keep.path(), &sample::learners()).await;
    let background = "return getComputedStyle(document.body).backgroundColor";
    browser.prefer("light").await;
    assert_eq!(browser.run(background).await, "rgb(255, 255, 255)");
    browser.prefer("dark").await;
    assert_eq!(browser.run(background).await, "rgb(20, 23, 26)");
    // A narrow screen is as wide as it is.
    assert_eq!(browser.run("return document.documentElement.scrollWidth").await, 500);
    browser.devtools("Emulation.setEmulatedMedia", json!({"media": "print"})).await;
    assert_eq!(browser.run("return getComputedStyle(document.querySelector('.tasks')).display").await, "none");
    let pdf = browser.devtools("Page.printToPDF", json!({})).await;
    assert!(pdf["data"].as_str().is_some_and(|data| data.len() > 10_000));
    browser.end().await;
}

#[tokio::test]
async fn a_screen_reader_finds_names_for_everything_that_can_be_used() {
    let Some(browser) = Browser::start(1280, 900).await else { return };
    let keep = tempfile::tempdir().unwrap();
    open(&browser, keep.path(), &sample::learners()).await;
    let tree = browser.devtools("Accessibility.getFullAXTree", json!({})).await;
    let nodes = tree["nodes"].as_array().unwrap();
    let named = |role: &str| {
        let of_role = nodes.iter().filter(|node| node["role"]["value"] == role && node["ignored"] != true);
        of_role.map(|node| node["name"]["value"].as_str().unwrap_or_default().to_owned()).collect::<Vec<_>>()
    };
    let image = named("image");
    assert!(
        image.iter().any(|name| name.starts_with("Timeline of a list of orders takes few statements: 1 request, 51 ")),
        "{image:?}"
    );
    for (role, least) in [("slider", 2), ("link", 5), ("button", 2)] {
        let names = named(role);
        assert!(names.len() >= least && names.iter().all(|name| !name.is_empty()), "{role}: {names:?}");
    }
    let links = named("link");
    assert!(links.iter().any(|name| name.contains("schema") && name.contains("passed")), "{links:?}");
    browser.end().await;
}

#[tokio::test]
async fn what_a_hostile_submission_wrote_is_text() {
    let Some(browser) = Browser::start(1280, 900).await else { return };
    let keep = tempfile::tempdir().unwrap();
    open(&browser, keep.path(), &sample::hostile()).await;
    browser.run("document.querySelectorAll('details').forEach((one) => { one.open = true; })").await;
    let shown = browser.run("return document.body.innerText").await;
    let shown = shown.as_str().unwrap();
    assert!(
        shown.contains("<script>window.harm = 1</script>") && shown.contains("\\u{202e}desrever\\u{1b}[2J\\u{0}"),
        "{shown}"
    );
    let harm = "return [typeof window.harm, document.querySelectorAll('iframe, img').length, document.scripts.length]";
    assert_eq!(browser.run(harm).await, json!(["undefined", 0, 1]));
    let (console, asked) = browser.seen().await;
    assert_eq!(console, Vec::<String>::new());
    assert!(asked.iter().all(|url| url.starts_with("file://") || url.starts_with("data:")), "{asked:?}");
    browser.end().await;
}

/// The picture in the docs. It is looked at only for what it is of: fonts differ from machine to machine.
#[tokio::test]
async fn the_picture_in_the_docs_is_of_this_page() {
    let Some(browser) = Browser::start(1280, 800).await else { return };
    let keep = tempfile::tempdir().unwrap();
    open(&browser, keep.path(), &sample::learners()).await;
    browser.prefer("light").await;
    browser
        .page
        .goto(&format!("file://{}#order_all_or_nothing", keep.path().join("report.html").display()))
        .await
        .unwrap();
    let picture = browser.picture().await;
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../../docs/images/timeline.png");
    if std::env::var_os("LAB_BLESS").is_some() {
        std::fs::create_dir_all(Path::new(path).parent().unwrap()).unwrap();
        std::fs::write(path, &picture).unwrap();
    }
    let size = |png: &[u8]| [16, 20].map(|at| u32::from_be_bytes(png[at..at + 4].try_into().unwrap()));
    let kept = std::fs::read(path).expect("LAB_BLESS=1 makes it");
    assert_eq!(size(&kept), size(&picture));
    browser.end().await;
}
