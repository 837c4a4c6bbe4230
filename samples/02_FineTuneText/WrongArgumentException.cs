namespace LoraFhe.Samples.FineTuneText;

/// <summary>An argument that only its use showed to be wrong. Exit code 2, as for those that the command line refuses by itself.</summary>
internal sealed class WrongArgumentException(string message) : Exception(message);
