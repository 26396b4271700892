//! Several statements in one round trip: sent at once, run in their order. The twin of this file is
//! `sqlite/together.rs`.

/// Runs statements in their order, none of which waits for the answer of the one before: each is an
/// expression of what to run it on, as in `together!(conn, on => query.load(on), ..)`. Gives their
/// outcomes, all read to the end. After one that fails inside a transaction all others fail too, so
/// look at them in order.
///
/// For what is undone as a whole when one is refused: the later statements are on their way by then.
macro_rules! together {
    ($conn:ident, $a:ident => $first:expr, $b:ident => $second:expr $(,)?) => {{
        let [mut first, mut second] = [&*$conn; 2];
        let first = {
            let $a = &mut first;
            $first
        };
        let second = {
            let $b = &mut second;
            $second
        };
        futures_util::future::join(first, second).await
    }};
    (
        $conn:ident, $a:ident => $first:expr, $b:ident => $second:expr,
        $c:ident => $third:expr, $d:ident => $fourth:expr $(,)?
    ) => {{
        let [mut third, mut fourth] = [&*$conn; 2];
        let third = {
            let $c = &mut third;
            $third
        };
        let fourth = {
            let $d = &mut fourth;
            $fourth
        };
        let [mut first, mut second] = [&*$conn; 2];
        let first = {
            let $a = &mut first;
            $first
        };
        let second = {
            let $b = &mut second;
            $second
        };
        futures_util::future::join4(first, second, third, fourth).await
    }};
}
pub(super) use together;

/// A statement, and after it one that writes many rows and gives them back.
macro_rules! together_with_batch {
    ($conn:ident, $a:ident => $first:expr, $rows:ident => $statement:expr $(,)?) => {{
        let $rows = &$rows;
        let [mut first, mut second] = [&*$conn; 2];
        let first = {
            let $a = &mut first;
            $first
        };
        let second = {
            // The number of rows is one of a few.
            let statement = $crate::kept::Keep::kept($statement);
            $crate::run::RunQueryDsl::get_results(statement, &mut second)
        };
        futures_util::future::join(first, second).await
    }};
}
pub(super) use together_with_batch;
