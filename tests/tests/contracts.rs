//! Every promise on every storage.

mod sqlite {
    guildhall_testkit::contract_tests!(crate::harness::sqlite_file);
}

mod postgres {
    guildhall_testkit::contract_tests!(crate::harness::postgres_schema_of_its_own);
}
