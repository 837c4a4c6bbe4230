namespace LoraFhe.Cryptography.Client;

/// <summary>When and where a mask was made. None of it is secret.</summary>
/// <param name="ProcessId">The process, as the system names it.</param>
/// <param name="Timestamp">The monotonic clock.</param>
/// <param name="Wall">The other clock.</param>
internal readonly record struct MaskMoment(int ProcessId, long Timestamp, DateTimeOffset Wall);
