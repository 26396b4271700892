//! Domain types of the Guildhall community data layer: members, points, levels, time and their rules; no I/O.
