using System.Runtime.CompilerServices;

namespace LoraFhe.Parity.Tests;

/// <summary>A test that reads <see cref="TestModels"/>: it is skipped, and says so, where they are not.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class RealModelFactAttribute : FactAttribute
{
    public RealModelFactAttribute([CallerFilePath] string? sourceFilePath = null, [CallerLineNumber] int sourceLineNumber = -1)
        : base(sourceFilePath, sourceLineNumber)
    {
        Skip = TestModels.HowToGet;
        SkipType = typeof(TestModels);
        SkipUnless = nameof(TestModels.AreThere);
    }
}
