"""A model of llama.cpp's format with random weights and one token a byte: it knows nothing, so what it writes shows the grammar alone."""
import gguf
import numpy as np

BYTES = 3                                                               # the token of byte b is BYTES + b; 0 unknown, 1 begin, 2 end


def write(path, context=8192):
    rng = np.random.default_rng(1)
    embd, ff, heads, vocab = 32, 64, 2, BYTES + 256
    w = gguf.GGUFWriter(path, "llama")
    w.add_context_length(context)
    w.add_embedding_length(embd)
    w.add_block_count(1)
    w.add_feed_forward_length(ff)
    w.add_head_count(heads)
    w.add_head_count_kv(heads)
    w.add_rope_dimension_count(embd // heads)
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
    for name, shape in [("token_embd", (vocab, embd)), ("output", (vocab, embd)), ("blk.0.attn_q", (embd, embd)), ("blk.0.attn_k", (embd, embd)), ("blk.0.attn_v", (embd, embd)),
                        ("blk.0.attn_output", (embd, embd)), ("blk.0.ffn_gate", (ff, embd)), ("blk.0.ffn_up", (ff, embd)), ("blk.0.ffn_down", (embd, ff))]:
        w.add_tensor(name + ".weight", rng.normal(0, 0.3, shape).astype(np.float32))
    for name in ("output_norm", "blk.0.attn_norm", "blk.0.ffn_norm"):
        w.add_tensor(name + ".weight", np.ones(embd, dtype=np.float32))
    w.write_header_to_file()
    w.write_kv_data_to_file()
    w.write_tensors_to_file()
    w.close()
