//! Everything that an order or a transfer may change, added up.

use lab_kit::prelude::*;
use lab_postgres::LabPostgres as _;

/// The state of all tables.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Books {
    pub orders: i64,
    pub confirmed_orders: i64,
    pub order_lines: i64,
    pub seats_sold: i64,
    pub balances_cents: i64,
    pub transfers: i64,
}

impl Books {
    /// What the tables hold now.
    pub async fn read(lab: &Lab) -> CheckResult<Self> {
        let sql = "select (select count(*) from orders),
                          (select count(*) from orders where status::text = 'confirmed'),
                          (select count(*) from order_lines),
                          (select coalesce(sum(seats_sold), 0)::bigint from events),
                          (select coalesce(sum(balance_cents), 0)::bigint from customers),
                          (select count(*) from transfers)";
        let rows: Vec<(i64, i64, i64, i64, i64, i64)> = lab.postgres().await?.rows(sql).await?;
        let Some(&(orders, confirmed_orders, order_lines, seats_sold, balances_cents, transfers)) = rows.first() else {
            return Err(Failure::Ours("a select without FROM gave no row".into()));
        };
        Ok(Self { orders, confirmed_orders, order_lines, seats_sold, balances_cents, transfers })
    }

    /// Fails unless nothing changed since `before`.
    pub async fn expect_unchanged(lab: &Lab, before: Self, after_what: &str) -> CheckResult {
        Self::read(lab).await?.expect(before, &format!("{after_what} must leave the tables as they were"))
    }

    /// Fails unless the books are `expected`.
    pub fn expect(self, expected: Self, why: &str) -> CheckResult {
        let differences = self.differences(expected);
        if differences.is_empty() {
            return Ok(());
        }
        let places: Vec<_> = differences.iter().map(|difference| difference.place.as_str()).collect();
        Err(Failure::learner(format!("{why}; what differs: {}", places.join(", "))).differences(differences))
    }

    fn differences(self, expected: Self) -> Vec<lab_kit::Difference> {
        let pairs = [
            ("rows in orders", expected.orders, self.orders),
            ("confirmed orders", expected.confirmed_orders, self.confirmed_orders),
            ("rows in order_lines", expected.order_lines, self.order_lines),
            ("sum of events.seats_sold", expected.seats_sold, self.seats_sold),
            ("sum of customers.balance_cents", expected.balances_cents, self.balances_cents),
            ("rows in transfers", expected.transfers, self.transfers),
        ];
        let differing = pairs.into_iter().filter(|(_, expected, actual)| expected != actual);
        differing
            .map(|(place, expected, actual)| lab_kit::Difference {
                place: place.into(),
                expected: expected.to_string(),
                actual: actual.to_string(),
            })
            .collect()
    }
}
