"""Our C++ client against a real Kafka that wants TLS, passwords or certificates, and what it says when they are wrong."""

import subprocess

import pytest

from rig import node as nodes
from rig.clients import BY_NAME
from rig.kafka import RealKafka

PLAIN = "org.apache.kafka.common.security.plain.PlainLoginModule required"
SCRAM = "org.apache.kafka.common.security.scram.ScramLoginModule required"


def openssl(folder, *arguments):
    subprocess.run(["openssl", *map(str, arguments)], cwd=folder, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def make_certificates(folder):
    folder.mkdir()
    openssl(folder, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "ca.key", "-out", "ca.pem", "-days", 2, "-subj",
            "/CN=ca", "-addext", "basicConstraints=critical,CA:TRUE")
    (folder / "names").write_text("subjectAltName=DNS:localhost\n")
    for name in ("broker", "client"):
        openssl(folder, "req", "-newkey", "rsa:2048", "-nodes", "-keyout", f"{name}.key", "-out", f"{name}.csr", "-subj",
                f"/CN={name}")
        openssl(folder, "x509", "-req", "-in", f"{name}.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-out",
                f"{name}.crt", "-days", 2, "-extfile", "names")
        (folder / f"{name}.pem").write_text((folder / f"{name}.key").read_text() + (folder / f"{name}.crt").read_text())
    openssl(folder, "pkcs12", "-export", "-in", "client.crt", "-inkey", "client.key", "-out", "client.p12", "-passout", "pass:secret")


@pytest.fixture(scope="module")
def secured(workplace):
    """A Kafka with one listener for each way in; SASL sessions end after a second and a half."""
    certificates = workplace / "certificates"
    make_certificates(certificates)
    kafka = RealKafka(workplace / "secured")
    kafka.certificates = certificates
    kafka.ports = {name: nodes.free_port() for name in ("SASL_SSL", "SASL_PLAINTEXT", "SSL")}
    own = [("PLAINTEXT", kafka.port, "127.0.0.1"), ("CONTROLLER", kafka.controller_port, "127.0.0.1")]
    added = [(name, port, "localhost") for name, port in kafka.ports.items()]
    kafka.settings |= {
        "listeners": ",".join(f"{name}://127.0.0.1:{port}" for name, port, _ in own + added),
        "advertised.listeners": ",".join(f"{name}://{host}:{port}" for name, port, host in own + added),
        "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,SASL_SSL:SASL_SSL,SASL_PLAINTEXT:SASL_PLAINTEXT,SSL:SSL",
        "inter.broker.listener.name": "PLAINTEXT",
        "ssl.keystore.type": "PEM", "ssl.keystore.location": certificates / "broker.pem",
        "ssl.truststore.type": "PEM", "ssl.truststore.location": certificates / "ca.pem",
        "listener.name.ssl.ssl.client.auth": "required",
        "sasl.enabled.mechanisms": "PLAIN,SCRAM-SHA-256,SCRAM-SHA-512",
        "listener.name.sasl_plaintext.connections.max.reauth.ms": 1500,
    }
    for listener in ("sasl_ssl", "sasl_plaintext"):
        kafka.settings[f"listener.name.{listener}.plain.sasl.jaas.config"] = PLAIN + ' user_bob="bobs";'
        for mechanism in ("scram-sha-256", "scram-sha-512"):
            kafka.settings[f"listener.name.{listener}.{mechanism}.sasl.jaas.config"] = SCRAM + ";"
    kafka.format(extra=["--add-scram", "SCRAM-SHA-256=[name=alice,password=alices]", "--add-scram",
                        "SCRAM-SHA-512=[name=carol,password=pässword]"])
    kafka.start()
    yield kafka
    kafka.close()


@pytest.fixture
def driver():
    running = BY_NAME["barnabas-cpp"].take()
    yield running
    running.close()


def sasl(mechanism, user, password):
    module = PLAIN if mechanism == "PLAIN" else SCRAM
    return {"sasl.mechanism": mechanism, "sasl.jaas.config": f'{module} username="{user}" password="{password}";'}


def produce(driver, kafka, listener, host="localhost", pace_ms=0, count=3, **configs):
    limits = {"request.timeout.ms": "5000", "delivery.timeout.ms": "15000", "max.block.ms": "10000"}
    protocol = {"security.protocol": listener}
    files = {key: str(kafka.certificates / value) if key.endswith(".location") else value for key, value in configs.items()}
    records = [[0, None, str(i), []] for i in range(count)]
    return driver.begin("produce", bootstrap=f"{host}:{kafka.ports[listener]}", topic="secured", codec="none", idempotent=True,
                        pace_ms=pace_ms, records=records, settings=limits | protocol | files).finish()


TRUST = {"ssl.truststore.location": "ca.pem"}

WAYS_IN = {
    "plain over tls": ("SASL_SSL", TRUST | sasl("PLAIN", "bob", "bobs")),
    "scram-sha-256 over tls 1.2": ("SASL_SSL", TRUST | sasl("SCRAM-SHA-256", "alice", "alices") | {"ssl.enabled.protocols": "TLSv1.2"}),
    "scram-sha-512 with a password that is not ascii": ("SASL_PLAINTEXT", sasl("SCRAM-SHA-512", "carol", "pässword")),
    "a certificate in pem": ("SSL", TRUST | {"ssl.keystore.location": "client.pem"}),
    "a certificate in pkcs12": ("SSL", TRUST | {"ssl.keystore.location": "client.p12", "ssl.keystore.password": "secret"}),
}


@pytest.mark.parametrize("way", WAYS_IN)
def test_the_client_comes_in(secured, driver, way):
    listener, configs = WAYS_IN[way]
    produce(driver, secured, listener, **configs)


def test_the_client_proves_itself_again_before_its_session_ends(secured, driver):
    produce(driver, secured, "SASL_PLAINTEXT", pace_ms=100, count=40, **sasl("SCRAM-SHA-256", "alice", "alices"))


REFUSED = {
    "wrong password": ("SASL_SSL", "localhost", TRUST | sasl("PLAIN", "bob", "wrong"), "Invalid username or password"),
    "wrong password in scram": ("SASL_PLAINTEXT", "localhost", sasl("SCRAM-SHA-256", "alice", "wrong"), "SASL_AUTHENTICATION_FAILED"),
    "no certificate": ("SSL", "localhost", TRUST, "the peer wants a certificate of ours"),
    "another name than the certificate's": ("SSL", "127.0.0.1", TRUST, "the peer's certificate is for localhost, not for 127.0.0.1"),
    "a broker that is not trusted": ("SASL_SSL", "localhost", sasl("PLAIN", "bob", "bobs"), "certificate is refused"),
}


@pytest.mark.parametrize("why", REFUSED)
def test_the_client_says_why_it_cannot_come_in(secured, driver, why):
    listener, host, configs, said = REFUSED[why]
    with pytest.raises(AssertionError, match=said):
        produce(driver, secured, listener, host=host, **configs)
