namespace LoraFhe.Tests.Training;

/// <summary>The running test's token.</summary>
internal static class Cancellation
{
    public static CancellationToken Token => TestContext.Current.CancellationToken;
}
