using LoraFhe.Tools.Pages;

namespace LoraFhe.Tools.Soak;

/// <summary>The loss curves of a fine-tuning above how far each is from the recorded one.</summary>
internal static class LossPlot
{
    private const int Height = 640;

    private static readonly Dictionary<HybridFheMode, string> Styles = new()
    {
        [HybridFheMode.Torch] = "stroke=\"#1f77b4\" stroke-width=\"2\"",
        [HybridFheMode.Disable] = "stroke=\"#2ca02c\" stroke-width=\"4\" stroke-opacity=\"0.5\"",
        [HybridFheMode.Simulate] = "stroke=\"#9467bd\" stroke-width=\"2\" stroke-dasharray=\"2 5\"",
        [HybridFheMode.Execute] = "stroke=\"#d62728\" stroke-width=\"2\" stroke-dasharray=\"8 5\"",
    };

    public static string Svg(Comparison comparison)
    {
        var recorded = new Curve("recorded (peft)", comparison.Recorded, "stroke=\"#000\" stroke-width=\"7\" stroke-opacity=\"0.18\"");
        var modes = comparison.Modes.Select(mode => new Curve(mode.Mode.ToPythonName(), mode.Losses, Styles[mode.Mode])).ToList();
        var distances = modes.Select(mode => mode with { Values = [.. mode.Values.Zip(recorded.Values, (ours, theirs) => ours - theirs)] }).ToList();
        Curve[] losses = [recorded, .. modes];

        var picture = new Picture(860, Height, $"LoRA fine-tuning of {comparison.Subject.Title}");
        picture.Legend(losses);
        picture.Frame(64, 320, "loss (nats a token)", losses);
        picture.Frame(420, 160, "loss − recorded", distances);
        picture.Caption(Height - 16, "step");
        return picture.ToString();
    }
}
