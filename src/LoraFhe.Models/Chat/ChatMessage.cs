namespace LoraFhe.Models;

/// <summary>One message of a conversation, as a chat template sees it.</summary>
/// <param name="Role">Who speaks; most templates know <c>system</c>, <c>user</c> and <c>assistant</c>.</param>
/// <param name="Content">What is said.</param>
public sealed record ChatMessage(string Role, string Content);
