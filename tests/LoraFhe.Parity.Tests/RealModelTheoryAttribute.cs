using System.Runtime.CompilerServices;

namespace LoraFhe.Parity.Tests;

/// <summary>A theory that reads <see cref="TestModels"/>: it is skipped, and says so, where they are not.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class RealModelTheoryAttribute : TheoryAttribute
{
    public RealModelTheoryAttribute([CallerFilePath] string? sourceFilePath = null, [CallerLineNumber] int sourceLineNumber = -1)
        : base(sourceFilePath, sourceLineNumber)
    {
        Skip = TestModels.HowToGet;
        SkipType = typeof(TestModels);
        SkipUnless = nameof(TestModels.AreThere);
    }
}
