namespace LoraFhe.Models;

/// <summary>What a sequence is in Python.</summary>
internal enum SequenceKind
{
    /// <summary>A list.</summary>
    List,

    /// <summary>A tuple.</summary>
    Tuple,

    /// <summary>A range, or the keys, values or entries of a dictionary.</summary>
    View,

    /// <summary>A generator: what <c>map</c>, <c>select</c> and the like give. It is always true, has no length and can be gone through once.</summary>
    Generator,
}
