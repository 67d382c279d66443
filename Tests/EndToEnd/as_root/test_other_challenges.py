"""As root, the program that answers challenges is a user of its own: nginx reaches it, and it reaches no file of root's."""

import os
import stat

from world.appliance import with_pebble
from world.challenges import records, records_of, renewed, with_dns


def test_nginx_reaches_the_responder_of_another_user(users: dict[str, int]) -> None:
    with with_pebble("root-alpn", as_root=True, settings={"SNIKKET_CHALLENGE": "tls-alpn-01"}) as (appliance, _):
        appliance.started()
        folder = os.stat(appliance.state / "run/acme-tls")
        assert stat.S_IMODE(folder.st_mode) == 0o710
        renewed(appliance)


def test_a_key_of_roots_changes_the_zone(users: dict[str, int]) -> None:
    with with_dns("root-dns", as_root=True) as (appliance, _, server):
        key = server.key_file.stat()
        assert (key.st_uid, stat.S_IMODE(key.st_mode)) == (0, 0o600)
        appliance.started()
        assert set(records(server, "adding")) == records_of(appliance)
