# Trains the small Llama that the project ships as its demo model. Own code; the texts are named in ../README.md.
import torch, math, time, json, struct, sys, os, numpy as np
torch.manual_seed(0); torch.set_num_threads(2)
C=dict(dim=256,layers=6,heads=8,kv=4,ff=768,vocab=4096,ctx=256)
MIN=float(sys.argv[1]); B=int(sys.argv[2]) if len(sys.argv)>2 else 16
nn=torch.nn; F=nn.functional
class Norm(nn.Module):
    def __init__(s,d): super().__init__(); s.weight=nn.Parameter(torch.ones(d))
    def forward(s,x): return x*torch.rsqrt(x.pow(2).mean(-1,keepdim=True)+1e-5)*s.weight
hd=C['dim']//C['heads']
inv=1.0/(10000**(torch.arange(0,hd,2).float()/hd)); t=torch.outer(torch.arange(C['ctx']*4).float(),inv); COS=torch.cat([t.cos()]*2,-1); SIN=torch.cat([t.sin()]*2,-1)
def rope(x):
    T=x.shape[-2]; h=x.shape[-1]//2; r=torch.cat([-x[...,h:],x[...,:h]],-1); return x*COS[:T]+r*SIN[:T]
class Block(nn.Module):
    def __init__(s):
        super().__init__(); d=C['dim']; L=lambda i,o: nn.Linear(i,o,bias=False)
        s.n1=Norm(d); s.n2=Norm(d); s.q=L(d,C['heads']*hd); s.k=L(d,C['kv']*hd); s.v=L(d,C['kv']*hd); s.o=L(C['heads']*hd,d); s.g=L(d,C['ff']); s.u=L(d,C['ff']); s.d=L(C['ff'],d)
    def forward(s,x,mask):
        b,T,d=x.shape; h=s.n1(x)
        q=rope(s.q(h).view(b,T,C['heads'],hd).transpose(1,2)); k=rope(s.k(h).view(b,T,C['kv'],hd).transpose(1,2)); v=s.v(h).view(b,T,C['kv'],hd).transpose(1,2)
        r=C['heads']//C['kv']; k=k.repeat_interleave(r,1); v=v.repeat_interleave(r,1)
        a=torch.softmax(q@k.transpose(-1,-2)/math.sqrt(hd)+mask[:T,:T],-1)@v
        x=x+s.o(a.transpose(1,2).reshape(b,T,-1)); h=s.n2(x); return x+s.d(F.silu(s.g(h))*s.u(h))
class Model(nn.Module):
    def __init__(s):
        super().__init__(); s.e=nn.Embedding(C['vocab'],C['dim']); s.b=nn.ModuleList([Block() for _ in range(C['layers'])]); s.n=Norm(C['dim'])
        s.mask=torch.full((1024,1024),-1e9).triu(1)
        for p in s.parameters():
            if p.dim()>1: nn.init.normal_(p,0,0.02)
        for b in s.b:
            for w in (b.o,b.d): nn.init.normal_(w.weight,0,0.02/math.sqrt(2*C['layers']))
    def forward(s,i):
        x=s.e(i)
        for b in s.b: x=b(x,s.mask)
        return s.n(x)@s.e.weight.t()
def save(m,out):
    os.makedirs(out,exist_ok=True); T={'model.embed_tokens.weight':m.e.weight,'model.norm.weight':m.n.weight}
    for i,b in enumerate(m.b):
        p=f'model.layers.{i}.'
        for n,w in dict(**{'input_layernorm':b.n1,'post_attention_layernorm':b.n2,'self_attn.q_proj':b.q,'self_attn.k_proj':b.k,'self_attn.v_proj':b.v,'self_attn.o_proj':b.o,'mlp.gate_proj':b.g,'mlp.up_proj':b.u,'mlp.down_proj':b.d}).items(): T[p+n+'.weight']=w.weight
    head={};off=0;blobs=[]
    for k,v in T.items():
        a=v.detach().half().numpy(); head[k]={'dtype':'F16','shape':list(a.shape),'data_offsets':[off,off+a.nbytes]}; off+=a.nbytes; blobs.append(a.tobytes())
    head['__metadata__']={'format':'pt'}; h=json.dumps(head).encode(); h+=b' '*(-len(h)%8)
    with open(out+'/model.safetensors.tmp','wb') as f: f.write(struct.pack('<Q',len(h))+h+b''.join(blobs))
    os.replace(out+'/model.safetensors.tmp',out+'/model.safetensors')
    json.dump({"architectures":["LlamaForCausalLM"],"model_type":"llama","attention_bias":False,"attention_dropout":0.0,"bos_token_id":0,"eos_token_id":0,"head_dim":hd,"hidden_act":"silu","hidden_size":C['dim'],"initializer_range":0.02,"intermediate_size":C['ff'],"max_position_embeddings":256,"mlp_bias":False,"num_attention_heads":C['heads'],"num_hidden_layers":C['layers'],"num_key_value_heads":C['kv'],"rms_norm_eps":1e-5,"rope_scaling":None,"rope_theta":10000.0,"tie_word_embeddings":True,"torch_dtype":"float16","use_cache":True,"vocab_size":C['vocab']},open(out+'/config.json','w'),indent=2)
m=Model(); n=sum(p.numel() for p in m.parameters()); print('params',n,flush=True)
dec=[p for p in m.parameters() if p.dim()>1]; nod=[p for p in m.parameters() if p.dim()==1]
opt=torch.optim.AdamW([{'params':dec,'weight_decay':0.1},{'params':nod,'weight_decay':0.0}],lr=1e-3,betas=(0.9,0.95))
data=[torch.from_numpy(np.fromfile(f'{k}.train.bin',dtype=np.uint16).astype(np.int64)) for k in('stories','books','code')]; W=torch.tensor([0.35,0.3,0.35])
val={k:torch.from_numpy(np.fromfile(f'{k}.valid.bin',dtype=np.uint16).astype(np.int64)) for k in('stories','books','code')}
def evaluate():
    m.eval(); r={}
    with torch.no_grad():
        for k,v in val.items():
            w=v[:(min(len(v),16*257)//257)*257].view(-1,257); l=m(w[:,:-1]); r[k]=round(math.exp(F.cross_entropy(l.reshape(-1,C['vocab']),w[:,1:].reshape(-1)).item()),2)
    m.train(); return r
t0=time.time(); step=0; g=torch.Generator().manual_seed(5); last=t0; tot=0; run=0
while True:
    el=(time.time()-t0)/60; fr=min(1,el/MIN)
    if fr>=1: break
    lr=1.0e-3*min(1,(step+1)/300)*(0.05+0.95*0.5*(1+math.cos(math.pi*fr)))
    for gr in opt.param_groups: gr['lr']=lr
    xy=torch.stack([(lambda d,i: d[i:i+C['ctx']+1])(data[j],torch.randint(len(data[j])-C['ctx']-1,(1,),generator=g).item()) for j in torch.multinomial(W,B,True,generator=g).tolist()])
    loss=F.cross_entropy(m(xy[:,:-1]).reshape(-1,C['vocab']),xy[:,1:].reshape(-1)); opt.zero_grad(); loss.backward(); nn.utils.clip_grad_norm_(m.parameters(),1.0); opt.step(); step+=1; tot+=B*C['ctx']; run=0.95*run+0.05*loss.item() if step>1 else loss.item()
    if step%100==0: print(step,f'{loss.item():.3f} avg {run:.3f} {el:.1f}min {tot/(time.time()-t0):.0f} tok/s lr {lr:.1e}',flush=True)
    if time.time()-last>300: last=time.time(); print('eval',evaluate(),flush=True); save(m,'out')
print('final',evaluate(),'tokens',tot,'steps',step,flush=True); save(m,'out')
