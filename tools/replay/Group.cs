namespace LoraFhe.Tools.Replay;

internal sealed record Group(int First, int Tokens, int Degree, long[][] SecretValues);
