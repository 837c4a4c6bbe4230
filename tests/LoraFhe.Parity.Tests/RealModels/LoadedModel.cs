using LoraFhe.Models;

namespace LoraFhe.Parity.Tests.RealModels;

/// <summary>SmolLM2, loaded once for a class's tests, and only if one runs.</summary>
public sealed class LoadedModel : IDisposable
{
    private readonly Lazy<CausalLanguageModel> _model = new(() => CausalLanguageModel.FromPretrained(TestModels.At("smollm2")));
    private readonly Lazy<PretrainedTokenizer> _tokenizer = new(() => PretrainedTokenizer.FromPretrained(TestModels.At("smollm2")));

    public CausalLanguageModel Model => _model.Value;

    public PretrainedTokenizer Tokenizer => _tokenizer.Value;

    public void Dispose()
    {
        if (_model.IsValueCreated)
        {
            _model.Value.Dispose();
        }
    }
}
