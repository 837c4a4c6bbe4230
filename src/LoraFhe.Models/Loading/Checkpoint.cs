namespace LoraFhe.Models;

/// <summary>What a model's file must hold: known before any memory is taken, so that a file that does not fit is refused first.</summary>
/// <param name="Tensors">Names and shapes as Hugging Face writes them, made as they are asked for.</param>
/// <param name="Prefix">The part of the names that a file saved without the head leaves out, dot included.</param>
/// <param name="IgnoredEnds">Ends of the names of buffers that older files hold: they follow from the configuration.</param>
/// <param name="Tied">A tensor that a file may hold again under a second name, and that name; null where none is.</param>
internal sealed record Checkpoint(
    IEnumerable<(string Name, long[] Shape)> Tensors,
    string Prefix,
    IReadOnlyList<string> IgnoredEnds,
    (string Source, string Copy)? Tied);
