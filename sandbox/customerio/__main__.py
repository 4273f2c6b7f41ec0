"""Start the sandbox alone: `python -m sandbox.customerio`."""

import json
import secrets
import signal
import ssl
import threading
import time

import click

from sandbox.customerio.app import App
from sandbox.customerio.server import Server
from sandbox.customerio.state import REGIONS, State
from sandbox.customerio.switches import Switches

FILE = click.Path(exists=True, dir_okay=False)


def context_of(certificate: str) -> ssl.SSLContext:
    """Return a server's TLS context with the certificate and the key of one PEM file."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    try:
        context.load_cert_chain(certificate)
    except ssl.SSLError as error:
        message = f"{certificate} does not hold a certificate and its private key in PEM"
        raise click.BadParameter(message, param_hint="--certificate") from error
    return context


@click.command()
@click.option("--port", default=0, show_default="a free one", help="Port on 127.0.0.1.")
@click.option("--site-id", help="Site id of the first workspace; generated if not given.")
@click.option("--api-key", help="API key of the first workspace; generated if not given.")
@click.option("--region", default="us", type=click.Choice(REGIONS), show_default=True)
@click.option("--latency-ms", default=0, help="Delay of every answer.")
@click.option(
    "--certificate", type=FILE, help="A PEM file for 127.0.0.1 with its private key; the server then uses HTTPS."
)
def main(
    *, port: int, site_id: str | None, api_key: str | None, region: str, latency_ms: int, certificate: str | None
) -> None:
    """Run a Customer.io that exists only on 127.0.0.1, until SIGTERM or SIGINT."""
    state = State(lambda: time.time_ns() // 1000, lambda: secrets.token_hex(10), Switches(latency_ms=latency_ms))
    workspace = state.add_workspace(site_id, api_key, region)
    server = Server(port, App(state).answer, context_of(certificate) if certificate else None)
    state.base_url = server.url

    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda _number, _frame: stop.set())
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.1}, daemon=True).start()
    greeting = {"url": server.url, "site_id": workspace.site_id, "api_key": workspace.api_key, "region": region}
    click.echo(json.dumps(greeting))
    stop.wait()
    server.stop()


if __name__ == "__main__":
    main()
