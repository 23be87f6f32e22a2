//! Task 3: merge patches.

use chrono::TimeDelta;
use lab_kit::prelude::*;

use crate::support::{
    Made, Problem, bounds, expect_moment, in_the_east, make_event, make_order, merge, merged, moment, read, texts,
};

const EVENT: &[&str] = &["title", "description", "seats", "price_cents"];
const ORDER: &[&str] = &["event_id", "email", "note"];

/// A merge patch says what changes, and nothing about everything else (RFC 7396 §2).
#[check(title = "absent is not null", task = 3, points = 3, needs = ["order_seats"],
        hints = ["What value does your type have for an absent member, and what for one that is null?",
                 "`Option<T>` cannot tell the two apart. A member that can be cleared needs a third state.",
                 "Update only the columns that the patch names: `CASE WHEN $1 THEN $2 ELSE description END`."])]
async fn absent_is_not_null(lab: &Lab) -> CheckResult {
    let app = lab.start().await?;
    let event = make_event(lab, &app).await?;
    let order = make_order(lab, &app, &event).await?;
    let starts_at = moment(lab) + TimeDelta::milliseconds(lab.number(1, 999));
    let patches = [
        json!({}),
        json!({ "title": format!("Oper {}", lab.word()) }),
        json!({ "description": format!("by {}", lab.word()) }),
        json!({ "seats": lab.number(91, 120), "price_cents": lab.number(9_001, 20_000) }),
    ];
    for patch in patches {
        expect_only(lab, &app, &event, EVENT, &patch).await?;
    }
    let later = merged(&app, &event.path, &json!({ "starts_at": in_the_east(starts_at) })).await?;
    expect_moment(later, "/starts_at", starts_at)?;
    for patch in [json!({}), json!({ "email": lab.email() }), json!({ "note": lab.word() })] {
        expect_only(lab, &app, &order, ORDER, &patch).await?;
    }
    Ok(())
}

/// A deal is a deal: a new price is for new orders (Martin Fowler, "Temporal Patterns").
#[check(title = "a new price changes no order", task = 3, points = 1, needs = ["absent_is_not_null"],
        hints = ["An event becomes more expensive. What do earlier orders say they cost?",
                 "Write `total_cents` when the order is placed, and never recompute it from the current price."])]
async fn price_is_kept(lab: &Lab) -> CheckResult {
    let app = lab.start().await?;
    let event = make_event(lab, &app).await?;
    let order = make_order(lab, &app, &event).await?;
    let price = lab.number(9_001, 20_000);
    merged(&app, &event.path, &json!({ "price_cents": price })).await?;
    let paid = json!({ "total_cents": order.answer.at::<Value>("/total_cents")? });
    let list = format!("/orders?event_id={}", event.id);
    for path in [&order.path, &list] {
        let answer = read(&app, path).await?;
        let expected = if *path == order.path { paid.clone() } else { json!({ "items": [paid.clone()] }) };
        answer.expect_json(expected).because("the event's price was changed after the order was placed")?;
    }
    // never fails alone: `absent_is_not_null` changes an order after its event's price, too
    merged(&app, &order.path, &json!({ "note": lab.word() })).await?.expect_json(paid)?;
    let later = make_order(lab, &app, &event).await?;
    let total = later.sent["seats"].as_i64().unwrap_or_default() * price;
    let charged = later.answer.expect_json(json!({ "total_cents": total }));
    charged.because("this order was placed after the event's price was changed")?;
    Ok(())
}

/// Null removes a value that need not be there (RFC 7396 §2).
#[check(title = "null clears a member that may be empty", task = 3, points = 2, needs = ["absent_is_not_null"],
        hints = ["`null` in a merge patch is an instruction, not an absence.",
                 "`description` and `note` become NULL; for any other member null is a bad value."])]
async fn null_is_null(lab: &Lab) -> CheckResult {
    let app = lab.start().await?;
    let event = make_event(lab, &app).await?;
    let order = make_order(lab, &app, &event).await?;
    expect_only(lab, &app, &event, EVENT, &json!({ "description": null })).await?;
    expect_only(lab, &app, &order, ORDER, &json!({ "note": null })).await?;
    for name in ["title", "starts_at", "seats", "price_cents"] {
        merge(&app, &event.path, &json!({ name: null })).await?.expect_bad_members(&[name])?;
    }
    merge(&app, &order.path, &json!({ "email": null })).await?.expect_bad_members(&["email"])?;
    Ok(())
}

/// A patch is applied as a whole or not at all (RFC 5789 §2).
#[check(title = "a patch with one bad member changes nothing", task = 3, points = 2, needs = ["absent_is_not_null"],
        hints = ["Check all members before you change the first.",
                 "The rules for a PATCH are the same as for a POST, and so is the list of `errors`."])]
async fn bad_patch_changes_nothing(lab: &Lab) -> CheckResult {
    let app = lab.start().await?;
    let event = make_event(lab, &app).await?;
    let order = make_order(lab, &app, &event).await?;
    let cases: [(&Made, Value, &[&str], &[&str]); 4] = [
        (&event, json!({ "title": lab.word(), "seats": 0, "price_cents": "free" }), &["seats", "price_cents"], EVENT),
        (
            &event,
            json!({ "title": " ", "description": lab.word(), "starts_at": "soon" }),
            &["title", "starts_at"],
            EVENT,
        ),
        (&event, json!({ "seats": 95, "description": 5 }), &["description"], EVENT),
        (&order, json!({ "note": lab.word(), "email": "nobody" }), &["email"], ORDER),
    ];
    for (made, patch, bad, columns) in cases {
        let (answer, row) = (app.get(&made.path).await?.json()?, texts(lab, made, columns).await?);
        merge(&app, &made.path, &patch).await?.expect_bad_members(bad)?;
        let after = read(&app, &made.path).await?.expect_json(answer);
        after.because("the previous PATCH was refused")?;
        // never fails alone: the event is read from its row
        expect_equal(
            &format!("the row of {} after the refused PATCH", made.path),
            &texts(lab, made, columns).await?,
            &row,
        )?;
    }
    patch_bounds(lab, &app).await
}

/// The same limits as for what is new, and no others (RFC 5789 §2: the result of a patch is a whole resource).
async fn patch_bounds(lab: &Lab, app: &App) -> CheckResult {
    let event = make_event(lab, app).await?;
    let order = make_order(lab, app, &make_event(lab, app).await?).await?;
    let of_an_order: Vec<_> = bounds::patched(bounds::of_an_order()).collect();
    for (made, members) in [(&event, bounds::of_an_event()), (&order, of_an_order)] {
        for (name, value) in members {
            let answer = merged(app, &made.path, &json!({ name: value.clone() })).await;
            answer.because(&format!("this `{name}` is in range"))?.expect_json(json!({ name: value }))?;
        }
    }
    let beyond_an_order: Vec<_> = bounds::patched(bounds::beyond_an_order()).collect();
    for (made, members) in [(&event, bounds::beyond_an_event()), (&order, beyond_an_order)] {
        for (name, value) in members {
            merge(app, &made.path, &json!({ name: value })).await?.expect_bad_members(&[name])?;
        }
    }
    Ok(())
}

/// Patches, and fails unless the named members have changed, and only they: in the answer, at the address, in the table.
async fn expect_only(lab: &Lab, app: &App, made: &Made, columns: &[&str], patch: &Value) -> CheckResult {
    let before = read(app, &made.path).await?.json()?;
    // Only what the README promises: a server may show more, such as when something was last changed.
    let promised = made.promised().iter().map(|name| ((*name).to_owned(), before[*name].clone()));
    let mut expected = Value::Object(promised.collect());
    let mut row = texts(lab, made, columns).await?;
    for (name, value) in patch.as_object().into_iter().flatten() {
        expected[name] = value.clone();
        let column = columns.iter().position(|column| column == name);
        if let (Some(column), Some(row)) = (column, &mut row) {
            row[column] = match value {
                Value::Null => None,
                Value::String(text) => Some(text.clone()),
                other => Some(other.to_string()),
            };
        }
    }
    let why = format!("the merge patch {patch} names these members and no others");
    let answer = merged(app, &made.path, patch).await?.expect_json(expected.clone());
    answer.because(&why)?;
    read(app, &made.path).await?.expect_json(expected).because(&why)?;
    let what = format!("{} of {} in the table after the PATCH {patch}", columns.join(", "), made.path);
    expect_equal(&what, &texts(lab, made, columns).await?, &row)
}
