"""Certificates: an authority of one's own, a good one, one for another host, one that has expired."""
import datetime
import ipaddress

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


def _write(path, *pems):
	with open(path, "wb") as f:
		f.writelines(pems)


def _key():
	return ec.generate_private_key(ec.SECP256R1())


def _pem(key):
	return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())


def _cert(subject, key, issuer, issuer_key, days, alt=None):
	now = datetime.datetime.now(datetime.timezone.utc)
	b = x509.CertificateBuilder().subject_name(subject).issuer_name(issuer).public_key(key.public_key()).serial_number(x509.random_serial_number())
	b = b.not_valid_before(now - datetime.timedelta(days=30)).not_valid_after(now + datetime.timedelta(days=days))
	b = b.add_extension(x509.BasicConstraints(ca=alt is None, path_length=None), critical=True)
	if alt:
		b = b.add_extension(x509.SubjectAlternativeName(alt), critical=False)
	return b.sign(issuer_key, hashes.SHA256())


def make(folder):
	"""{name: (certificate, key)} of files; the authority is folder/ca.pem."""
	name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "test authority")])
	ca_key = _key()
	ca = _cert(name, ca_key, name, ca_key, 10)
	_write(folder + "/ca.pem", ca.public_bytes(serialization.Encoding.PEM))
	here = [x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
	out = {}
	for what, days, alt in (("good", 10, here), ("other", 10, [x509.DNSName("example.com")]), ("expired", -1, here)):
		key = _key()
		c = _cert(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, what)]), key, name, ca_key, days, alt)
		paths = (folder + "/" + what + ".pem", folder + "/" + what + ".key")
		_write(paths[0], c.public_bytes(serialization.Encoding.PEM))
		_write(paths[1], _pem(key))
		out[what] = paths
	return out
