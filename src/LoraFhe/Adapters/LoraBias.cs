namespace LoraFhe;

/// <summary>Which biases of the model are trained beside the adapters (peft's <c>bias</c>).</summary>
public enum LoraBias
{
    /// <summary>None: the model without its adapter answers as it did before.</summary>
    None,

    /// <summary>Every bias of the model.</summary>
    All,

    /// <summary>The biases of the adapted layers.</summary>
    LoraOnly,
}
