//! Held out: orders, cancellations and transfers in one story and in one race, and searches of lists that are hard to cut.

use lab_kit::prelude::*;
use lab_kit::rand::RngExt as _;
use lab_postgres::LabPostgres as _;

use crate::orders::{cancel, cancellation, order, ordered, place};
use crate::pages::{List, SORTS};
use crate::search::letters;
use crate::support::{Books, Id, Instances, Seed, customers, insert_all, moment};
use crate::transfers::{expect_balances, request, send};

/// How many customers and events a story has.
const CAST: usize = 3;
/// How many things happen in a story.
const DEEDS: usize = 40;
/// What each customer has in the beginning, in cents.
const BALANCE: i64 = 60_000;
/// How many orders are cancelled while others are made.
const CANCELLED: usize = 16;

/// What one text finds is the same whatever else is asked: sorted, in pages of any size, on values that many share
/// (PostgreSQL manual, 9.7.1 LIKE; 7.5 Sorting Rows).
#[check(title = "a search with signs of its own goes on over pages of equal events", task = 4, points = 2,
        needs = ["equal_keys", "literal_search"], held_out,
        hints = ["Does the second page search for what the first one did?"])]
async fn searched_pages(lab: &Lab) -> CheckResult {
    let app = lab.start().await?;
    let (word, start) = (letters(lab), moment(lab));
    let wanted = format!("{word}%_\\%_{word}");
    let seeds: Vec<_> = (0..22)
        .map(|index| {
            let seed = Seed::random(lab).starts_at(start).price_cents(if index % 5 == 0 { 700 } else { 800 });
            match index % 4 {
                // Signs that stand for others would find these, too.
                0 => seed.title(format!("{word}%_\\%x{word} {index}")),
                1 => seed.title(format!("{word}%_\\xx_{word} {index}")),
                _ => seed.title(format!("The {} {index}", wanted.to_uppercase())),
            }
        })
        .collect();
    let ids = insert_all(lab, &seeds).await?;
    let found = List::new(&ids, &seeds).only(|seed| seed.title.starts_with("The "));
    for sort in SORTS {
        for limit in ["1", "3", "100"] {
            found.expect_walk(&app, &[("q", &wanted), ("sort", sort), ("limit", limit)], sort).await?;
        }
    }
    Ok(())
}

/// An order of the story.
struct Placed {
    id: Id,
    event: usize,
    customer: usize,
    seats: i64,
    paid_cents: i64,
    cancelled: bool,
}

/// What the story has led to.
struct Story {
    events: Vec<(Id, i64)>,
    customers: Vec<(Id, i64)>,
    orders: Vec<Placed>,
    transfers: i64,
}

/// Whatever was ordered, cancelled and sent before, every cent and every seat is where it belongs (PostgreSQL manual,
/// 3.4 Transactions).
#[check(title = "orders, cancellations and transfers add up in any order", task = 7, points = 3,
        needs = ["cancel_order", "transfer_refusals"], held_out,
        hints = ["Does what an order gives back depend on anything but that order?"])]
async fn box_office_story(lab: &Lab) -> CheckResult {
    let app = lab.start().await?;
    let prices: Vec<_> = (0..CAST).map(|_| lab.number(100, 2_000)).collect();
    let seeds: Vec<_> = prices.iter().map(|price| Seed::random(lab).seats(400).price_cents(*price)).collect();
    let mut story = Story {
        events: insert_all(lab, &seeds).await?.into_iter().zip(prices).collect(),
        customers: customers(lab, CAST, BALANCE).await?.into_iter().map(|id| (id, BALANCE)).collect(),
        orders: Vec::new(),
        transfers: 0,
    };
    // Chance may leave out what a server has wrong that looks for an order by more than its id.
    story.order(&app, 0, 0, 3).await?;
    story.order(&app, 0, 0, 1).await?;
    story.cancel(&app, 0).await?;
    story.expect_books(lab).await.because("the first of two orders for one event was cancelled")?;
    for number in 0..DEEDS {
        let done = match lab.random(|random| random.random_range(0..10)) {
            0..4 => story.any_order(lab, &app).await,
            4..7 => story.any_cancellation(lab, &app).await,
            7 => story.new_price(lab).await,
            _ => story.send(lab, &app).await,
        };
        let place = format!("it is thing {} of {DEEDS} that happen to {CAST} customers and events", number + 1);
        done.because(&place)?;
        story.expect_books(lab).await.because(&place)?;
    }
    Ok(())
}

impl Story {
    async fn any_order(&mut self, lab: &Lab, app: &App) -> CheckResult {
        let (event, customer, seats) = lab
            .random(|random| (random.random_range(0..CAST), random.random_range(0..CAST), random.random_range(1..=6)));
        self.order(app, event, customer, seats).await
    }

    async fn order(&mut self, app: &App, event: usize, customer: usize, seats: i64) -> CheckResult {
        let ((event_id, price), (customer_id, balance)) = (&self.events[event], &mut self.customers[customer]);
        let paid_cents = seats * price;
        let answer = order(app, event_id, customer_id, seats).await?;
        if paid_cents > *balance {
            return answer.expect_status(409).map(drop);
        }
        let id = Id::of(&answer.expect_status(201)?, "/id")?;
        *balance -= paid_cents;
        self.orders.push(Placed { id, event, customer, seats, paid_cents, cancelled: false });
        Ok(())
    }

    async fn any_cancellation(&mut self, lab: &Lab, app: &App) -> CheckResult {
        let count = self.orders.len();
        self.cancel(app, lab.random(|random| random.random_range(0..count))).await
    }

    async fn cancel(&mut self, app: &App, which: usize) -> CheckResult {
        let order = &mut self.orders[which];
        let answer = cancel(app, &order.id).await?;
        if order.cancelled {
            return answer.expect_status(409).map(drop);
        }
        answer.expect_status(200)?;
        order.cancelled = true;
        self.customers[order.customer].1 += order.paid_cents;
        Ok(())
    }

    async fn send(&mut self, lab: &Lab, app: &App) -> CheckResult {
        let (from, on, amount) = lab.random(|random| {
            (random.random_range(0..CAST), random.random_range(1..CAST), random.random_range(1..90_000))
        });
        let to = (from + on) % CAST;
        let answer = send(app, &self.customers[from].0, &self.customers[to].0, amount).await?;
        if amount > self.customers[from].1 {
            return answer.expect_status(409).map(drop);
        }
        answer.expect_status(201)?;
        self.customers[from].1 -= amount;
        self.customers[to].1 += amount;
        self.transfers += 1;
        Ok(())
    }

    /// Somebody else changes what a seat costs from now on.
    async fn new_price(&mut self, lab: &Lab) -> CheckResult {
        let which = lab.random(|random| random.random_range(0..CAST));
        let (id, price) = &mut self.events[which];
        *price = lab.number(100, 2_000);
        lab.postgres()
            .await?
            .execute(&format!("update events set price_cents = {price} where id = {}", id.sql()))
            .await?;
        Ok(())
    }

    async fn expect_books(&self, lab: &Lab) -> CheckResult {
        let balances: Vec<_> = self.customers.iter().map(|(id, balance)| (id, *balance)).collect();
        expect_balances(lab, &balances).await?;
        for (event, (id, _)) in self.events.iter().enumerate() {
            let sold: i64 = self.confirmed().filter(|order| order.event == event).map(|order| order.seats).sum();
            expect_sold(lab, id, sold).await?;
        }
        let orders = |count: usize| i64::try_from(count).unwrap_or(i64::MAX);
        let books = Books::read(lab).await?;
        let expected = Books {
            orders: orders(self.orders.len()),
            confirmed_orders: orders(self.confirmed().count()),
            transfers: self.transfers,
            // Whether a cancelled order keeps its lines is the server's affair.
            ..books
        };
        books.expect(expected, "every answer 200 or 201 has taken effect, and no other")
    }

    fn confirmed(&self) -> impl Iterator<Item = &Placed> {
        self.orders.iter().filter(|order| !order.cancelled)
    }
}

/// Fails unless so many seats of an event are sold.
async fn expect_sold(lab: &Lab, event: &Id, sold: i64) -> CheckResult {
    let sql = format!("select seats_sold::bigint from events where id = {}", event.sql());
    let found: i64 = lab.postgres().await?.scalar(&sql).await?;
    expect_equal(&format!("`seats_sold` of event {event}"), &found, &sold)
}

/// What is asked for at one moment.
enum Wish {
    Order { customer: usize },
    Cancel { order: usize },
    Send { from: usize, to: usize, amount_cents: i64 },
}

/// What changes one row in different ways waits for each other, or is made again (PostgreSQL manual, 13.2.1 Read
/// Committed; CWE-362).
#[check(title = "orders, cancellations and transfers at the same moment lose nothing", task = 7, points = 3, limit = 90,
        needs = ["never_oversold", "cancel_once", "opposite_transfers"], held_out,
        hints = ["Two of your statements write one balance. Which of them has read it before?"])]
async fn everything_at_once(lab: &Lab) -> CheckResult {
    let servers = Instances::start(lab).await?;
    let price_cents = lab.number(100, 900);
    let event = Seed::random(lab).seats(500).price_cents(price_cents).insert(lab).await?;
    let people = customers(lab, CAST, BALANCE).await?;
    let mut placed = Vec::new();
    for turn in 0..CANCELLED {
        placed.push(Id::of(&ordered(servers.one(), &event, &people[turn % CAST], 2).await?, "/id")?);
    }
    let wishes: Vec<_> = (0..CANCELLED)
        .flat_map(|turn| {
            let (customer, to) = (turn % CAST, (turn + 1) % CAST);
            let sent = Wish::Send { from: customer, to, amount_cents: lab.number(1, 50) };
            [Wish::Cancel { order: turn }, sent, Wish::Order { customer: to }]
        })
        .collect();
    servers.warm_up(lab, |app| place(app, &event.unknown(lab), &people[0], 1)).await?;
    servers.overlap(lab).await?;
    let wish = |app: &App, wish: &Wish| match wish {
        Wish::Order { customer } => place(app, &event, &people[*customer], 1),
        Wish::Cancel { order } => cancellation(app, &placed[*order]),
        Wish::Send { from, to, amount_cents } => request(app, &people[*from], &people[*to], *amount_cents),
    };
    let answers = servers.race(lab, &wishes, wish).await?;
    // Two seats each were ordered before.
    let seats_of = |turn: usize| if turn % CAST < CANCELLED % CAST { CANCELLED / CAST + 1 } else { CANCELLED / CAST };
    let before = |who: usize| BALANCE - 2 * price_cents * i64::try_from(seats_of(who)).unwrap_or(0);
    let mut balances: Vec<_> = (0..CAST).map(before).collect();
    let mut sold = 2 * i64::try_from(CANCELLED).unwrap_or(0);
    for (wish, answer) in wishes.iter().zip(answers) {
        // 503 means "not now", and has changed nothing.
        if answer.expect_status_in(&[200, 201, 503])?.status() == 503 {
            continue;
        }
        match wish {
            Wish::Order { customer } => {
                balances[*customer] -= price_cents;
                sold += 1;
            }
            Wish::Cancel { order } => {
                balances[order % CAST] += 2 * price_cents;
                sold -= 2;
            }
            Wish::Send { from, to, amount_cents } => {
                balances[*from] -= amount_cents;
                balances[*to] += amount_cents;
            }
        }
    }
    let balances: Vec<_> = people.iter().zip(balances).collect();
    expect_balances(lab, &balances).await.because("every answer 200 or 201 has taken effect, and no other")?;
    expect_sold(lab, &event, sold).await
}
