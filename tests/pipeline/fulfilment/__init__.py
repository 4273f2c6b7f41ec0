"""The fulfilment over real HTTP, between a store and a warehouse of the sandbox.

What is to be shown of it, and where it is. "All three": for CartRover's Cart API, 3PL Warehouse Manager and the signed
web hook. Where no warehouse has a part in it, it is shown with one. Workers are killed here at an exact point
(`bridge.Fuse`), by SIGKILL in `tests/tasks/test_fulfilment.py`, and at random in `make year` and `make chaos`.

1.  One shipment on two pages, in two searches and in a hook is one order: `test_sending`.
2.  The answer to a create is lost: one order (all three): `test_sending`.
3.  A worker is killed before or after the create: one order (all three): `test_sending`.
4.  The number has another order: held as a conflict (all three): `test_sending`.
5.  Page 2 fails: the watermark stays, and the next search completes; 429 is waited for: `test_finding`.
6.  A later box of a prepaid plan whose order is closed is sent: `test_finding`.
7.  A box that is paid days later is sent: `test_finding`.
8.  Dates by billing type, switches, subscriptions that are not active: `test_finding`, `rules/test_eligibility`.
9.  Numbers, ship codes, suffixes, equal lines, variants, gifts: `test_finding`, `rules/test_order_numbers`,
    `rules/test_lines`, `rules/test_gifts`.
10. Tracking of an unknown number is kept apart, not acknowledged, and confirmed once its box is known: `test_leaving`.
11. Two parcels, both policies for parts, more shipped than ordered (`num_to_ship` below 0): `test_leaving`; each
    warehouse's own form of them: `tests/pipeline/warehouses/contract_shipping`.
12. The answer to the confirmation is lost, or its worker is killed: one e-mail: `test_leaving`.
13. Cancels before sending, in time, refused, in a race, taken back, not supported (all three where they differ):
    `test_cancelling`, `test_spreadsheet`, `tests/pipeline/warehouses/contract_shipping`.
14. Tokens that end, ETags that change, no cancel without one, a rate limit with HTTP 200: `test_sending`,
    `test_cancelling`, `tests/pipeline/warehouses/*/test_sandbox`.
15. A box whose ship code was not mapped goes out once it is: `test_finding`.
16. The scheme's own signature, and messages that are repeated, old or signed with another key: `test_pushes`,
    `tests/pipeline/warehouses/signed_webhook/test_signatures`.
17. The echo of our confirmation changes nothing; a box that was marked by hand is seen: `test_leaving`.
"""
