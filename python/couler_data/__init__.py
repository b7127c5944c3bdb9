"""Records of a couler dataflow, for trainers and operators.

records()         a generator over the records on standard input
torch_dataset()   the same as a torch.utils.data.IterableDataset
tf_dataset()      the same as a tf.data.Dataset
map_records()     an operator: reads records, writes what a function makes of each

The framing is taken from $CW_FRAMING, which couler sets: lines, length_prefixed or tar. A record of `lines` comes without
its newline, one of `tar` as a dict from extension to bytes (with "__key__"), as WebDataset has it.
"""
import os
import struct
import sys
import tarfile

__all__ = ["records", "torch_dataset", "tf_dataset", "map_records", "write"]
__version__ = "0.1.0"

FRAMINGS = ("lines", "length_prefixed", "tar")


def _framing(framing):
	framing = framing or os.environ.get("CW_FRAMING") or "lines"
	if framing not in FRAMINGS:
		raise ValueError("framing %r is none of %s" % (framing, ", ".join(FRAMINGS)))
	return framing


def _lengths(stream):
	while True:
		head = stream.read(4)
		if not head:
			return
		if len(head) < 4:
			raise EOFError("the stream ends in the middle of a length")
		size = struct.unpack(">I", head)[0]
		record = stream.read(size)
		if len(record) < size:
			raise EOFError("the stream ends in the middle of a record of %d bytes" % size)
		yield record


def _samples(stream):
	sample, key = {}, None
	with tarfile.open(fileobj=stream, mode="r|") as archive:
		for member in archive:
			if not member.isfile():
				continue
			folder, _, name = member.name.rpartition("/")
			stem, _, ext = name.partition(".")
			this = folder + "/" + stem if folder else stem
			if key is not None and this != key:
				yield sample
				sample = {}
			key = this
			sample["__key__"] = key
			sample[ext] = archive.extractfile(member).read()
	if sample:
		yield sample


def records(stream=None, framing=None):
	"""Yields every record of stream (default: standard input) as it comes."""
	framing = _framing(framing)
	stream = stream or sys.stdin.buffer
	if framing == "lines":
		for line in stream:
			yield line[:-1] if line.endswith(b"\n") else line
	elif framing == "length_prefixed":
		yield from _lengths(stream)
	else:
		yield from _samples(stream)


def write(record, stream=None, framing=None):
	"""Writes one record (bytes) in the framing; tar is written with the module tarfile instead."""
	framing = _framing(framing)
	stream = stream or sys.stdout.buffer
	if framing == "lines":
		if b"\n" in record:
			raise ValueError("a record of the framing `lines` cannot hold a newline; use framing = length_prefixed")
		stream.write(record + b"\n")
	elif framing == "length_prefixed":
		stream.write(struct.pack(">I", len(record)))
		stream.write(record)
	else:
		raise ValueError("write() knows lines and length_prefixed")


def map_records(function, framing=None):
	"""An operator: function(record) gives the new record, None to drop it, or a list of records."""
	out = sys.stdout.buffer
	for record in records(framing=framing):
		made = function(record)
		for one in made if isinstance(made, (list, tuple)) else () if made is None else (made,):
			write(one, out, framing)
		out.flush()
	out.flush()


def torch_dataset(decode=None, framing=None):
	"""A torch.utils.data.IterableDataset over the records; decode(record) makes what the loader batches."""
	from torch.utils import data

	class Records(data.IterableDataset):
		def __iter__(self):
			if data.get_worker_info() is not None:
				raise RuntimeError("couler's workers read ahead already: DataLoader(..., num_workers=0)")
			it = records(framing=framing)
			return map(decode, it) if decode else it

	return Records()


def tf_dataset(output_signature, decode=None, framing=None):
	"""A tf.data.Dataset over the records; decode(record) makes what output_signature describes."""
	import tensorflow as tf

	def generate():
		for record in records(framing=framing):
			yield decode(record) if decode else record

	return tf.data.Dataset.from_generator(generate, output_signature=output_signature)
