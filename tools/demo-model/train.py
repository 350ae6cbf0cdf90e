"""
Trains the demo model: a Llama of 6 blocks, hidden 256, on a GPU.

Reads <data>/<source>.{train,valid}.bin for the sources stories, books and code, as tokenizer.py writes them: little-endian uint16 token ids,
documents ended by id 0.
Writes model.safetensors (fp16) and log.json to --out: the state with the least mean validation loss. The defaults are the settings of
models/demo. Arithmetic on a GPU is not repeatable to the bit, so another run gives a model of like quality, not the same one.

    python3 train.py --data <folder> --out <folder>
"""
import argparse, copy, json, math, os, struct, time
import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

SOURCES = ("stories", "books", "code")
SHAPE = dict(hidden=256, blocks=6, heads=8, key_value_heads=4, ffn=768, vocabulary=4096, context=256)
EPSILON, THETA, BOS = 1e-5, 10000.0, 0


class Norm(nn.Module):
    def __init__(self, size):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(size))

    def forward(self, x):
        wide = x.float()
        return (wide * torch.rsqrt(wide.pow(2).mean(-1, keepdim=True) + EPSILON)).to(x.dtype) * self.weight.to(x.dtype)


class Block(nn.Module):
    def __init__(self, dropout):
        super().__init__()
        hidden, self.heads, self.key_value_heads = SHAPE["hidden"], SHAPE["heads"], SHAPE["key_value_heads"]
        self.head_size = hidden // self.heads
        linear = lambda inputs, outputs: nn.Linear(inputs, outputs, bias=False)
        self.input_layernorm, self.post_attention_layernorm = Norm(hidden), Norm(hidden)
        self.q_proj = linear(hidden, hidden)
        self.k_proj = linear(hidden, self.key_value_heads * self.head_size)
        self.v_proj = linear(hidden, self.key_value_heads * self.head_size)
        self.o_proj = linear(hidden, hidden)
        self.gate_proj, self.up_proj = linear(hidden, SHAPE["ffn"]), linear(hidden, SHAPE["ffn"])
        self.down_proj = linear(SHAPE["ffn"], hidden)
        self.dropout = dropout

    def forward(self, x, cos, sin):
        batch, length, hidden = x.shape
        split = lambda y, heads: y.view(batch, length, heads, self.head_size).transpose(1, 2)
        h = self.input_layernorm(x)
        query = rotate(split(self.q_proj(h), self.heads), cos, sin)
        key = rotate(split(self.k_proj(h), self.key_value_heads), cos, sin)
        value = split(self.v_proj(h), self.key_value_heads)
        repeats = self.heads // self.key_value_heads
        mixed = F.scaled_dot_product_attention(
            query, key.repeat_interleave(repeats, 1), value.repeat_interleave(repeats, 1), is_causal=True
        )
        mixed = self.o_proj(mixed.transpose(1, 2).reshape(batch, length, hidden))
        x = x + F.dropout(mixed, self.dropout, self.training)
        h = self.post_attention_layernorm(x)
        return x + F.dropout(self.down_proj(F.silu(self.gate_proj(h)) * self.up_proj(h)), self.dropout, self.training)


def rotate(x, cos, sin):
    half = x.shape[-1] // 2
    turned = torch.cat([-x[..., half:], x[..., :half]], -1)
    return x * cos + turned * sin


class Llama(nn.Module):
    def __init__(self, dropout=0.0):
        super().__init__()
        self.embed_tokens = nn.Embedding(SHAPE["vocabulary"], SHAPE["hidden"])
        self.layers = nn.ModuleList([Block(dropout) for _ in range(SHAPE["blocks"])])
        self.norm = Norm(SHAPE["hidden"])
        self.dropout = dropout
        head_size = SHAPE["hidden"] // SHAPE["heads"]
        inverse = 1.0 / THETA ** (torch.arange(0, head_size, 2).float() / head_size)
        angles = torch.cat([torch.outer(torch.arange(SHAPE["context"]).float(), inverse)] * 2, -1)
        self.register_buffer("cos", angles.cos())
        self.register_buffer("sin", angles.sin())
        for parameter in self.parameters():
            if parameter.dim() > 1:
                nn.init.normal_(parameter, 0, 0.02)
        for block in self.layers:
            for last in (block.o_proj, block.down_proj):
                nn.init.normal_(last.weight, 0, 0.02 / math.sqrt(2 * SHAPE["blocks"]))

    def forward(self, ids):
        x = F.dropout(self.embed_tokens(ids), self.dropout, self.training)
        cos, sin = self.cos[: ids.shape[1]].to(x.dtype), self.sin[: ids.shape[1]].to(x.dtype)
        for block in self.layers:
            x = block(x, cos, sin)
        return self.norm(x) @ self.embed_tokens.weight.t()


def tensors(model):
    """Names as in a Hugging Face checkpoint -> parameter."""
    named = {"model.embed_tokens.weight": model.embed_tokens.weight, "model.norm.weight": model.norm.weight}
    for index, block in enumerate(model.layers):
        for name, parameter in block.named_parameters():
            part = "" if "layernorm" in name else "self_attn." if name[:2] in ("q_", "k_", "v_", "o_") else "mlp."
            named[f"model.layers.{index}.{part}{name}"] = parameter
    return named


def save(model, folder):
    head, offset, parts = {}, 0, []
    for name, parameter in tensors(model).items():
        values = parameter.detach().half().cpu().numpy()
        head[name] = dict(dtype="F16", shape=list(values.shape), data_offsets=[offset, offset + values.nbytes])
        offset += values.nbytes
        parts.append(values.tobytes())
    head["__metadata__"] = {"format": "pt"}
    text = json.dumps(head).encode()
    text += b" " * (-len(text) % 8)
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, "model.safetensors"), "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text + b"".join(parts))


def load_tokens(folder, source, part):
    ids = np.fromfile(os.path.join(folder, f"{source}.{part}.bin"), dtype="<u2")
    return torch.from_numpy(ids.astype(np.int64)).cuda()


@torch.no_grad()
def validation_loss(model, tokens):
    """Mean nats a token over disjoint windows, bfloat16 arithmetic."""
    model.eval()
    size = SHAPE["context"] + 1
    windows = tokens[: len(tokens) // size * size].view(-1, size)
    total = 0.0
    for batch in windows.split(128):
        with torch.autocast("cuda", torch.bfloat16):
            logits = model(batch[:, :-1])
        total += F.cross_entropy(logits.float().flatten(0, 1), batch[:, 1:].flatten(), reduction="sum").item()
    model.train()
    return total / (windows.shape[0] * SHAPE["context"])


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", required=True)
    parser.add_argument("--out", required=True)
    parser.add_argument("--tokens", type=float, default=373.1e6)
    parser.add_argument("--batch", type=int, default=128, help="windows a step")
    parser.add_argument("--rate", type=float, default=4e-3)
    parser.add_argument("--decay", type=float, default=0.1)
    parser.add_argument("--dropout", type=float, default=0.1)
    parser.add_argument("--mix", default="0.2,0.35,0.45", help="share of stories, books, code")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    torch.manual_seed(options.seed)
    torch.set_float32_matmul_precision("high")
    train = [load_tokens(options.data, source, "train") for source in SOURCES]
    valid = {source: load_tokens(options.data, source, "valid") for source in SOURCES}
    stream = torch.cat(train)
    starts = torch.tensor([0] + [len(part) for part in train[:-1]]).cumsum(0).cuda()
    rooms = torch.tensor([len(part) - SHAPE["context"] - 1 for part in train]).cuda()
    mix = torch.tensor([float(share) for share in options.mix.split(",")]).cuda()
    reach = torch.arange(SHAPE["context"] + 1).cuda()
    model = Llama(options.dropout).cuda()
    compiled = torch.compile(model)
    groups = [
        dict(params=[p for p in model.parameters() if p.dim() > 1], weight_decay=options.decay),
        dict(params=[p for p in model.parameters() if p.dim() == 1], weight_decay=0.0),
    ]
    optimizer = torch.optim.AdamW(groups, lr=options.rate, betas=(0.9, 0.95), fused=True)
    step_tokens = options.batch * SHAPE["context"]
    steps = math.ceil(options.tokens / step_tokens)
    log, least, best, began = [], math.inf, None, time.time()
    step = 0
    while step < steps:
        progress = step / steps
        rate = options.rate * min(1, (step + 1) / 500) * (0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * progress)))
        for group in optimizer.param_groups:
            group["lr"] = rate
        source = torch.multinomial(mix, options.batch, True)
        first = starts[source] + (torch.rand(options.batch, device="cuda") * rooms[source]).long()
        windows = stream[first[:, None] + reach]
        with torch.autocast("cuda", torch.bfloat16):
            logits = compiled(windows[:, :-1])
        loss = F.cross_entropy(logits.float().flatten(0, 1), windows[:, 1:].flatten())
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        step += 1
        if step % 1000 == 0 or step == steps:
            losses = {name: validation_loss(model, tokens) for name, tokens in valid.items()}
            mean = sum(losses.values()) / len(losses)
            log.append(dict(step=step, train=loss.item(), **{name: math.exp(value) for name, value in losses.items()}))
            print(json.dumps(log[-1]), f"{time.time() - began:.0f} s", flush=True)
            if mean < least:
                least, best = mean, copy.deepcopy(model.state_dict())
    model.load_state_dict(best)
    save(model, options.out)
    facts = dict(vars(options), steps=steps, seconds=time.time() - began, tokens=steps * step_tokens, meanValidLoss=least, log=log)
    json.dump(facts, open(os.path.join(options.out, "log.json"), "w"), indent=1)


if __name__ == "__main__":
    main()
