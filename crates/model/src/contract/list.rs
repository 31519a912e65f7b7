//! The list of all behaviours, as the macro that makes a test of each.

/// One test for each behaviour; `$ground` makes a fresh [`Ground`]. Needs tokio in the test binary.
#[macro_export]
macro_rules! port_contract {
    ($ground:expr) => {
        $crate::port_contract! { @suite units, $ground,
            what_was_answered_is_there_after_reopening
            what_was_answered_is_there_after_a_kill
            what_was_refused_changed_nothing
            create_and_publish_is_one_unit
            one_of_a_hundred_that_want_an_address_gets_it
            what_is_refused_among_good_changes_undoes_none_of_them
            one_of_many_changes_from_the_same_tag_is_made
            what_nobody_waits_for_is_done_whole_or_not_at_all
            the_snapshot_number_and_its_records_are_of_one_moment
            the_snapshot_number_grows_with_what_a_gateway_can_notice
            the_snapshot_holds_what_is_live_and_no_secret
            the_same_commands_lead_to_the_same_records
            the_plans_that_ship_are_there_in_their_order
            records_can_be_read_and_written
        }
        $crate::port_contract! { @suite apis, $ground,
            pages_are_complete_and_in_order
            pages_stay_right_while_records_come_and_go
            a_cursor_that_cannot_be_read_names_the_beginning
            apis_are_found_by_every_word_and_by_state
            an_address_belongs_to_one_api_without_regard_to_case
            addresses_neither_meet_nor_lie_inside_each_other
            history_is_told_newest_first
            a_deleted_api_leaves_its_audit_log_and_its_address
            the_default_version_answers_until_another_can
            retiring_ends_the_subscriptions_and_leaves_nothing_to_serve
            a_new_release_takes_over_the_subscriptions_that_it_can_serve
            what_changes_along_with_an_api_is_in_the_audit_log
        }
        $crate::port_contract! { @suite developers, $ground,
            an_application_name_is_unique_for_its_owner
            applications_are_listed_by_name_and_owner
            what_another_owns_does_not_exist
            an_application_changes_only_from_its_tag_of_now
            a_key_is_one_for_each_environment
            a_secret_is_replaced_and_the_old_one_gone
            subscriptions_are_found_by_application_api_and_owner
            subscriptions_are_listed_oldest_first
            a_deleted_application_takes_its_keys_and_subscriptions_along
            api_keys_are_made_replaced_and_deleted_by_their_owner
            certificates_are_one_applications_and_go_with_it
            secrets_of_keys_go_to_gateways_only_where_an_api_takes_them
        }
        $crate::port_contract! { @suite issuers, $ground,
            key_managers_are_listed_by_name_and_each_has_a_name_and_an_issuer_of_its_own
            fetched_keys_are_kept_for_the_address_that_they_came_from
            a_secret_for_introspection_is_in_no_audit_entry
            a_provided_key_is_one_applications_and_goes_with_it_or_with_its_issuer
            a_design_names_issuers_that_are_there
        }
        $crate::port_contract! { @suite people, $ground,
            a_user_name_is_one_whatever_its_case
            a_portal_session_ends_in_its_last_millisecond
            a_new_password_ends_the_portal_sessions_of_that_user
            a_chosen_password_leaves_the_one_session_it_was_chosen_in
            what_was_proven_before_a_new_password_is_worth_nothing_after_it
            portal_sessions_are_ended_by_their_owner_or_an_administrator
            what_was_seen_is_kept_and_brings_nothing_back
            who_signs_up_waits_where_it_is_open_and_no_name_is_told
            users_are_found_by_name_role_and_state
            a_user_changes_only_from_the_tag_of_now
            the_last_administrator_stays_one
            a_disabled_user_has_no_session_and_no_key
            a_deleted_user_leaves_applications_to_an_heir
            a_token_works_until_it_expires_or_is_deleted
            tokens_are_listed_oldest_first
            signing_keys_are_listed_newest_first
            signing_keys_take_turns
            nothing_is_kept_for_a_user_that_does_not_exist
        }
        $crate::port_contract! { @suite providers, $ground,
            a_sign_in_provider_has_a_name_and_an_issuer_of_its_own
            who_comes_from_a_provider_is_one_person_by_issuer_and_subject
            of_a_hundred_that_come_as_one_new_person_all_are_one
            a_provider_that_is_off_or_gone_takes_the_sessions_of_its_people_along
        }
        $crate::port_contract! { @suite authorizations, $ground,
            a_code_is_worth_tokens_once_within_its_minute
            what_is_presented_twice_ends_all_of_it_also_after_a_kill
            of_a_hundred_that_renew_one_wins
            a_refresh_token_lives_no_longer_than_what_it_is_of
            what_is_over_is_forgotten_when_nobody_can_come_late
            a_used_code_is_remembered_as_long_as_what_came_from_it
            a_signed_statement_is_used_once_also_after_a_kill
            what_a_person_allowed_is_listed_and_withdrawn_at_once
            a_device_is_answered_once_while_it_waits
            devices_that_wait_are_bounded_and_forgotten
            consent_is_remembered_and_grows
            opaque_tokens_are_bounded_and_end_with_what_they_are_of
            nothing_is_allowed_in_a_session_that_has_ended_or_for_who_may_not_sign_in
            what_was_allowed_goes_with_its_client
            a_public_client_keeps_no_secret
        }
        $crate::port_contract! { @suite registrations, $ground,
            a_client_registers_by_a_token_as_an_application_of_its_owner
            what_is_refused_uses_nothing_up
            of_many_that_register_by_the_last_use_one_does
            a_client_changes_and_ends_its_own_registration_alone
            a_registration_ends_with_its_key_and_takes_nothing_else_along
            registration_tokens_are_made_and_deleted_by_administrators
        }
        $crate::port_contract! { @suite revocations, $ground,
            what_was_revoked_is_told_until_it_can_be_forgotten
            a_number_is_never_given_twice
            what_is_revoked_again_is_told_again_with_the_later_times
            only_owners_and_administrators_end_credentials
            a_revocation_is_no_change_of_the_snapshot
        }
        $crate::port_contract! { @suite denials, $ground,
            deny_rules_are_made_changed_and_deleted_by_administrators
            what_a_deny_rule_names_is_there_and_takes_it_along
        }
        $crate::port_contract! { @suite custom_rules, $ground,
            custom_rules_are_made_changed_and_deleted_by_administrators
            what_was_used_of_a_key_is_kept_by_its_rule
        }
        $crate::port_contract! { @suite roles, $ground,
            own_roles_are_made_changed_and_deleted_by_administrators
            what_an_own_role_means_acts_at_once_for_whoever_holds_it
            an_own_role_that_is_used_stays
            no_role_is_given_that_is_not_there
        }
        $crate::port_contract! { @suite policies, $ground,
            policies_are_made_changed_and_deleted_by_administrators
            a_policy_that_is_used_stays
            a_policy_that_an_api_or_a_topic_names_is_there_and_stays
            an_import_is_one_unit
        }
        $crate::port_contract! { @suite tickets, $ground,
            a_ticket_is_worth_its_identity_once_at_its_api
            a_used_ticket_is_used_also_after_a_kill
            of_a_thousand_that_present_a_ticket_one_is_first
            tickets_that_wait_are_bounded_and_forgotten
        }
        $crate::port_contract! { @suite usage, $ground,
            what_gateways_used_adds_up_once
            a_later_window_takes_the_place_of_an_earlier_one
            what_is_known_is_what_the_model_says
            what_is_over_is_not_read_and_is_forgotten_later
            a_batch_of_any_size_tells_of_all_its_budgets
            what_was_used_is_there_after_a_kill
        }
        $crate::port_contract! { @suite alerts, $ground,
            an_alert_is_made_once_for_each_threshold_of_a_window
            a_new_window_has_alerts_of_its_own
            settings_say_which_alerts_are_made
            alerts_are_read_by_those_whom_they_concern
            an_alert_is_there_after_a_kill_and_is_made_no_second_time
            what_is_to_be_told_waits_until_it_was_taken_also_over_a_kill
            a_channel_ends_with_what_it_is_of_and_takes_along_what_it_was_to_tell
        }
        $crate::port_contract! { @suite facts, $ground,
            a_repeated_batch_adds_nothing
            a_batch_that_leaves_a_hole_is_refused
            runs_are_numbered_each_by_itself
            counts_of_a_minute_add_up_and_minutes_are_in_order
            totals_are_the_sum_of_everything
            a_refusal_without_application_counts_for_the_api
            a_batch_of_any_size_is_stored_whole
            the_same_batch_sent_many_times_at_once_is_added_once
            minutes_and_totals_are_of_one_moment
            facts_are_there_after_reopening_and_after_a_kill
            facts_outlive_what_they_are_about
        }
    };
    (@suite $suite:ident, $ground:expr, $($behaviour:ident)*) => {
        mod $suite {
            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $behaviour() {
                    $crate::contract::$suite::$behaviour(&$ground).await;
                }
            )*
        }
    };
}
