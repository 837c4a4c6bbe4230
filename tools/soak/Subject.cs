namespace LoraFhe.Tools.Soak;

/// <summary>A model that the real libraries recorded twice: as it is, and while it was fine-tuned.</summary>
/// <param name="Name">The folder its results go to.</param>
/// <param name="Title">What it is called where a result is shown.</param>
/// <param name="Model">What was recorded of the model.</param>
/// <param name="Run">The fine-tuning that was recorded.</param>
internal sealed record Subject(string Name, string Title, RecordedModel Model, RecordedRun Run) : IDisposable
{
    public static Subject TinyAusten() => new(
        "tiny-austen", "tiny-austen (1.0 million parameters, 128 wide)", RecordedModel.TinyAusten(), RecordedRun.TinyAusten());

    /// <param name="testModels">What <c>.ci/unpack-test-models</c> made.</param>
    public static Subject SmolLm2(string testModels) => new(
        "smollm2", "SmolLM2-135M-Instruct, from a 4-bit file", RecordedModel.SmolLm2(testModels), RecordedRun.SmolLm2(testModels));

    public void Dispose()
    {
        Model.Dispose();
        Run.Dispose();
    }
}
