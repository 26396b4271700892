//! What multiplies a credit beyond its own rate: events of the community, and roles.

use async_trait::async_trait;
use guildhall_domain::{BasisPoints, Role, Timestamp, UserId};
use guildhall_repository::{StorageError, UnitOfWork};

/// The product of the multipliers of all events that run at an instant.
#[async_trait]
pub trait EventMultiplier: Send + Sync {
    /// Whether an event can ever run. While it answers `false`, credits need no unit of work.
    fn may_apply(&self) -> bool {
        true
    }

    /// The product at `now` for credits to `user`, read inside the unit that credits.
    async fn product(
        &self,
        work: &dyn UnitOfWork,
        user: UserId,
        now: Timestamp,
    ) -> Result<BasisPoints, StorageError>;
}

/// A community without events.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoEvents;

#[async_trait]
impl EventMultiplier for NoEvents {
    fn may_apply(&self) -> bool {
        false
    }

    async fn product(
        &self,
        _work: &dyn UnitOfWork,
        _user: UserId,
        _now: Timestamp,
    ) -> Result<BasisPoints, StorageError> {
        Ok(BasisPoints::ONE)
    }
}

/// The product of a credit's own rate, its events and its role, truncated once a factor and then
/// held to `max`.
pub(crate) fn product(factors: [BasisPoints; 3], max: BasisPoints) -> BasisPoints {
    let product = factors.into_iter().fold(10_000_u128, |product, factor| {
        product * u128::from(factor.get().unsigned_abs()) / 10_000
    });
    let product = i32::try_from(product).unwrap_or(i32::MAX);
    BasisPoints::new(product).unwrap_or(max).min(max)
}

/// What a role multiplies by: administrators outrank VIPs, so both get the VIP rate.
pub(crate) const fn of_role(role: Role, vip: BasisPoints) -> BasisPoints {
    match role {
        Role::Free => BasisPoints::ONE,
        Role::Vip | Role::Admin => vip,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bp(bp: i32) -> BasisPoints {
        BasisPoints::new(bp).unwrap()
    }

    #[test]
    fn the_product_is_clamped_at_the_end_only() {
        let max = bp(100_000);
        assert_eq!(product([bp(10_000), bp(20_000), bp(15_000)], max), bp(30_000));
        assert_eq!(product([bp(500_000), bp(1_000), bp(10_000)], max), bp(50_000));
        assert_eq!(product([bp(i32::MAX), bp(i32::MAX), bp(i32::MAX)], max), max);
        assert_eq!(product([bp(0), bp(20_000), bp(10_000)], max), bp(0));
    }

    #[test]
    fn administrators_are_not_worse_off_than_vips() {
        assert_eq!(of_role(Role::Free, bp(20_000)), BasisPoints::ONE);
        assert_eq!(of_role(Role::Vip, bp(20_000)), bp(20_000));
        assert_eq!(of_role(Role::Admin, bp(20_000)), bp(20_000));
    }
}
