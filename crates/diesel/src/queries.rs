//! Repository methods by declaration: one line says what a query needs around it.

/// Implements a repository for `Lease`.
///
/// ```ignore
/// queries! {
///     impl PointRepository by points, |lease| {
///         Bare account(user: UserId) -> Option<PointAccount> => account_on;
///         Transaction grant_xp(user: UserId, xp: Xp, now: Timestamp) -> Outcome<PointAccount> {
///             positive(xp)?;
///         } => grant_xp_on;
///         MOVEMENT deduct(deduct: &Deduct, now: Timestamp) -> Outcome<PointEntry> {
///             let note = lease.woven(MOVEMENT);
///             let movement = Movement { note, ..Movement::deduct(deduct, now) };
///         } => movement_on(movement);
///     }
///     and {
///         // Whatever is no call of one query, as in any `impl`.
///     }
/// }
/// ```
///
/// An operation begins with the `Mode` that its query needs. `points` is the
/// repository's accessor: with the method's name it makes the name in spans and errors,
/// `points.account`. `lease` names what a method would call `self`. The return type is that of the
/// trait without its `Result`.
///
/// The query is a function that takes the connection and then what the method takes, by the same
/// types: `account_on(&mut Conn, UserId)`. What it takes by reference is cloned once on the way.
/// Where it needs something else, a block before it checks and makes that, and the query names it:
/// `movement_on(movement)`, which takes each by reference or, if it is `Copy`, by value. A block
/// runs once, the query as often as other writers win.
macro_rules! queries {
    (
        impl $repository:ident by $accessor:ident, |$lease:ident| {
            $(
                $mode:ident $name:ident($($arg:ident: $ty:ty),* $(,)?) -> $ret:ty
                $({ $($check:tt)* })? => $($on:ident)::+ $(($($given:ident),*))?;
            )*
        }
        $(and { $($full:tt)* })?
    ) => {
        #[async_trait::async_trait]
        impl $repository for Lease {
            $(
                async fn $name(
                    &self,
                    $($arg: $ty),*
                ) -> Result<$ret, guildhall_repository::StorageError> {
                    let $lease = self;
                    $($($check)*)?
                    let operation = concat!(stringify!($accessor), ".", stringify!($name));
                    $crate::queries::queries!(
                        @run $lease operation $mode [$($on)::+] [$($arg)*] $([$($given)*])?
                    )
                }
            )*
            $($($full)*)?
        }
    };

    (@run $lease:ident $operation:ident $mode:ident [$on:path] [$($arg:ident)*]) => {{
        let args = ($($arg.to_owned(),)*);
        $crate::queries::queries!(@call $lease $operation $mode [$on] args [$($arg)*])
    }};
    (@run $lease:ident $operation:ident $mode:ident [$on:path] $arg:tt [$($given:ident)*]) => {{
        let args = ($($given,)*);
        $crate::queries::queries!(@call $lease $operation $mode [$on] args [$($given)*])
    }};
    (@call $lease:ident $operation:ident $mode:ident [$on:path] $args:ident [$($arg:ident)*]) => {
        $lease
            .run($operation, Mode::$mode, $args, |conn, ($($arg,)*)| {
                Box::pin($on(conn $(, $crate::queries::Hand::hand($arg))*))
            })
            .await
    };
}
pub(crate) use queries;

/// What a method was given, handed to its query: by reference, or by value where it is `Copy`. Not
/// a conversion: which of these it is follows from what the query takes.
pub(crate) trait Hand<'a, T> {
    fn hand(&'a self) -> T;
}

impl<T: Copy> Hand<'_, T> for T {
    fn hand(&self) -> T {
        *self
    }
}

impl<'a, T> Hand<'a, &'a T> for T {
    fn hand(&'a self) -> &'a T {
        self
    }
}

impl<'a, T> Hand<'a, &'a [T]> for Vec<T> {
    fn hand(&'a self) -> &'a [T] {
        self
    }
}

impl<'a> Hand<'a, &'a str> for String {
    fn hand(&'a self) -> &'a str {
        self
    }
}
