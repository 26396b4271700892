//! Every promise on every storage.

mod sqlite {
    guildhall_testkit::contract_tests!(crate::harness::sqlite_file);
}

mod postgres {
    guildhall_testkit::contract_tests!(crate::harness::postgres_schema_of_its_own);
}

mod cached_memory_sqlite {
    guildhall_testkit::contract_tests!(crate::harness::cached_memory_sqlite);
}

mod cached_memory_postgres {
    guildhall_testkit::contract_tests!(crate::harness::cached_memory_postgres);
}

mod cached_redis_postgres {
    guildhall_testkit::contract_tests!(crate::harness::cached_redis_postgres);
}

mod cached_cluster_postgres {
    guildhall_testkit::contract_tests!(crate::harness::cached_cluster_postgres);
}
