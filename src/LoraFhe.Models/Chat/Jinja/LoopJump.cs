namespace LoraFhe.Models;

/// <summary>How a block ended.</summary>
internal enum LoopJump
{
    /// <summary>At its end.</summary>
    None,

    /// <summary>With <c>continue</c>.</summary>
    Continue,

    /// <summary>With <c>break</c>.</summary>
    Break,
}
