"""When ComfyUI may take a node's outcome from its cache."""

from __future__ import annotations

from kling_pack.nodes.freshness import Freshness

INPUTS = {"prompt": "a boat", "seed": 0}


def test_a_final_outcome_keeps_its_number() -> None:
    fresh = Freshness()
    first = fresh.number("1", INPUTS, auto_means_sandbox=False)
    fresh.ended("1", final=True, sandboxed=False)
    assert fresh.number("1", INPUTS, auto_means_sandbox=False) == first


def test_an_outcome_that_was_not_final_gets_another_number() -> None:
    fresh = Freshness()
    first = fresh.number("1", INPUTS, auto_means_sandbox=False)
    fresh.ended("1", final=False, sandboxed=False)
    second = fresh.number("1", INPUTS, auto_means_sandbox=False)
    assert second != first
    fresh.ended("1", final=True, sandboxed=False)
    assert fresh.number("1", INPUTS, auto_means_sandbox=False) == second


def test_what_auto_sent_to_the_sandbox_runs_again_once_auto_means_a_provider() -> None:
    fresh = Freshness()
    first = fresh.number("1", INPUTS, auto_means_sandbox=True)
    fresh.ended("1", final=True, sandboxed=True)
    assert fresh.number("1", INPUTS, auto_means_sandbox=True) == first
    with_key = fresh.number("1", INPUTS, auto_means_sandbox=False)
    assert with_key != first
    assert fresh.number("1", INPUTS, auto_means_sandbox=False) == with_key


def test_nodes_and_inputs_are_told_apart() -> None:
    fresh = Freshness()
    first = fresh.number("1", INPUTS, auto_means_sandbox=False)
    other_inputs = {**INPUTS, "seed": 1}
    fresh.number("2", INPUTS, auto_means_sandbox=False)
    fresh.ended("2", final=False, sandboxed=False)
    fresh.number("1", other_inputs, auto_means_sandbox=False)
    fresh.ended("1", final=False, sandboxed=False)
    assert fresh.number("1", INPUTS, auto_means_sandbox=False) == first


def test_several_items_of_one_run_count_as_not_final_if_any_was_not() -> None:
    fresh = Freshness()
    first = fresh.number("1", INPUTS, auto_means_sandbox=False)
    fresh.ended("1", final=False, sandboxed=False)
    fresh.ended("1", final=True, sandboxed=False)
    assert fresh.number("1", INPUTS, auto_means_sandbox=False) != first


def test_an_end_that_nobody_asked_about_changes_nothing() -> None:
    fresh = Freshness()
    fresh.ended(None, final=False, sandboxed=False)
    fresh.ended("9", final=False, sandboxed=False)
    assert fresh.number("9", INPUTS, auto_means_sandbox=False) == 0
