//! Several statements, one after the other: nothing lies between them and the file. The twin of this
//! file is `postgres/together.rs`, where they share a round trip.

/// Runs statements in their order, and none after one that fails: see the twin.
macro_rules! together {
    ($conn:ident, $a:ident => $first:expr, $b:ident => $second:expr $(,)?) => {{
        let first = {
            let $a = &mut *$conn;
            $first.await
        };
        let second = if first.is_ok() {
            let $b = &mut *$conn;
            $second.await
        } else {
            Err(diesel::result::Error::RollbackTransaction)
        };
        (first, second)
    }};
    (
        $conn:ident, $a:ident => $first:expr, $b:ident => $second:expr,
        $c:ident => $third:expr, $d:ident => $fourth:expr $(,)?
    ) => {{
        let (first, second) = together!($conn, $a => $first, $b => $second);
        let (third, fourth) = if second.is_ok() {
            together!($conn, $c => $third, $d => $fourth)
        } else {
            let undone = || diesel::result::Error::RollbackTransaction;
            (Err(undone()), Err(undone()))
        };
        (first, second, third, fourth)
    }};
}
pub(super) use together;

/// A statement, and after it one that writes many rows and gives them back.
macro_rules! together_with_batch {
    ($conn:ident, $a:ident => $first:expr, $rows:ident => $statement:expr $(,)?) => {{
        let first = {
            let $a = &mut *$conn;
            $first.await
        };
        let second = if first.is_ok() {
            super::member::batch!($conn, get_results, $rows, $statement)
        } else {
            Err(diesel::result::Error::RollbackTransaction)
        };
        (first, second)
    }};
}
pub(super) use together_with_batch;
