using TorchSharp.Utils;
using static TorchSharp.torch;

namespace LoraFhe.Tests.Training;

/// <summary>A model of ids: an embedding, two layers and a head, all in fields that surgery can replace.</summary>
internal sealed class WordMlp : nn.Module<Tensor, Tensor>
{
    public const int Words = 40;

    [ComponentName(Name = "words")]
    private readonly nn.Module<Tensor, Tensor> _words = nn.Embedding(Words, 16);

    [ComponentName(Name = "fc1")]
    private readonly nn.Module<Tensor, Tensor> _fc1 = nn.Linear(16, 24);

    [ComponentName(Name = "norm")]
    private readonly nn.Module<Tensor, Tensor> _norm = nn.LayerNorm(24);

    [ComponentName(Name = "fc2")]
    private readonly nn.Module<Tensor, Tensor> _fc2 = nn.Linear(24, 16);

    [ComponentName(Name = "lm_head")]
    private readonly nn.Module<Tensor, Tensor> _head = nn.Linear(16, Words);

    public WordMlp()
        : base(nameof(WordMlp)) => RegisterComponents();

    /// <summary>Logits of the word after each word.</summary>
    public override Tensor forward(Tensor ids) => _head.call(_fc2.call(_norm.call(_fc1.call(_words.call(ids)).tanh())).tanh());
}
