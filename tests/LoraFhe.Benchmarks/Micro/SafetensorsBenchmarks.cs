using BenchmarkDotNet.Attributes;
using LoraFhe.Fixtures;
using LoraFhe.Safetensors;

namespace LoraFhe.Benchmarks;

/// <summary>A file of a layer's adapter and its frozen weight.</summary>
public class SafetensorsBenchmarks : IDisposable
{
    private const int Inputs = 576;
    private const int Outputs = 1536;
    private const int Rank = 8;
    private const string Weight = "weight";

    private readonly TemporaryFolder _folder = new();
    private readonly float[] _values = new float[Inputs * Outputs];
    private SafetensorsTensor[] _tensors = [];
    private SafetensorsFile? _file;

    /// <summary>Writes the file and opens it.</summary>
    [GlobalSetup]
    public void Prepare()
    {
        _tensors =
        [
            SafetensorsTensor.FromSingles("lora_A.weight", [Rank, Inputs], _values.AsSpan(0, Rank * Inputs)),
            SafetensorsTensor.FromSingles("lora_B.weight", [Outputs, Rank], _values.AsSpan(0, Outputs * Rank)),
            SafetensorsTensor.FromSingles(Weight, [Outputs, Inputs], _values),
        ];
        Write();
        _file = SafetensorsFile.Open(_folder.At("read.safetensors"));
    }

    /// <summary>Opens a file: its header is read and checked.</summary>
    [Benchmark]
    [ExpectedAllocation(4_352)]
    public void Open() => SafetensorsFile.Open(_file!.Path).Dispose();

    /// <summary>Reads 3.4 MiB into memory that is there.</summary>
    [Benchmark]
    [ExpectedAllocation(0)]
    public void Read() => _file!.ReadSingles(Weight, _values);

    /// <summary>Writes 3.5 MiB, flushed to disk.</summary>
    [Benchmark]
    [ExpectedAllocation(8_448)]
    public void Write() => SafetensorsWriter.Write(_folder.At("read.safetensors"), _tensors);

    /// <summary>Removes the file.</summary>
    [GlobalCleanup]
    public void Dispose()
    {
        _file?.Dispose();
        _folder.Dispose();
        GC.SuppressFinalize(this);
    }
}
