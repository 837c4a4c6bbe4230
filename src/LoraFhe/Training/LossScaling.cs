namespace LoraFhe;

/// <summary>What the losses of an accumulation window are divided by.</summary>
public enum LossScaling
{
    /// <summary>The micro batches that are really in the window: an epoch's short last window weighs each as much as the others do.</summary>
    Window,

    /// <summary><see cref="TrainingArguments.GradientAccumulationSteps"/>, also in a short last window, as the Python module does.</summary>
    Full,

    /// <summary>
    /// The window's target tokens: each token weighs the same, however the micro batches share them out. Labels [rows, sequence] are counted
    /// from the second position on, as a causal language model compares them; labels of one dimension all count. −100 never does.
    /// </summary>
    Tokens,

    /// <summary>As <see cref="Tokens"/>, but the first position counts too: what transformers' Trainer does for GPT-2.</summary>
    TokensUnshifted,
}
