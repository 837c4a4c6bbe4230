namespace LoraFhe.Models;

/// <summary>A token that is found in the text before it is cut into pieces.</summary>
/// <param name="Id">Its id.</param>
/// <param name="Content">Its text.</param>
/// <param name="IsSpecial">Whether decoding may leave it out.</param>
/// <param name="IsNormalized">Whether it is looked for after those that are not.</param>
internal sealed record AddedToken(int Id, string Content, bool IsSpecial, bool IsNormalized);
