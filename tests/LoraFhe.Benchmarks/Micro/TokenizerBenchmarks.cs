using BenchmarkDotNet.Attributes;
using LoraFhe.Fixtures;
using LoraFhe.Models;

namespace LoraFhe.Benchmarks;

/// <summary>The tokenizer of the shipped model on a paragraph of what it was made from.</summary>
public class TokenizerBenchmarks
{
    private const string Text =
        "It is a truth universally acknowledged, that a single man in possession of a good fortune, must be in want of a wife. However little "
        + "known the feelings or views of such a man may be on his first entering a neighbourhood, this truth is so well fixed in the minds of the "
        + "surrounding families, that he is considered as the rightful property of some one or other of their daughters.";

    private readonly PretrainedTokenizer _tokenizer = PretrainedTokenizer.FromPretrained(RepositoryFolder.At("models", "tiny-austen"));
    private IReadOnlyList<int> _ids = [];

    /// <summary>Makes the ids that are decoded.</summary>
    [GlobalSetup]
    public void Prepare() => Encode();

    /// <summary>395 characters to ids.</summary>
    [Benchmark]
    [ExpectedAllocation(40_000)]
    public void Encode() => _ids = _tokenizer.Encode(Text);

    /// <summary>The ids to text.</summary>
    [Benchmark]
    [ExpectedAllocation(34_000)]
    public void Decode() => _tokenizer.Decode(_ids);
}
