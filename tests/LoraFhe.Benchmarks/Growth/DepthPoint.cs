namespace LoraFhe.Benchmarks;

/// <summary>Medians of a whole training step of a model that was cut to some layers, in seconds.</summary>
internal sealed record DepthPoint(int Layers, double Torch, double Execute, StepTraffic Traffic);
