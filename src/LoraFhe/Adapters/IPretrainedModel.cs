using static TorchSharp.torch;

namespace LoraFhe;

/// <summary>What a model tells about itself, so that adapters find their default places and keep off the output embedding.</summary>
/// <remarks>Optional: without it, a class whose name starts with <c>Llama</c> or <c>Gpt2</c> and a child called <c>lm_head</c> are understood.</remarks>
public interface IPretrainedModel
{
    /// <summary>The architecture as <c>config.json</c> spells it in <c>model_type</c>: <c>llama</c>, <c>gpt2</c>.</summary>
    string ModelType { get; }

    /// <summary>The hub name or folder the weights came from, or null; an adapter's file records it.</summary>
    string? NameOrPath { get; }

    /// <summary>The layer that turns hidden states into logits, or null; <see cref="LoraFhe.TargetModules.AllLinear"/> leaves it out.</summary>
    nn.Module? OutputEmbeddings { get; }
}
