"""A model in llama.cpp's format that knows which byte follows which in the files of a folder, and no more.

One token a byte; embeddings are one-hot, the only block adds nothing, and the output holds the logarithms. What closes
something is made likelier, so that it comes to an end. It cannot write a file by itself: what is right in what it writes
is the grammar's doing.
"""
import glob

import gguf
import numpy as np

BYTES = 3                                                               # the token of byte b is BYTES + b; 0 unknown, 1 begin, 2 end
TEMPERATURE = 0.2                                                       # that couler asks for: undone here


def logits(folder):
    count = np.full((256, 256), 1e-9)
    count[:, 32:127] = 1e-3
    for path in sorted(glob.glob(folder + "/*.cw")):
        with open(path, "rb") as f:
            text = f.read()
        for a, b in zip(text, text[1:]):
            if a < 128 and b < 128:
                count[a, b] += 1
    for b, times in ((b"}", 40), (b'"', 2), (b"'", 2), (b")", 4), (b"]", 4), (b"{", 0.3), (b"#", 0.1), (b" ", 0.3)):
        count[:, ord(b)] *= times
    count[:, ord("`")] += 0.5 * count.sum(axis=1)
    return np.log(count / count.sum(axis=1, keepdims=True))


def write(path, folder, context=32768):
    embd, ff, vocab = 320, 32, BYTES + 256
    w = gguf.GGUFWriter(path, "llama")
    w.add_context_length(context)
    w.add_embedding_length(embd)
    w.add_block_count(1)
    w.add_feed_forward_length(ff)
    w.add_head_count(5)
    w.add_head_count_kv(5)
    w.add_rope_dimension_count(embd // 5)
    w.add_layer_norm_rms_eps(1e-5)
    w.add_vocab_size(vocab)
    w.add_tokenizer_model("llama")
    w.add_token_list([b"<unk>", b"<s>", b"</s>"] + [b"<0x%02X>" % i for i in range(256)])
    w.add_token_scores([0.0] * vocab)
    w.add_token_types([gguf.TokenType.UNKNOWN, gguf.TokenType.CONTROL, gguf.TokenType.CONTROL] + [gguf.TokenType.BYTE] * 256)
    w.add_bos_token_id(1)
    w.add_eos_token_id(2)
    w.add_unk_token_id(0)
    w.add_add_space_prefix(False)
    w.add_chat_template("{% for m in messages %}{{ m.role }}: {{ m.content }}\n{% endfor %}")
    embedding, output = np.eye(vocab, embd, dtype=np.float32), np.zeros((vocab, embd), dtype=np.float32)
    output[BYTES:, BYTES:vocab] = logits(folder).T * TEMPERATURE / np.sqrt(embd)
    output[2, :] = -40 * TEMPERATURE / np.sqrt(embd)                    # the end: where nothing else is allowed
    w.add_tensor("token_embd.weight", embedding)
    w.add_tensor("output.weight", output)
    for name, shape in [("attn_q", (embd, embd)), ("attn_k", (embd, embd)), ("attn_v", (embd, embd)), ("attn_output", (embd, embd)), ("ffn_gate", (ff, embd)), ("ffn_up", (ff, embd)), ("ffn_down", (embd, ff))]:
        w.add_tensor("blk.0." + name + ".weight", np.zeros(shape, dtype=np.float32))
    for name in ("output_norm", "blk.0.attn_norm", "blk.0.ffn_norm"):
        w.add_tensor(name + ".weight", np.ones(embd, dtype=np.float32))
    w.write_header_to_file()
    w.write_kv_data_to_file()
    w.write_tensors_to_file()
    w.close()
