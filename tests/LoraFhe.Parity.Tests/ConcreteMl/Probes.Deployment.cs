using LoraFhe.Fixtures;
using LoraFhe.Safetensors;
using LoraFhe.Tests;
using LoraFhe.Tests.Training;

namespace LoraFhe.Parity.Tests.ConcreteMl;

/// <content>Saving what each side needs.</content>
internal static partial class Probes
{
    private const string Saving = "`save_and_clear_private_info` writes everything private";

    private static Dictionary<string, Probe> Deployment => new()
    {
        ["save_and_clear_private_info after compile (small layers)"] = Probe.Mended(Saving, recorded =>
        {
            Assert.Contains("complete_model.pth", recorded["returns"]["files"].AsStrings);
            AssertSeparated(recorded["returns"]["private_module_after"].AsStrings.Length, recorded["returns"]["log"], width: 10);
        }),
        ["save_and_clear_private_info before compile"] = Probe.Mended(Saving, _ =>
        {
            using var folder = new TemporaryFolder();
            using var dummy = Dummy();
            AssertSays("needs a compiled model", Assert.Throws<InvalidOperationException>(() => dummy.Trainer.SaveAndClearPrivateInfo(folder.At("dep"))));
            Assert.False(Directory.Exists(folder.At("dep")));
            Train(dummy.Trainer, [Pair()]);
        }),
        ["save_and_clear_private_info after compile (GLWE layers)"] = Probe.Mended(Saving, recorded =>
        {
            Assert.Equal(["complete_model.pth", "model.pth"], recorded["returns"]["files"].AsStrings);
            AssertSeparated(remoteModules: 3, log: null, width: 512);
        }),
    };

    private static void AssertSeparated(int remoteModules, GoldenJson? log, int width)
    {
        using var folder = new TemporaryFolder();
        var logger = new RecordingLogger();
        using var dummy = Dummy(logger: logger, width: width);
        dummy.Trainer.Compile(Pair(width: width), cancellationToken: Cancellation.Token);
        dummy.Trainer.SaveAndClearPrivateInfo(folder.At("dep"));

        Assert.Equal([null, null, null], dummy.Trainer.HybridModel.RemoteModules.Select(module => module.PrivateModule));
        Assert.Equal(3, remoteModules);
        if (log is { } lines)
        {
            Assert.Equal(RecordedLog.Messages(lines.AsString).Select(line => line.Replace("<TMP>", folder.Path, StringComparison.Ordinal)), logger.Lines);
        }

        Assert.Equal(["client", "server"], Directory.GetDirectories(folder.At("dep")).Select(path => Path.GetFileName(path)!).Order());
        var (client, server) = (Tensors(folder.At("dep", "client")), Tensors(folder.At("dep", "server")));
        Assert.Contains(client, name => name.EndsWith("lora_a", StringComparison.Ordinal));
        Assert.DoesNotContain(client, name => name.EndsWith("weight", StringComparison.Ordinal));
        Assert.DoesNotContain(server, name => name.Contains("lora", StringComparison.Ordinal) || name.Contains("bias", StringComparison.Ordinal));

        // In torch mode too, what was cleared says so; there a bare AssertionError.
        AssertSays("was cleared", Assert.Throws<InvalidOperationException>(() => Train(dummy.Trainer, [Pair(width: width)])));
    }

    private static List<string> Tensors(string folder) => [.. Directory.GetFiles(folder, "*.safetensors").SelectMany(path =>
    {
        using var file = SafetensorsFile.Open(path);
        return file.Entries.Select(entry => entry.Name).ToList();
    })];
}
