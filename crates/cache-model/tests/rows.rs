//! Every row of the table, one test each: exactly what is expected is found.

use guildhall_cache_model::{Cell, explore, table};

/// Every cell of the row, but for the large ones, which `just model` runs.
fn holds(name: &str) {
    let table = table();
    let Some(row) = table.iter().find(|row| row.name == name) else { panic!("no row {name}") };
    for cell in row.cells.iter().filter(|cell| !cell.large) {
        check(name, row.about, cell);
    }
}

fn check(name: &str, about: &str, cell: &Cell) {
    let report = explore(cell);
    let expected = |breach| cell.expected.iter().any(|other| other == breach);
    let unexpected = report.counterexamples.iter().filter(|found| !expected(found.breach));
    let ways: Vec<_> = unexpected.map(|found| found.steps.join("\n")).collect();
    assert!(
        report.breaches == cell.expected,
        "{name} {about}, {}: expected {}, found {}\n{}",
        cell.name,
        cell.expected,
        report.breaches,
        ways.join("\n\n"),
    );
}

macro_rules! rows {
    ($($test:ident $name:literal,)*) => {
        $(
            #[test]
            fn $test() {
                holds($name);
            }
        )*

        #[test]
        fn every_row_has_its_test() {
            let rows: Vec<_> = table().iter().map(|row| row.name).collect();
            assert_eq!(rows, [$($name),*]);
            let small = |cell: &Cell| !cell.large;
            assert!(table().iter().all(|row| row.cells.iter().any(small)), "a test checks nothing");
        }
    };
}

rows! {
    // The protocol as it is.
    v1_one_writer_two_readers_beside_it_and_one_elsewhere "V1",
    v1_elsewhere_one_writer_one_reader_beside_it_and_two_elsewhere "V1-elsewhere",
    v1_beside_one_writer_three_readers_beside_it "V1-beside",
    v1_twice_two_writes_in_one_process "V1-twice",
    v1_faults_two_faults_of_any_kind "V1-faults",
    v7_a_writer_in_each_process "V7",
    v8_an_entry_with_two_tags_one_of_them_changed "V8",
    v8a_two_tags_a_writer_for_each "V8a",
    v8b_two_tags_changed_one_after_the_other "V8b",
    v9_a_writer_that_rolls_back_beside_one_that_does_not "V9",
    v9a_an_unknown_outcome_taken_for_a_roll_back_with_outbox "V9a",
    v12a_tags_deleted_instead_of_set_also_twice "V12a",
    v15_the_entry_is_fetched_before_the_nonce "V15",
    v15a_the_nonce_is_fetched_before_the_entry "V15a",
    v15b_two_tags_changed_one_by_one_fetched_in_any_order "V15b",
    v16_fenced_loads_share_a_flight "V16",
    v17_the_leader_answers_first_and_stores_the_entry_afterwards "V17",
    v18_a_quarantine_ends_when_the_process_s_own_change_is_acknowledged "V18",
    v19_a_tag_that_a_loader_named "V19",
    v20_flights_of_any_generation_judged_when_they_land "V20",
    // A part left out.
    v2_no_generation_and_no_fence "V2",
    v2a_the_generation_is_not_raised_before_the_commit "V2a",
    v2b_the_generation_is_not_raised_after_the_acknowledgement "V2b",
    v2c_neither_only_the_fence "V2c",
    v2d_no_fence_the_generation_raised_twice "V2d",
    v2e_no_fence_the_generation_raised_after_the_acknowledgement_only "V2e",
    v2f_no_fence_the_generation_raised_before_the_commit_only "V2f",
    v2g_a_put_under_whatever_generation "V2g",
    v2h_flights_found_by_their_key_alone "V2h",
    v2i_a_message_drops_the_entry_and_does_not_raise_the_generation "V2i",
    v3_the_nonces_are_taken_after_the_load "V3",
    v3a_the_nonce_of_a_tag_that_the_loader_named_is_taken_after_the_load "V3a",
    v4_nonces_counted_up_instead_of_drawn "V4",
    v5_no_relay "V5",
    v5a_no_quarantine "V5a",
    v5b_neither "V5b",
    v6_stamps_without_the_run_of_the_server "V6",
    v9b_an_unknown_outcome_taken_for_a_roll_back_without_outbox "V9b",
    v10_the_age_in_memory_counts_from_the_put "V10",
    v11_a_flight_of_any_age_is_joined "V11",
    v12_a_set_that_is_sent_again_with_the_same_nonce "V12",
    v13_the_message_goes_out_before_the_nonces_change "V13",
    v14_the_nonces_change_before_the_commit_only "V14",
    m_monotonic_reads "M",
    // More processes, restarts, servers and primaries.
    t1_three_processes_one_writer "T1",
    t2_three_processes_two_writers_a_reader_beside_one_and_one_elsewhere "T2",
    t3_three_processes_three_writers "T3",
    g1_a_lost_message_with_a_detector_of_gaps "G1",
    g2_a_lost_message_without "G2",
    r1_restart_with_open_rows_whose_tags_start_in_quarantine "R1",
    r2_restart_with_open_rows_forgotten "R2",
    n1_two_tags_on_two_servers_both_changed "N1",
    n2_two_tags_on_two_servers_two_faults "N2",
    n3_two_tags_on_two_servers_a_writer_for_each "N3",
    n4_the_entry_on_one_server_its_tag_on_another "N4",
    n5_two_tags_on_two_servers_one_of_them_changed "N5",
    n6_the_same_and_stamps_do_not_name_the_run "N6",
    f1_a_demoted_primary_still_answers "F1",
    f2_it_takes_no_writes "F2",
    f3_it_takes_no_writes_quarantine_ends_by_the_process_s_own_change "F3",
    f4_it_takes_writes_which_are_repeated_at_the_new_one "F4",
    f5_it_takes_no_writes_and_stamps_do_not_name_the_run "F5",
}
