using System.Text.Json;

namespace LoraFhe.Samples.FineTuneText;

/// <summary>The folder of <c>--out</c>, held by one run at a time: what the run was started with, its checkpoints, its results.</summary>
internal sealed class RunFolder : IDisposable
{
    /// <summary>How many steps a killed process loses at most.</summary>
    public const int StepsPerCheckpoint = 25;

    private const string StateName = "run.json";
    private readonly string _path;
    private readonly FileStream _lock;

    private RunFolder(string path, FileStream taken) => (_path, _lock) = (path, taken);

    public string Checkpoints => Path.Combine(_path, "checkpoints");

    public string Adapter => Path.Combine(_path, "adapter");

    public string Plot => Path.Combine(_path, "loss.png");

    public string Log => Path.Combine(_path, "training.log");

    /// <summary>Takes the folder, which is made if there is none.</summary>
    /// <exception cref="IOException">It cannot be written, or another run has it.</exception>
    public static RunFolder Open(string path)
    {
        var file = Path.Combine(path, ".lock");
        try
        {
            Directory.CreateDirectory(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new IOException($"--out '{path}' cannot be made ({e.Message}). Expected a folder that can be written.", e);
        }

        try
        {
            // The system lets go of it when the process ends, however it ends.
            return new RunFolder(path, new FileStream(file, FileMode.Create, FileAccess.Write, FileShare.None, 1, FileOptions.DeleteOnClose));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new IOException(
                File.Exists(file)
                    ? $"--out '{path}' is in use by another run. Expected a folder for each run."
                    : $"--out '{path}' cannot be written ({e.Message}). Expected a folder that can be written.",
                e);
        }
    }

    public static bool HoldsRun(string path) => File.Exists(Path.Combine(path, StateName));

    /// <summary>What the folder's run was started with.</summary>
    /// <exception cref="IOException">There is no run in it.</exception>
    /// <exception cref="InvalidDataException">The file that says so is damaged.</exception>
    public static RunState ReadState(string path)
    {
        if (!HoldsRun(path))
        {
            throw new IOException($"--resume: '{path}' holds no run to take up. Expected the --out of a run that was stopped.");
        }

        try
        {
            return JsonSerializer.Deserialize(File.ReadAllText(Path.Combine(path, StateName)), RunStateJson.Default.RunState)!;
        }
        catch (JsonException e)
        {
            throw new InvalidDataException($"--resume: '{Path.Combine(path, StateName)}' is damaged. Start the run again, without --resume.", e);
        }
    }

    public void SaveState(RunState state) => WholeFile.Write(Path.Combine(_path, StateName), JsonSerializer.Serialize(state, RunStateJson.Default.RunState));

    /// <summary>The folder's run with the options it goes on with, which may have more steps than those it was started with.</summary>
    public RunState Extend(RunOptions options)
    {
        var state = ReadState(_path);
        if (state.Options.Steps is not { } before || options.Steps <= before)
        {
            return state;
        }

        // Its last checkpoint ended an epoch early, if it came to that.
        var finished = state.Finished ?? [];
        var epochs = StepLoader.Cut(before, StepsPerCheckpoint, finished).Count;
        var extended = state with
        {
            Options = state.Options with { Steps = options.Steps },
            Finished = File.Exists(Path.Combine(Checkpoints, $"checkpoint_epoch_{epochs}.safetensors")) ? [.. finished, before] : finished,
        };
        SaveState(extended);
        return extended;
    }

    /// <summary>A new run never mixes with an old one's checkpoints, and never deletes the latest of them.</summary>
    public void SetCheckpointsAside()
    {
        var previous = Checkpoints + ".previous";
        if (Directory.Exists(Checkpoints) && Directory.EnumerateFileSystemEntries(Checkpoints).Any())
        {
            if (Directory.Exists(previous))
            {
                Directory.Delete(previous, recursive: true);
            }

            Directory.Move(Checkpoints, previous);
            Directory.CreateDirectory(Checkpoints);
        }
    }

    public void Dispose() => _lock.Dispose();
}
