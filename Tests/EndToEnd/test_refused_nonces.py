"""An authority that refuses nine nonces of ten, as RFC 8555 §6.5 permits it to."""

import pytest

from world.issuing import bench


def test_every_issuance_succeeds_and_within_four_seconds(request: pytest.FixtureRequest) -> None:
    rounds = 50 if request.config.getoption("--long") else 10
    with bench(PEBBLE_WFE_NONCEREJECT="90") as place:
        runs = [place.issue({}, fresh=True, through_proxy=False) for _ in range(rounds)]
    seconds = sorted(run.seconds for run in runs)
    print(f"{rounds} issuances: {seconds[0]:.2f} s, {seconds[rounds // 2]:.2f} s, {seconds[-1]:.2f} s (least, middle, most)")
    assert [run.said for run in runs if run.code != 0] == []
    # The most unlucky of them may have been on a busy machine.
    assert seconds[rounds // 2] < 4 and seconds[-1] < 8, seconds
